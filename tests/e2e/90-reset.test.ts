import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

import { SANDBOX_STATE, SNAPSHOTS_DIR } from "../../sandbox/paths";
import { accountObjects } from "./support/account";
import { hetzner } from "./support/clouds";
import { until } from "./support/faults";
import { must, update } from "./support/sandbox";

/** Traces of the sandbox on this machine, outside of its own directory. */
function traces(): Record<string, string[]> {
  const lines = (text: string) =>
    text.split("\n").filter((line) => line.includes("bbb-sandbox") || /bbbsb-/.test(line));
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { encoding: "utf8" });
  return {
    mounts: lines(readFileSync("/proc/self/mountinfo", "utf8")),
    namespaces: lines(run("ip", "netns", "list")),
    links: lines(run("ip", "-o", "link")),
    loops: lines(run("losetup", "-l", "-n", "-O", "NAME,BACK-FILE")),
    processes: withoutTests(run("ps", "-eo", "pid=,ppid=,comm=,args=").split("\n"))
      // A search for such a process is none.
      .filter((line) => !/^ *\d+ +\d+ (ps|grep|pgrep|tail|less) /.test(line))
      .filter((line) => /bbbsb-|\/var\/(lib|cache)\/bbb-sandbox|sandbox\/(daemon|engine|services)/.test(line))
      .filter((line) => !/\/venv\/|\/bbb-sandbox\/(postgres|prometheus)\//.test(line)),
  };
}

/** Processes that no test has started: the unit tests, which may run beside this, have tools of their own in the same cache. */
function withoutTests(lines: readonly string[]): string[] {
  const numbers = (line: string) => line.trim().split(/ +/, 2) as [pid: string, parent: string];
  const processes = new Map(lines.map((line) => [numbers(line)[0], line]));
  const isOfTests = (line: string | undefined): boolean =>
    line !== undefined && (line.includes("jest") || isOfTests(processes.get(numbers(line)[1])));
  return lines.filter((line) => line !== "" && !isOfTests(line));
}

const none = { mounts: [], namespaces: [], links: [], loops: [], processes: [] };

test("reset leaves no process, mount, namespace or loop device", async () => {
  await update("up", "embedded", ["--set", "recordingsGb=10"]);
  await update("preview", "embedded", ["--cloud", "aws"]);
  const before = traces();
  expect(before.processes?.join("\n")).toContain("moto_server");
  for (const kind of ["mounts", "namespaces", "loops", "processes"]) {
    expect([kind, before[kind]?.length]).not.toEqual([kind, 0]);
  }
  expect(await must(["status"])).toContain("bbb.example.test");
  await must(["reset"]);
  expect(traces()).toEqual(none);
  expect(existsSync("/var/lib/bbb-sandbox/hosts")).toBe(false);
});

test("reset leaves nothing of images, and of a server that is parked", async () => {
  await update("up", "embedded", ["--set", "recordingsGb=10"]);
  const [turn] = (await accountObjects()).filter(({ name }) => name === "turn.example.test");
  const [made] = await hetzner(["POST", `/servers/${turn!.id}/actions/create_image`, { type: "snapshot" }]);
  expect(made!.status).toBe(201);
  await must(["operator", "park", "sandbox", "--yes", "--sandbox"]);
  // The image's disk, and that of the parked server.
  await until(() => readdirSync(SNAPSHOTS_DIR).length === 2, 60);
  await must(["reset"]);
  expect(traces()).toEqual(none);
  expect(existsSync(SANDBOX_STATE) ? readdirSync(SANDBOX_STATE) : []).toEqual([]);
});

test("reset of nothing is content", async () => {
  await must(["reset"]);
  expect(traces()).toEqual(none);
});
