import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";

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
    processes: run("ps", "-eo", "pid=,comm=,args=")
      .split("\n")
      // A search for such a process is none.
      .filter((line) => !/^ *\d+ (ps|grep|pgrep|tail|less) /.test(line))
      .filter((line) => /bbbsb-|\/var\/(lib|cache)\/bbb-sandbox|sandbox\/(daemon|engine|services)/.test(line))
      .filter((line) => !/jest|\/venv\//.test(line)),
  };
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

test("reset of nothing is content", async () => {
  await must(["reset"]);
  expect(traces()).toEqual(none);
});
