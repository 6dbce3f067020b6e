import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const STANDIN = join(__dirname, "..", "..", "..", "sandbox", "bbb");

/** Path of a file of one of the stand-in's packages, in the sources. */
export const packaged = (name: string, path: string): string => join(STANDIN, "packages", name, "root", path);

/** Rows of one of the stand-in's tables. */
export function rows(table: string, separator: RegExp): string[][] {
  return readFileSync(join(STANDIN, table), "utf8")
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => line.trim().split(separator));
}

/** Builds the stand-in into a new directory. */
export function build(): string {
  const directory = join(mkdtempSync(join(tmpdir(), "stand-in-")), "out");
  const { status, stderr } = spawnSync(join(STANDIN, "build"), [directory], { encoding: "utf8" });
  if (status !== 0) throw new Error(`build: ${stderr}`);
  return directory;
}

/**
 * Directory in place of a host's root, for scripts with absolute paths. They run with these paths moved below it,
 * believing to be root, and with stand-ins for the commands that would touch the machine.
 */
export class FakeHost {
  readonly root = mkdtempSync(join(tmpdir(), "host-"));
  private readonly bin = join(this.root, "fake-bin");

  constructor() {
    mkdirSync(this.bin);
  }

  remove(): void {
    rmSync(this.root, { recursive: true });
  }

  path(absolute: string): string {
    return join(this.root, absolute);
  }

  read(absolute: string): string {
    return readFileSync(this.path(absolute), "utf8");
  }

  write(absolute: string, text: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(absolute)), { recursive: true });
    writeFileSync(this.path(absolute), text, { mode });
  }

  copy(source: string, absolute: string): void {
    mkdirSync(dirname(this.path(absolute)), { recursive: true });
    cpSync(source, this.path(absolute), { recursive: true });
  }

  /** Puts a command in front of the machine's own; `body` is bash. Each call is kept, see {@link calls}. */
  command(name: string, body: string): void {
    const note = `printf '%s\\n' "${name} $*" >>"${this.path("calls")}"`;
    writeFileSync(join(this.bin, name), `#!/bin/bash\n${note}\n${body}\n`, { mode: 0o755 });
  }

  calls(): string[] {
    try {
      return this.read("calls").trimEnd().split("\n");
    } catch {
      return [];
    }
  }

  run(
    script: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { status: number | null; stdout: string; stderr: string } {
    const file = this.path("script");
    writeFileSync(file, this.moved(readFileSync(script, "utf8")));
    return this.spawn("bash", file, args, env);
  }

  /** Runs a program that is served as a zip behind a head of bash, see {@link run}. */
  runZipped(
    served: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): { status: number | null; stdout: string; stderr: string } {
    const directory = this.path("program");
    rmSync(directory, { recursive: true, force: true });
    spawnSync("/usr/bin/python3", ["-m", "zipfile", "--extract", served, directory]);
    const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
    for (const entry of entries.filter((found) => found.isFile())) {
      const file = join(entry.parentPath, entry.name);
      writeFileSync(file, this.moved(readFileSync(file, "utf8")));
    }
    return this.spawn("/usr/bin/python3", directory, args, env);
  }

  private moved(text: string): string {
    return text
      .replaceAll(/(?<![\w.$}/:-])\/(etc|usr|var|opt|proc|sys|root|tmp|lib|local)\//g, `${this.root}/$1/`)
      .replaceAll("$EUID", "${FAKE_EUID:-0}")
      .replaceAll("os.geteuid()", "0");
  }

  private spawn(command: string, file: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    // What never ends is ended by timeout(1), with 124.
    return spawnSync("/usr/bin/timeout", [env.TEST_PATIENCE ?? "60", command, file, ...args], {
      encoding: "utf8",
      env: {
        PATH: `${this.bin}:${process.env.PATH}`,
        HOME: this.path("root"),
        LC_ALL: "C.UTF-8",
        PYTHONDONTWRITEBYTECODE: "1",
        ...env,
      },
    });
  }
}
