import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { empty } from "../../../sandbox/hosts/mounts";

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "mounts-"));
  for (const path of ["stacks", "volumes/inner", "lost+found"])
    mkdirSync(join(state, path), { recursive: true });
  for (const path of ["token", "stacks/a.json", "volumes/disk.img", "volumes/inner/b"])
    writeFileSync(join(state, path), "");
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const left = (): string[] => (readdirSync(state, { recursive: true }) as string[]).sort();

test("the state directory stays, emptied", () => {
  empty(state, []);
  expect(left()).toEqual([]);
});

test("an operator's volume at the state directory keeps its lost+found", () => {
  empty(state, [state]);
  expect(left()).toEqual(["lost+found"]);
});

test("one below stays mounted and is emptied", () => {
  empty(state, [join(state, "volumes/inner")]);
  expect(left()).toEqual(["volumes", "volumes/inner"]);
});

test("a directory that is not there is none to empty", () => {
  expect(() => empty(join(state, "none"))).not.toThrow();
});

test("reset empties a volume mounted at the state directory, and leaves it mounted", () => {
  const script = `set -euo pipefail
    # Whatever runs in this machine's own sandbox is out of its sight.
    mount -t tmpfs none /run
    mount -t tmpfs none /sys/fs/cgroup
    mount -t tmpfs volume ${state}
    mkdir -p ${state}/stacks && echo x >${state}/stacks/a.json
    node --import tsx -e 'require("./sandbox/commands/reset").reset({}).then(() => console.log("reset"))'
    findmnt --noheadings --output SOURCE ${state}
    ls -A ${state}`;
  const { stdout, stderr, status } = spawnSync("unshare", ["--mount", "--net", "bash", "-c", script], {
    cwd: join(__dirname, "../../.."),
    encoding: "utf8",
    env: { ...process.env, BBB_SANDBOX_STATE: state },
    timeout: 60_000,
  });
  expect({ stdout, stderr, status }).toEqual({ stdout: "reset\nvolume\n", stderr: "", status: 0 });
}, 70_000);
