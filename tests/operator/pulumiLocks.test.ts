import { spawnSync } from "node:child_process";
import { hostname } from "node:os";

import { isDead, ownsItsName, readLocks } from "../../operator/pulumiLocks";

/** Message of the CLI 3.259, doubled by the Automation API. */
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
        description: "root@runner-7 (pid 812) since 2026-11-21T08:00:00Z",
        host: "runner-7",
        pid: 812,
        since: new Date("2026-11-21T08:00:00Z"),
      },
    ]);
    expect(readLocks("[409] Conflict: Another update is currently in progress.")).toEqual([]);
  });

  test("of another machine hold for as long as an update can take", () => {
    expect(isDead(lock!, now)).toBe(false);
    // When a job of docs/ci would have been ended.
    expect(isDead(lock!, new Date("2026-11-21T12:00:01Z"))).toBe(false);
    expect(isDead(lock!, new Date("2026-11-21T13:00:01Z"))).toBe(true);
  });

  describe("of this machine", () => {
    const here = { ...lock!, host: hostname() };
    const { pid: ended } = spawnSync("true");

    test("hold while their process runs", () => {
      expect(isDead({ ...here, pid: process.pid }, now, true)).toBe(false);
      expect(isDead({ ...here, pid: ended }, now, true)).toBe(true);
    });

    test("hold for as long as an update can take where others bear its name", () => {
      expect(isDead({ ...here, pid: ended }, now, false)).toBe(false);
      expect(isDead({ ...here, pid: ended }, new Date("2026-11-21T13:00:01Z"), false)).toBe(true);
    });
  });

  test.each([
    [{}, "/nowhere", true],
    [{ CI: "" }, "/nowhere", true],
    [{ CI: "false" }, "/nowhere", true],
    [{ CI: "true" }, "/nowhere", false],
    [{}, __filename, false],
  ])("a host with %j and the mark %s has a name of its own: %s", (environment, mark, own) => {
    expect(ownsItsName(environment, mark)).toBe(own);
  });
});
