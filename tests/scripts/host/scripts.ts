import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const SCRIPTS = join(__dirname, "..", "..", "..", "scripts", "host");

/** Result of a command. */
export interface Done {
  readonly code: number | null;
  /** Standard output and error together, in the order of the operator's terminal and of the log. */
  readonly output: string;
}

/**
 * Directory that the scripts take for a host's root, and commands of the test's own in front of the machine's: no
 * script changes anything outside. Each fake command records its arguments, a line a call.
 */
export class FakeHost {
  readonly directory = mkdtempSync(join(tmpdir(), "bbb-host-"));
  readonly root = join(this.directory, "root");
  private readonly bin = join(this.directory, "bin");
  private readonly calls = join(this.directory, "calls");

  constructor() {
    for (const path of [this.bin, this.root, join(this.root, "etc")]) mkdirSync(path, { recursive: true });
    writeFileSync(this.calls, "");
  }

  /** Puts a file below the root. */
  put(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  /** Makes a command of this name, in bash; it records its arguments first. */
  fake(name: string, script = "exit 0"): void {
    const note = `printf '%s\\n' "${name} $*" >>"${this.calls}"`;
    writeFileSync(join(this.bin, name), `#!/bin/bash\n${note}\n${script}\n`);
    chmodSync(join(this.bin, name), 0o755);
  }

  /** Calls of fake commands so far, those of one command if named. */
  called(name?: string): string[] {
    const lines = readFileSync(this.calls, "utf8").split("\n").filter(Boolean);
    return name ? lines.filter((line) => line.startsWith(`${name} `)) : lines;
  }

  forgetCalls(): void {
    writeFileSync(this.calls, "");
  }

  get env(): NodeJS.ProcessEnv {
    return {
      PATH: `${this.bin}:/usr/sbin:/usr/bin:/sbin:/bin`,
      HOME: this.directory,
      TMPDIR: this.directory,
      BBB_DEPLOY_ROOT: this.root,
      BBB_DEPLOY_PAUSE: "0",
    };
  }

  start(command: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    return spawn(command[0]!, command.slice(1), { env: { ...this.env, ...env } });
  }

  /** Runs a script of scripts/host, with its flags and standard input. */
  script(name: string, flags: readonly string[], input = "", env: NodeJS.ProcessEnv = {}): Promise<Done> {
    return done(this.start(["bash", join(SCRIPTS, name), ...flags], env), input);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Waits for a process to end. */
export function done(child: ChildProcess, input = ""): Promise<Done> {
  let output = "";
  child.stdout?.on("data", (data) => (output += data));
  child.stderr?.on("data", (data) => (output += data));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Runs the machine's own command. */
export function run(command: readonly string[], input = ""): Promise<Done> {
  return done(spawn(command[0]!, command.slice(1)), input);
}
