import { spawnSync } from "node:child_process";

import { commandsOf, githubJobs, gitlabJobs, type GithubJob, type Job } from "../../docs/ci/jobs";
import { inSandbox, NOT_RUN, runJob, type JobResult } from "../../docs/ci/runJob";
import { must, OF_PROD, OF_STAGING, outside, testUnless } from "../support/sandbox";

/** The commands of docs/ci, taken from the files, job by job in the order in which they would come. */

const PULL_REQUEST = "7";
const MERGE_REQUEST = "8";
const jobs: readonly Job[] = [...githubJobs(), ...gitlabJobs()];
const ran = new Set<string>();

async function run(name: string, values: Readonly<Record<string, string>> = {}): Promise<JobResult> {
  const job = jobs.find((one) => one.name === name);
  if (job === undefined) throw new Error(`there is no job ${name}`);
  ran.add(name);
  const result = await runJob(job, values);
  if (result.code !== 0) throw new Error(`${name}: exit code ${result.code}\n${result.output}`);
  return result;
}

/** HTTP status that a browser gets at that address. */
async function statusOf(url: string): Promise<string> {
  const { stdout } = await outside(["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", url]);
  return stdout;
}

function servers(): string[] {
  const { status, stdout, stderr } = spawnSync("./scripts/test-server", ["list", "--sandbox", "--json"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`test-server list: exit code ${status}\n${stderr}`);
  return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name).sort();
}

const github = { "github.event.pull_request.number": PULL_REQUEST };
const gitlab = { CI_MERGE_REQUEST_IID: MERGE_REQUEST };

beforeAll(() => must(["reset"]));

describe("a pull request", () => {
  test("has its plan and a preview of staging", async () => {
    for (const name of ["checks.yml: plan", "gitlab-ci.yml: plan"]) {
      const { output } = await run(name);
      for (const name of ["bbb-staging", "bbb"]) expect(output).toContain(`https://${name}.example.org\n`);
    }
    for (const name of ["preview.yml: staging", "gitlab-ci.yml: preview"]) {
      expect((await run(name)).output).toMatch(/hcloud:index\S*:Server/);
    }
  });

  test("has a test server of its own on either system", async () => {
    const urls = [
      (await run("test-server.yml: up", github)).reported.url,
      (await run("gitlab-ci.yml: test-server-up", gitlab)).reported.SERVER_URL,
    ];
    expect(new Set(urls).size).toBe(2);
    for (const url of urls) {
      expect(url).toMatch(/^https:\/\/bbb-/);
      expect(await statusOf(url!)).toBe("200");
    }
    expect(servers()).toEqual([`mr-${MERGE_REQUEST}`, `pr-${PULL_REQUEST}`]);
  });

  test("goes on with the server that it has at the next push", async () => {
    await run("test-server.yml: up", github);
    expect(servers()).toEqual([`mr-${MERGE_REQUEST}`, `pr-${PULL_REQUEST}`]);
  });
});

describe("the default branch", () => {
  test("goes to staging, and to prod when that is approved", async () => {
    await run("deploy.yml: staging");
    expect((await run("deploy.yml: preview-prod")).output).toMatch(/hcloud:index\S*:Server/);
    await run("deploy.yml: prod");
    for (const [stack, { bbb }] of Object.entries({ staging: OF_STAGING, prod: OF_PROD })) {
      const url = (await must(["outputs", "url", "--stack", stack])).trim();
      expect(url).toBe(`https://${bbb}`);
      expect(await statusOf(url)).toBe("200");
    }
  });

  test("changes nothing on the other system where nothing has changed", async () => {
    for (const name of ["staging", "preview-prod", "prod"]) {
      expect((await run(`gitlab-ci.yml: ${name}`)).output).not.toMatch(
        /\d+ (created|updated|replaced|deleted)/,
      );
    }
  });
});

describe("schedules", () => {
  test("check both deployments", async () => {
    const { strategy } = jobs.find(({ name }) => name === "check.yml: check") as GithubJob;
    expect(strategy!.matrix.stack).toEqual(["staging", "prod"]);
    for (const stack of strategy!.matrix.stack!) {
      await run("check.yml: check", { "matrix.stack": stack });
      await run("gitlab-ci.yml: check", { STACK: stack });
    }
  });

  test("reap what has expired and nothing else", async () => {
    await run("reap.yml: reap");
    await run("gitlab-ci.yml: reap");
    expect(servers()).toEqual([`mr-${MERGE_REQUEST}`, `pr-${PULL_REQUEST}`]);
  });

  test("prune the images, of which there are none", async () => {
    for (const name of ["images.yml: images", "gitlab-ci.yml: images"])
      expect((await run(name)).output).toContain("No image to remove.");
  });
});

test("a closed pull request takes its server with it, and no other", async () => {
  await run("test-server.yml: down", github);
  expect(servers()).toEqual([`mr-${MERGE_REQUEST}`]);
  await run("gitlab-ci.yml: test-server-down", gitlab);
  expect(servers()).toEqual([]);
});

test("one whose server the reap has had already is closed just as well", async () => {
  expect((await run("test-server.yml: down", github)).output).toContain("gone already");
});

describe("every job was run", () => {
  test("but for those of which nothing is left to run here", () => {
    const nothing = jobs.filter(({ scripts }) =>
      scripts.every(({ text }) => commandsOf(inSandbox(text)).length === 0),
    );
    expect(nothing.map(({ name }) => name)).toEqual([
      ...["checks.yml: test", "drill.yml: drill", "prune.yml: prune", "upstream.yml: upstream"],
      ...["test", "prune", "drill", "upstream"].map((name) => `gitlab-ci.yml: ${name}`),
    ]);
    expect(
      jobs
        .filter((job) => !nothing.includes(job))
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...ran].sort());
  });

  for (const [line, reason] of Object.entries(NOT_RUN)) {
    testUnless(`not run here: ${reason}`)(line, () => Promise.resolve());
  }
});
