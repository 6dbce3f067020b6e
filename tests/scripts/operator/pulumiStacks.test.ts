import { spawnSync } from "node:child_process";
import { hostname } from "node:os";

import { Mistake } from "../../../scripts/operator/mistake";
import { isDead, openPulumiStacks, readLocks, told } from "../../../scripts/operator/pulumiStacks";

/** As the CLI 3.259 prints it, and the Automation API doubles it. */
const CONFLICT = `
error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the lock file with \`pulumi cancel\`.
  s3://state/.pulumi/locks/organization/bigbluebutton/test-a/abc.json?no_tmp_dir=true: created by root@runner-7 (pid 812) at 2026-11-21T08:00:00Z
`;

describe("locks of a file or bucket backend", () => {
  const now = new Date("2026-11-21T09:00:00Z");
  const [lock] = readLocks(`code: 255\n stdout: ${CONFLICT}\n stderr: ${CONFLICT}`);

  test("are read from what the CLI says, each once", () => {
    expect(readLocks(CONFLICT + CONFLICT)).toEqual([
      {
        told: "root@runner-7 (pid 812) since 2026-11-21T08:00:00Z",
        host: "runner-7",
        pid: 812,
        since: new Date("2026-11-21T08:00:00Z"),
      },
    ]);
    expect(readLocks("[409] Conflict: Another update is currently in progress.")).toEqual([]);
  });

  test("of another machine hold for as long as an update can take", () => {
    expect(isDead(lock!, now)).toBe(false);
    expect(isDead(lock!, new Date("2026-11-21T11:00:01Z"))).toBe(true);
  });

  test("of this machine hold while their process runs", () => {
    const here = { ...lock!, host: hostname() };
    expect(isDead({ ...here, pid: process.pid }, now)).toBe(false);
    const { pid } = spawnSync("true");
    expect(isDead({ ...here, pid }, now)).toBe(true);
  });
});

test.each([
  [`code: 255\n stdout: \n stderr: Command failed\nerror: no such thing\n`, "no such thing"],
  [`code: 1\n stdout: x\n stderr: error: passphrase must be set\n err?: Error: y`, "passphrase must be set"],
  ["something else\nand more", "something else"],
])("an error of the CLI is one line: %j", (message, line) => {
  expect(told(new Error(message))).toBe(line);
});

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
