/** The Pulumi CLI for cases in which its Automation API would show secrets: in a command line, or in an export. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { Mistake } from "../cli/mistake";
import { stepFailure } from "./stepFailure";

/** Program, folder and variables of the CLI. */
export interface CliPlace {
  /** Name or path of the program: "pulumi". */
  readonly command: string;
  readonly workDir: string;
  /** Variables in addition to this process's own. */
  readonly envVars: Readonly<Record<string, string>>;
}

/**
 * Runs the CLI.
 * @param args Arguments without secrets: every user of the machine can read them.
 * @param input Text for its standard input.
 * @returns its standard output
 * @throws Mistake with the CLI's own reason
 */
export async function runCli(place: CliPlace, args: readonly string[], input = ""): Promise<string> {
  const running = promisify(execFile)(place.command, [...args, "--non-interactive"], {
    cwd: place.workDir,
    env: { ...process.env, ...place.envVars },
    maxBuffer: 256 * 1024 * 1024,
  });
  // One that ends without reading says why by its exit code.
  running.child.stdin!.on("error", () => undefined).end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    throw new Mistake(cliReason(error as Error), { cause: error });
  }
}

/** Error in one line of the CLI's own words; for an update, the errors of all resources. */
export function cliReason(error: Error): string {
  const reasons = diagnosed(error.message);
  if (reasons.length > 0) return reasons.join("; ");
  const lines = error.message.split("\n").map((line) => line.replace(/^\s*stderr:\s*/, "").trim());
  const found = lines.filter((line) => line.startsWith("error: ")).at(-1);
  return found?.slice("error: ".length) ?? lines.find((line) => line !== "") ?? "the pulumi CLI failed";
}

/** Pattern of errors that only say that something failed; the others say more. */
const GENERAL = /^(update|preview|destroy|refresh) failed$|^resource .* failed to register/;

/** Errors under "Diagnostics:", each with its resource's name: `bbb-host-server: server with ID … not found`. */
function diagnosed(text: string): string[] {
  const [, ...parts] = text.split(/^ *(?:stdout: )?Diagnostics:$/m);
  const reasons: string[] = [];
  let name = "";
  let lines: string[] = [];
  const end = () => {
    const reason = stepFailure(lines).join(" ");
    if (reason !== "" && !GENERAL.test(reason)) reasons.push(`${name}: ${innermost(reason)}`);
    lines = [];
  };
  for (const line of parts.join("\n").split("\n")) {
    const header = /^ {2}\S+ \((.+)\):$/.exec(line);
    const message = /^ {4}(error|warning): +(.*)$/.exec(line);
    if (header !== null || message !== null || line.trim() === "" || !line.startsWith("    ")) end();
    if (header !== null) name = header[1]!;
    else if (message?.[1] === "error") lines = [message[2]!];
    else if (lines.length > 0) lines.push(line.trim());
  }
  end();
  return [...new Set(reasons)];
}

/**
 * Reason inside the provider's "deleting urn:…: 1 error occurred: * REASON" and "sdk.helper_schema: REASON:
 * provider=…".
 */
function innermost(reason: string): string {
  return reason
    .replace(/^.*sdk\.helper_schema: (.*?)(: provider=\S+)?$/, "$1")
    .replace(/^(?:creating|updating|deleting|refreshing|reading) urn:\S+ *\d+ errors? occurred: \* /, "")
    .trim();
}
