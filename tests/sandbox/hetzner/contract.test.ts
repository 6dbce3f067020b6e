/** The official Python client talks to the emulator over the loopback; contract.py has the calls. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { SANDBOX_CACHE } from "../../../sandbox/paths";
import { token, useProject } from "./harness";

const project = useProject();
const python = join(SANDBOX_CACHE, "venv", "bin", "python");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runPython(args: readonly string[], input: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, { timeout: 120_000 });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.end(input);
  });
}

test("the official client creates, lists, updates and deletes every resource", async () => {
  const remedy = "run scripts/test (or scripts/lib/setup.sh), which installs tests/requirements.txt there";
  if (!existsSync(python)) throw new Error(`${python} is missing: ${remedy}`);
  const client = await runPython(["-c", "import hcloud"], "");
  if (client.code !== 0)
    throw new Error(`${python} can't import hcloud (${client.stderr.trim()}): ${remedy}`);

  project().recorder.answer("createSnapshot", 2 * 1024 ** 3);
  const endpoint = `${await project().url()}/v1`;
  const result = await runPython([join(__dirname, "contract.py"), endpoint], `${token}\n`);
  expect(result).toEqual({
    code: 0,
    stdout:
      "catalogue\nssh_keys\nplacement_groups\nprimary_ips\nvolumes\nfirewalls\nservers\nimages\nzones\n",
    stderr: "",
  });
  expect(
    project()
      .log()
      .filter(({ note }) => note !== undefined),
  ).toEqual([]);
  expect(project().recorder.of("createServer")).toHaveLength(3);
}, 150_000);
