import { python } from "./checks";
import { FakeHost } from "./scripts";

/** Workers of recordings, as processes that tell in their command lines what they do. */

let host: FakeHost;
beforeEach(() => (host = new FakeHost()));
afterEach(() => host.remove());

const show = (state: string, restart = "always", pid = 10) =>
  host.fake(
    "systemctl",
    `[[ $1 != show ]] || printf 'ActiveState=${state}\\nMainPID=${pid}\\nRestart=${restart}\\n'`,
  );
const process = (pid: number, parent: number, line: string) => {
  host.put(`proc/${pid}/stat`, `${pid} (a ) b) S ${parent} 0 0`);
  host.put(`proc/${pid}/cmdline`, line.replaceAll(" ", "\0"));
};
/** Workers below the unit's first process, and what is no concern of it. */
const tree = (...lines: string[]) => {
  process(10, 1, "/bin/sh -c rake resque:workers");
  process(11, 10, "rake resque:workers");
  lines.forEach((line, i) => process(20 + i, line.includes(" Processing ") ? 19 + i : 11, line));
  process(90, 1, "resque-2.6.0: Waiting for mail");
};

/** What the program does, and to whom. */
async function drained(): Promise<string[]> {
  const text = await python(
    host,
    `import os, recording_workers
os.kill = lambda pid, name: print(f"{name.name} {pid}")
print(recording_workers.drain(${JSON.stringify(`${host.root}/proc`)}))`,
  );
  return [...text.trim().split("\n"), ...host.called("systemctl").filter((call) => !call.includes(" show "))];
}

test("workers are asked to end when they have finished, whoever waits and whoever is at work", async () => {
  show("active");
  tree(
    "resque-2.6.0: Waiting for rap:archive",
    "resque-2.6.0: Forked 22 at 1",
    "resque-2.6.0: Processing rap:process since 1",
  );
  expect(await drained()).toEqual([
    "SIGQUIT 20",
    "SIGQUIT 21",
    "bbb-rap-resque-worker begins anew when it has finished 1 at work",
  ]);
});

test("of workers that only wait, nothing is at work", async () => {
  show("active");
  tree("resque-2.6.0: Waiting for rap:archive");
  expect((await drained()).at(-1)).toBe("bbb-rap-resque-worker begins anew");
});

test("a unit that is stopped, or that starts only, is restarted", async () => {
  show("inactive", "always", 0);
  tree();
  expect(await drained()).toEqual([
    "bbb-rap-resque-worker restarted",
    "systemctl restart bbb-rap-resque-worker",
  ]);
});

test("where systemd would not start it again, one at work is left alone, and one that waits is restarted", async () => {
  show("active", "no");
  tree("resque-2.6.0: Forked 21 at 1", "resque-2.6.0: Processing rap:process since 1");
  expect(await drained()).toEqual([expect.stringMatching(/^1 at work, .*: left as it is/)]);
  tree("resque-2.6.0: Waiting for rap:archive", "rake");
  host.forgetCalls();
  expect(await drained()).toContain("systemctl restart bbb-rap-resque-worker");
});
