import { SCRIPTS, done, type FakeHost } from "./scripts";

/** Record of a check, as host_check.py prints it. */
export interface Record {
  readonly name: string;
  readonly asked: string;
  readonly verdict: "ok" | "warn" | "FAIL" | "skip";
  readonly answer: string;
  readonly seconds: number;
  readonly remedy?: string;
}

const CALL = `
import json, sys
sys.path.insert(0, ${JSON.stringify(SCRIPTS)})
from checks import Page
module, name, *arguments = json.loads(sys.stdin.readline())
Page(True).check("check", "asked", getattr(__import__(module), name), *arguments, limit=20)
`;

/** Record of one check function of scripts/host, called with plain arguments on a fake host. */
export async function check(
  host: FakeHost,
  module: string,
  name: string,
  ...args: unknown[]
): Promise<Record> {
  const { output } = await done(
    host.start(["/usr/bin/python3", "-B", "-c", CALL]),
    `${JSON.stringify([module, name, ...args])}\n`,
  );
  return parse(output);
}

/** Output of a piece of Python, which can import the modules of scripts/host. */
export async function python(host: FakeHost, code: string): Promise<string> {
  const head = `import json, sys\nsys.path.insert(0, ${JSON.stringify(SCRIPTS)})\n`;
  return (await done(host.start(["/usr/bin/python3", "-B", "-c", head + code]))).output;
}

function parse(output: string): Record {
  try {
    return JSON.parse(output) as Record;
  } catch {
    throw new Error(`no record: ${output}`);
  }
}
