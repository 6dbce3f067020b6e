import { execFile } from "node:child_process";

/** Time limit of an administrative command. */
const TIMEOUT_MS = 60_000;

/** Error of a command that could not be started, failed or took too long; its message has the command's own words. */
class CommandError extends Error {
  constructor(
    command: string,
    readonly stderr: string,
    reason: string,
  ) {
    super(`${command}: ${stderr.trim() || reason}`);
  }
}

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a command to its end; resolves with its standard output. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { timeout: options.timeoutMs ?? TIMEOUT_MS, killSignal: "SIGKILL", maxBuffer: 256 * 1024 * 1024 },
      (error, stdout, stderr) => {
        if (error) reject(new CommandError([command, ...args].join(" "), stderr, error.message));
        else resolve(stdout);
      },
    );
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input ?? "");
  });
}

/** Runs a command like {@link run}; resolves to undefined after a failure. */
export async function tryRun(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string | undefined> {
  return run(command, args, options).catch(() => undefined);
}

/** Command line that runs a command in a network namespace, with the machine's own mounts. */
export function inNamespace(namespace: string, command: readonly string[]): string[] {
  return ["nsenter", `--net=/run/netns/${namespace}`, "--", ...command];
}

/** Runs a command in a network namespace. */
export function runIn(
  namespace: string,
  command: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const [program, ...args] = inNamespace(namespace, command);
  return run(program!, args, options);
}
