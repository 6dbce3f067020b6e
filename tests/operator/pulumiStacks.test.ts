import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Writable } from "node:stream";

import { parse } from "yaml";

import { Mistake } from "../../cli/mistake";
import { openPulumiStacks } from "../../operator/pulumiStacks";
import { StackBusy } from "../../operator/stacks";

test("without the CLI both ways out are named in one line", async () => {
  const { PATH } = process.env;
  process.env.PATH = "/nowhere";
  try {
    const attempt = openPulumiStacks(".", process.stderr);
    await expect(attempt).rejects.toThrow(Mistake);
    await expect(attempt).rejects.toThrow(
      /^the pulumi CLI is not on PATH: [^\n]*https:[^\n]*--sandbox[^\n]*$/,
    );
  } finally {
    process.env.PATH = PATH;
  }
});

describe("with a CLI that notes what it is asked", () => {
  const { PATH } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "fake-pulumi-"));
  const calls = join(folder, "calls");
  const project = join(folder, "project");
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });

  /** Stand-in for the CLI. Each call's arguments, environment and standard input are a file of their own. */
  const FAKE = `#!/bin/sh
  note=$(mktemp "${calls}/XXXXXX")
  printf '%s\\n' "$@" >"$note.args"
  case "$*" in
    version) echo v3.270.0 ;;
    "config refresh "*)
      printf 'config:\\n  bigbluebutton:expires: 1795917600\\n' >"Pulumi.$(echo "$*" | sed 's/.*--stack \\([^ ]*\\).*/\\1/').yaml" ;;
    "config set release "*) cat >/dev/null ;;
    "config set "*)
      cat >"$note.input"; echo "$PULUMI_SKIP_UPDATE_CHECK" >"$note.environment"
      if [ "$3" = hcloud:broken ]; then echo "error: passphrase must be set" >&2; exit 255; fi ;;
    "up "*"--stack prod"*) cp Pulumi.prod.yaml "$note.settings" ;;
    "cancel "*) rm -f "${folder}/lock" ;;
    "stack import "*)
      if [ -e "${folder}/lock" ]; then cat "${folder}/lock" >&2; exit 255; fi ;;
    *" --json"*) echo '{}' ;;
  esac
  `;

  beforeAll(() => {
    for (const path of [calls, project]) mkdirSync(path);
    writeFileSync(join(project, "Pulumi.yaml"), "name: bigbluebutton\nruntime: nodejs\n");
    writeFileSync(join(folder, "pulumi"), FAKE, { mode: 0o755 });
    process.env.PATH = `${folder}${delimiter}${PATH}`;
  });
  afterAll(() => {
    process.env.PATH = PATH;
    rmSync(folder, { recursive: true });
  });

  const noted = (ending: string) =>
    readdirSync(calls)
      .filter((name) => name.endsWith(ending))
      .map((name) => readFileSync(join(calls, name), "utf8"));

  test("a secret goes to it by standard input, and into no command line", async () => {
    const stacks = await openPulumiStacks(project, silent);
    await stacks.up("test-a", { "hcloud:token": "s3cret-t0ken", domain: "school.eu" });
    const args = noted(".args");
    expect(args).toContain("config\nset\nhcloud:token\n--secret\n--stack\ntest-a\n--non-interactive\n");
    expect(args).toContainEqual(expect.stringMatching(/^up\n/));
    expect(args.filter((one) => one.includes("s3cret"))).toEqual([]);
    expect(noted(".input")).toEqual(["s3cret-t0ken"]);
    expect(noted(".environment")).toEqual(["true\n"]);
  });

  test("what is taken down is refreshed first, so that what is gone at the cloud stops nothing", async () => {
    const stacks = await openPulumiStacks(project, silent);
    await stacks.destroy("test-a");
    const destroys = noted(".args").filter((args) => args.startsWith("destroy\n"));
    expect(destroys).toEqual([expect.stringMatching(/^--refresh(=true)?$/m)]);
  });

  test("an update with a setting for once has the others as they are written, encrypted ones closed", async () => {
    const file = join(project, "Pulumi.prod.yaml");
    const secure = { secure: "v1:abc=" };
    const written =
      "config:\n  bigbluebutton:email: a@b.eu\n  image: own\n  bigbluebutton:backup:\n    secretAccessKey: { secure: v1:abc= }\n";
    writeFileSync(file, written);
    await (await openPulumiStacks(project, silent)).upAgain("prod", { image: "4711" });
    const [used] = noted(".settings").map((text) => parse(text) as { config: object });
    expect(used!.config).toEqual({
      "bigbluebutton:email": "a@b.eu",
      "bigbluebutton:backup": { secretAccessKey: secure },
      "bigbluebutton:image": "4711",
    });
    expect(readFileSync(file, "utf8")).toBe(written);
    rmSync(file);
  });

  test("settings are changed by the CLI, in the project's own file; a stack without one is a mistake", async () => {
    writeFileSync(join(project, "Pulumi.prod.yaml"), "config: {bigbluebutton:domain: school.eu}\n");
    const stacks = await openPulumiStacks(project, silent);
    await stacks.configure("prod", { release: "noble-40", image: undefined });
    const args = noted(".args");
    expect(args).toContain("config\nset\nrelease\nnoble-40\n--stack\nprod\n--non-interactive\n");
    expect(args).toContain("config\nrm\nimage\n--stack\nprod\n--non-interactive\n");
    rmSync(join(project, "Pulumi.prod.yaml"));
    await expect(stacks.configure("prod", {})).rejects.toThrow(Mistake);
  });

  test("a refresh is one, with the stack's own settings", async () => {
    await (await openPulumiStacks(project, silent)).refresh("test-a");
    expect(noted(".args")).toContainEqual(expect.stringMatching(/^refresh\n/));
  });

  describe("an import", () => {
    const lockedBy = (pid: number, hoursAgo: number) =>
      writeFileSync(
        join(folder, "lock"),
        "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock " +
          `file with \`pulumi cancel\`.\n  file:///x/y.json: created by root@${hostname()} (pid ${pid}) at ${new Date(Date.now() - hoursAgo * 3_600_000).toISOString()}\n`,
      );
    const importing = async () =>
      (await openPulumiStacks(project, silent)).importState("test-a", { deployment: {} }, []);
    const imports = () => noted(".args").filter((args) => args.startsWith("stack\nimport\n"));
    beforeEach(() => {
      for (const name of readdirSync(calls)) rmSync(join(calls, name));
    });
    afterEach(() => rmSync(join(folder, "lock"), { force: true }));

    test("takes away a lock that is older than any update", async () => {
      lockedBy(process.pid, 6);
      await importing();
      expect(imports()).toHaveLength(2);
      expect(noted(".args")).toContainEqual(expect.stringMatching(/^cancel\n/));
    });

    test("leaves that of one that runs, and says what takes it away", async () => {
      lockedBy(process.pid, 0);
      const refused = importing();
      await expect(refused).rejects.toThrow(StackBusy);
      await expect(refused).rejects.toThrow(
        new RegExp(`root@${hostname()} \\(pid ${process.pid}\\).*\\bpulumi cancel --stack test-a\\b`),
      );
      expect(imports()).toHaveLength(1);
      expect(noted(".args")).not.toContainEqual(expect.stringMatching(/^cancel\n/));
    });
  });

  test.each([
    ["without a file", undefined],
    ["with a file that plain pulumi left, of a salt alone", "encryptionsalt: v1:abc=:v1:def\n"],
  ])("the settings on record are the test stack's, %s", async (_, left) => {
    const file = join(project, "Pulumi.test-b.yaml");
    if (left !== undefined) writeFileSync(file, left);
    const stacks = await openPulumiStacks(project, silent);
    expect(await stacks.settings("test-b")).toEqual({ expires: 1795917600 });
    rmSync(file, { force: true });
  });

  test("why it does not take one is told in its own words, without the secret", async () => {
    const stacks = await openPulumiStacks(project, silent);
    const attempt = stacks.up("test-a", { "hcloud:broken": "s3cret-t0ken" });
    await expect(attempt).rejects.toThrow(Mistake);
    await expect(attempt).rejects.toThrow(/^passphrase must be set$/);
  });
});
