import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { explain } from "../../../steps/waitForSsh";
import { SANDBOX_CACHE } from "../../../sandbox/paths";
import {
  changes,
  commandsOf,
  deploys,
  EXAMPLES,
  GITHUB_FILES,
  githubJobs,
  githubWorkflow,
  GITLAB_FILE,
  gitlabFile,
  gitlabJobs,
  PROJECT,
  type Job,
} from "./jobs";
import { sandboxArguments } from "./pulumiShim";

const github = githubJobs();
const gitlab = gitlabJobs();
const jobs: readonly Job[] = [...github, ...gitlab];
const workflows = GITHUB_FILES.map((file) => [basename(file), file] as const);
const files = [...GITHUB_FILES, GITLAB_FILE];
const scripts = jobs.flatMap((job) => job.scripts);
const commands = scripts.flatMap(({ name, text }) => commandsOf(text).map((words) => ({ name, words })));
const nameOf = (environment: unknown): string | undefined =>
  typeof environment === "object" && environment !== null
    ? (environment as { name: string }).name
    : (environment as string | undefined);
const secretsOf = (text: string): string[] => [...text.matchAll(/secrets\.(\w+)/g)].map(([, name]) => name!);

describe("the published schemas", () => {
  const tool = join(SANDBOX_CACHE, "venv/bin/check-jsonschema");
  /** Violations of a schema. check-jsonschema contains the schemas of SchemaStore (GitHub) and of GitLab. */
  function violations(schema: readonly string[], file: string): string {
    if (!existsSync(tool)) {
      throw new Error(`${tool} is missing: run scripts/test, which installs tests/requirements.txt there`);
    }
    const { status, stdout, stderr } = spawnSync(tool, [...schema, file], { encoding: "utf8" });
    return status === 0 ? "" : `${stdout}${stderr}`;
  }
  const GITHUB = ["--builtin-schema", "vendor.github-workflows"];
  const GITLAB = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"];

  test.each(workflows)("%s is a workflow of GitHub Actions", (_, file) => {
    expect(violations(GITHUB, file)).toBe("");
  });

  test.each(workflows)("every job of %s ends in bounded time", (_, file) => {
    expect(violations(["--builtin-schema", "custom.github-workflows-require-timeout"], file)).toBe("");
  });

  test("gitlab-ci.yml is a pipeline of GitLab CI", () => {
    expect(violations(GITLAB, GITLAB_FILE)).toBe("");
  });

  test("a slip in either would be found", () => {
    const folder = mkdtempSync(join(tmpdir(), "ci-"));
    try {
      const file = join(folder, "broken.yml");
      writeFileSync(file, "on: push\njobs: { a: { runs_on: x, steps: [] } }\n");
      expect(violations(GITHUB, file)).toContain("runs_on");
      writeFileSync(file, "a: { script: [true], resource_groups: x, interruptible: maybe }\n");
      expect(violations(GITLAB, file)).toContain("interruptible");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("what is run", () => {
  /** Revisions of the actions' tags in their repositories. */
  const ACTIONS: Readonly<Record<string, string>> = {
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1": "v7.0.1",
    "actions/setup-node@820762786026740c76f36085b0efc47a31fe5020": "v7.0.0",
  };

  test("actions are pinned by revision, with the tag beside it", () => {
    const uses = GITHUB_FILES.flatMap((file) => readFileSync(file, "utf8").match(/uses: .*/g) ?? []);
    expect(uses).not.toEqual([]);
    for (const line of uses.filter((used) => !used.startsWith("uses: ./"))) {
      const [, action, tag] = /^uses: (\S+@[0-9a-f]{40}) # (v[\d.]+)$/.exec(line) ?? [line];
      expect([line, ACTIONS[action ?? ""]]).toEqual([line, tag]);
    }
  });

  test("workflows of ours that are called are there", () => {
    const called = GITHUB_FILES.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/uses: (\.\S+)/g)]);
    expect(called).not.toEqual([]);
    for (const [, path] of called) {
      expect(GITHUB_FILES).toContain(path!.replace("./.github/workflows", join(EXAMPLES, "github")));
    }
  });

  test("images are pinned by digest", () => {
    for (const { image } of gitlab) expect(image).toMatch(/^\w+@sha256:[0-9a-f]{64}$/);
  });

  test("every script is bash without a fault that shellcheck knows", () => {
    for (const { name, text } of scripts) {
      const input = `set -eo pipefail\n${text}`; // as both systems start it
      const { stdout } = spawnSync("shellcheck", ["--shell=bash", "-"], { input, encoding: "utf8" });
      expect([name, stdout]).toEqual([name, ""]);
    }
  });

  test("nothing from outside is pasted into a script", () => {
    for (const { name, text } of scripts)
      expect([name, text]).toEqual([name, expect.not.stringContaining("${{")]);
  });

  test("both systems run the same commands", () => {
    const of = (some: readonly Job[], own: RegExp) =>
      new Set(
        some
          .flatMap((job) => job.scripts.flatMap(({ text }) => commandsOf(text)))
          .filter(([command]) => /^(\.\/scripts\/|pulumi$|npm$)/.test(command!))
          .map((words) => words.join(" ").replace(own, "NAME")),
      );
    expect(of(github, /\$NAME/)).toEqual(of(gitlab, /mr-\$CI_MERGE_REQUEST_IID/));
  });

  test("each script of ours takes what it is given", () => {
    const ours = commands.filter(({ words }) => words[0]!.startsWith("./scripts/"));
    expect(new Set(ours.map(({ words }) => words[0]))).toEqual(
      new Set(
        "test plan check backup image test-server install-pulumi upstream"
          .split(" ")
          .map((name) => `./scripts/${name}`),
      ),
    );
    const helps = new Map<string, string>();
    for (const { name, words } of ours) {
      const script = join(PROJECT, words[0]!);
      accessSync(script, constants.X_OK);
      const action = /^\.\/scripts\/(test-server|backup|image)$/.test(words[0]!) ? [words[1]!] : [];
      const call = [script, ...action, "--help"].join(" ");
      if (!helps.has(call)) {
        const help = spawnSync(script, [...action, "--help"], { encoding: "utf8", cwd: PROJECT });
        expect([call, help.status, help.stderr]).toEqual([call, 0, ""]);
        helps.set(call, help.stdout);
      }
      const options = words.filter((word) => word.startsWith("-"));
      for (const option of options) {
        expect([name, option, helps.get(call)]).toEqual([
          name,
          option,
          expect.stringMatching(new RegExp(`(^|[ ,])${option}\\b`, "m")),
        ]);
      }
    }
    expect(helps.get(`${join(PROJECT, "scripts/test")} --help`)).toMatch(/^ +unit\b/m);
  }, 120_000);

  test("each pulumi command is one that the sandbox has, too", () => {
    const pulumi = commands.filter(({ words }) => words[0] === "pulumi");
    expect(new Set(pulumi.map(({ words }) => words[1]))).toEqual(new Set(["preview", "up"]));
    for (const { words } of pulumi) {
      expect(sandboxArguments(words.slice(1)).slice(0, 3)).toEqual([words[1], "--stack", expect.any(String)]);
    }
  });
});

describe("an update is never cancelled", () => {
  test("the jobs that deploy are known as such", () => {
    const names = jobs.filter(deploys).map(({ name }) => name);
    expect(names).toEqual([
      "deploy.yml: staging",
      "deploy.yml: prod",
      "drill.yml: drill",
      "images.yml: images",
      "reap.yml: reap",
      "test-server.yml: up",
      "test-server.yml: down",
      "gitlab-ci.yml: test-server-up",
      "gitlab-ci.yml: test-server-down",
      "gitlab-ci.yml: staging",
      "gitlab-ci.yml: prod",
      "gitlab-ci.yml: reap",
      "gitlab-ci.yml: drill",
      "gitlab-ci.yml: images",
    ]);
  });

  test("on GitHub, each waits in a group of its own stack in which nothing is cancelled", () => {
    const groups = github.filter(deploys).map((job) => {
      const concurrency = job.concurrency ?? job.workflow.concurrency;
      expect([job.name, concurrency]).toEqual([
        job.name,
        { group: expect.any(String), "cancel-in-progress": false },
      ]);
      return [job.name, concurrency!.group];
    });
    const number = "${{ github.event.pull_request.number }}";
    expect(Object.fromEntries(groups)).toEqual({
      "deploy.yml: staging": "staging",
      "deploy.yml: prod": "prod",
      "drill.yml: drill": "drill",
      "images.yml: images": "images",
      "reap.yml: reap": "reap",
      "test-server.yml: up": `test-server-${number}`,
      "test-server.yml: down": `test-server-${number}`,
    });
    for (const file of GITHUB_FILES)
      expect(readFileSync(file, "utf8")).not.toMatch(/cancel-in-progress:(?! false$)/m);
  });

  test("on GitLab, each is in the resource group of its stack, and none can be interrupted", () => {
    expect(gitlabFile().workflow!.auto_cancel).toEqual({
      on_new_commit: "interruptible",
      on_job_failure: "none",
    });
    for (const job of gitlab) {
      const harmless = !job.scripts.some(({ text }) =>
        /pulumi (up|preview)|test-server|scripts\/(check|backup|image)/.test(text),
      );
      expect([job.name, job.interruptible]).toEqual([job.name, harmless]);
    }
    const groups = gitlab.filter(deploys).map(({ name, resource_group }) => [name, resource_group]);
    expect(Object.fromEntries(groups)).toEqual({
      "gitlab-ci.yml: test-server-up": "test-server-$CI_MERGE_REQUEST_IID",
      "gitlab-ci.yml: test-server-down": "test-server-$CI_MERGE_REQUEST_IID",
      "gitlab-ci.yml: staging": "staging",
      "gitlab-ci.yml: prod": "prod",
      "gitlab-ci.yml: reap": "reap",
      "gitlab-ci.yml: drill": "drill",
      "gitlab-ci.yml: images": "images",
    });
  });

  test("no time-out comes near what an update takes, and both systems have the same", () => {
    const minutes = (text: string) => {
      const [, count, unit] = /^(\d+)(m|h)$/.exec(text) ?? [];
      return Number(count) * (unit === "h" ? 60 : 1);
    };
    const times = (some: readonly (readonly [Job, number])[]) =>
      some.map(([job, time]) => `${changes(job)[0]!.slice(0, 2).join(" ")}: ${time}`).sort();
    const ofGithub = times(github.filter(deploys).map((job) => [job, job["timeout-minutes"]!]));
    expect(ofGithub).toEqual(times(gitlab.filter(deploys).map((job) => [job, minutes(job.timeout)])));
    expect(ofGithub.filter((time) => time.includes(" up"))).toEqual([
      "./scripts/test-server up: 240",
      "pulumi up: 240",
      "pulumi up: 240",
    ]);
  });
});

describe("secrets", () => {
  test("workflows may read the repository, and nothing else", () => {
    for (const file of GITHUB_FILES) {
      expect([file, githubWorkflow(file).permissions]).toEqual([file, { contents: "read" }]);
      expect(readFileSync(file, "utf8").match(/permissions:/g)).toHaveLength(1);
    }
    const checkouts = github.flatMap(({ steps }) =>
      steps.filter(({ uses }) => uses?.startsWith("actions/checkout@")),
    );
    expect(checkouts).not.toEqual([]);
    for (const step of checkouts) expect(step.with?.["persist-credentials"]).toBe(false);
  });

  test("they come from the store, into the one step that needs them", () => {
    const SECRETS = [
      "HCLOUD_TOKEN",
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "PULUMI_CONFIG_PASSPHRASE",
      "PULUMI_ACCESS_TOKEN",
    ];
    for (const job of github) {
      const inSteps = job.steps.flatMap(({ env }) => secretsOf(JSON.stringify(env ?? {})));
      const inAll = secretsOf(JSON.stringify({ ...job, workflow: undefined, scripts: undefined }));
      expect([job.name, inAll]).toEqual([job.name, inSteps]);
      expect([job.name, inAll.length === 0 ? SECRETS : inAll]).toEqual([job.name, SECRETS]);
      for (const { env = {} } of job.steps) {
        for (const secret of secretsOf(JSON.stringify(env)))
          expect(env[secret]).toBe(`\${{ secrets.${secret} }}`);
      }
    }
    for (const file of GITHUB_FILES) {
      const count = secretsOf(readFileSync(file, "utf8")).length;
      const inJobs = github.filter(({ workflow }) => workflow.name === githubWorkflow(file).name);
      expect(inJobs.flatMap(({ steps }) => secretsOf(JSON.stringify(steps)))).toHaveLength(count);
      expect(githubWorkflow(file).env).toBeUndefined();
    }
    for (const { variables = {} } of gitlab)
      expect(Object.keys(variables)).not.toEqual(expect.arrayContaining(SECRETS));
  });

  test("the job's own token is in no command line, and git gets it all the same", () => {
    const text = scripts.find(({ name }) => name === "gitlab-ci.yml: test-server-down")!.text;
    const clone = text.split("\n").find((line) => line.includes(" clone "))!;
    for (const { text } of scripts) expect(text).not.toMatch(/CI_REPOSITORY_URL|CI_JOB_TOKEN@/);
    const traced = clone.replace(/ clone .*/, " credential fill");
    const { stdout, stderr } = spawnSync("bash", ["-ec", traced], {
      input: "protocol=https\nhost=gitlab.example.org\n\n",
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: "/nowhere", CI_JOB_TOKEN: "s3cret", GIT_TRACE: "1" },
    });
    expect(stdout).toMatch(/^username=gitlab-ci-token\npassword=s3cret$/m);
    expect(stderr).toContain("trace: ");
    expect(stderr).not.toContain("s3cret");
  });

  test("each job that has any has them from its environment", () => {
    const environments = (some: readonly (Job & { environment?: unknown })[]) =>
      Object.fromEntries(some.map((job) => [job.name.split(": ")[1], nameOf(job.environment)]));
    expect(environments(github)).toEqual({
      test: undefined,
      plan: undefined,
      check: "${{ matrix.stack }}-read",
      staging: expect.any(String),
      "preview-prod": "prod-read",
      prod: "prod",
      drill: "drill",
      images: "test",
      prune: "prod-read",
      reap: "test",
      up: "test",
      down: "test",
      upstream: undefined,
    });
    const of = (name: string) => nameOf(github.find((job) => job.name === name)!.environment);
    expect(of("preview.yml: staging")).toBe("staging-read");
    expect(of("deploy.yml: staging")).toBe("staging");
    expect(environments(gitlab)).toEqual({
      test: undefined,
      plan: undefined,
      preview: "staging-read",
      "test-server-up": "test/mr-$CI_MERGE_REQUEST_IID",
      "test-server-down": "test/mr-$CI_MERGE_REQUEST_IID",
      staging: "staging",
      "preview-prod": "prod-read",
      prod: "prod",
      reap: "test/reap",
      check: "$STACK-read",
      prune: "prod-read",
      drill: "drill",
      images: "test/images",
      upstream: undefined,
    });
  });

  test("a change from a fork gets none", () => {
    const onPullRequest = github.filter(({ workflow }) => "pull_request" in workflow.on);
    for (const job of onPullRequest) {
      const guarded =
        job.if?.includes("github.event.pull_request.head.repo.full_name == github.repository") &&
        !job.if.includes("||");
      expect([job.name, guarded ?? false]).toEqual([
        job.name,
        secretsOf(JSON.stringify(job.steps)).length > 0,
      ]);
    }
    expect(github.some(({ workflow }) => "pull_request_target" in workflow.on)).toBe(false);

    const own = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID";
    for (const { name, environment, rules } of gitlab.filter((job) => job.environment !== undefined)) {
      for (const rule of rules.filter((one) => one.if.includes("merge_request"))) {
        expect([name, rule.if, environment]).toEqual([
          name,
          expect.stringContaining(`&& ${own}`),
          expect.anything(),
        ]);
        expect(rule.if).not.toContain("||");
      }
    }
  });

  test("what changes prod waits for somebody, after staging", () => {
    const job = github.find(({ name }) => name === "deploy.yml: prod")!;
    expect([job.needs, job.environment]).toEqual(["preview-prod", "prod"]);
    expect(github.find(({ name }) => name === "deploy.yml: preview-prod")!.needs).toBe("staging");
    expect(github.find(({ name }) => name === "deploy.yml: staging")!.needs).toBe("checks");

    const { rules, stage } = gitlab.find(({ name }) => name === "gitlab-ci.yml: prod")!;
    expect(rules).toEqual([expect.objectContaining({ when: "manual", allow_failure: false })]);
    const stages = gitlabFile().stages as unknown as string[];
    expect(stages.indexOf(stage)).toBeGreaterThan(stages.indexOf("staging"));
  });
});

describe("where and when", () => {
  test("what works over SSH runs on a runner of one's own, whose address sshNetworks can have", () => {
    const overSsh = /pulumi up|test-server up|scripts\/(check|backup|image)/;
    for (const job of github) {
      const own = job.scripts.some(({ text }) => overSsh.test(text));
      expect([job.name, job["runs-on"]]).toEqual([
        job.name,
        own ? ["self-hosted", "deploy"] : "ubuntu-24.04",
      ]);
    }
    for (const job of gitlab) {
      const own = job.scripts.some(({ text }) => overSsh.test(text));
      expect([job.name, job.tags]).toEqual([job.name, own ? ["deploy"] : undefined]);
    }
  });

  test("the reap runs every hour, the check every day, prune and upstream every week, the drill and images every month", () => {
    const cron = (name: string) =>
      (githubWorkflow(join(EXAMPLES, "github", name)).on.schedule as { cron: string }[]).map(
        (entry) => entry.cron,
      );
    expect(cron("reap.yml")).toEqual([expect.stringMatching(/^\d+ \* \* \* \*$/)]);
    expect(cron("check.yml")).toEqual([expect.stringMatching(/^\d+ \d+ \* \* \*$/)]);
    for (const name of ["upstream.yml", "prune.yml"])
      expect(cron(name)).toEqual([expect.stringMatching(/^\d+ \d+ \* \* [0-6]$/)]);
    for (const name of ["drill.yml", "images.yml"])
      expect(cron(name)).toEqual([expect.stringMatching(/^\d+ \d+ \d+ \* \*$/)]);
  });

  test("a test server goes when its pull request does", () => {
    const { on } = githubWorkflow(join(EXAMPLES, "github/test-server.yml"));
    expect(on.pull_request).toEqual({ types: ["opened", "reopened", "synchronize", "closed"] });
    const [up, down] = ["up", "down"].map((name) =>
      github.find((job) => job.name === `test-server.yml: ${name}`)!,
    );
    expect(up!.if).toContain("github.event.action != 'closed'");
    expect(down!.if).toContain("github.event.action == 'closed'");

    const environment = (name: string) =>
      gitlab.find((job) => job.name === `gitlab-ci.yml: ${name}`)!.environment;
    expect(environment("test-server-up")).not.toHaveProperty("auto_stop_in");
    expect(environment("test-server-up")).toMatchObject({ on_stop: "test-server-down" });
    expect(environment("test-server-down")).toMatchObject({ action: "stop" });
  });
});

describe("docs/ci/README.md", () => {
  const readme = readFileSync(join(EXAMPLES, "README.md"), "utf8");

  test("tells by which message a runner outside sshNetworks is known", () => {
    const host = { fqdn: "bbb.example.org", address: "203.0.113.1", user: "root", server: "urn" };
    const settings = { project: "bigbluebutton", stack: "prod", sshNetworks: [] };
    const message = explain({ ...host, settings }, new Error("timed out"));
    const [, quoted = "nothing"] = /fails after up to 5 minutes with `… (.*?)…\)`/.exec(readme) ?? [];
    expect(message).toContain(`(203.0.113.1) ${quoted}`);
  });

  test("names every secret, variable, environment, runner and schedule that is used", () => {
    const text = files.map((file) => readFileSync(file, "utf8")).join("\n");
    const used = new Set([
      ...secretsOf(text),
      ...[...text.matchAll(/vars\.(\w+)/g)].map(([, name]) => name!),
      ...["staging-read", "prod-read", "staging", "prod", "test", "drill", "deploy", "TASK"],
    ]);
    for (const name of used) expect(readme).toContain(`\`${name}\``);
    for (const file of files) expect(readme).toContain(file.slice(EXAMPLES.length + 1));
  });
});
