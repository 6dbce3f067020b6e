/** What a replacement has to know again when it goes on, beside what the cloud's objects tell. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Settings by their keys; null for one that was not set. */
export type Former = Readonly<Record<string, string | null>>;

export interface Journal {
  /** Id of the server that is replaced. */
  readonly server: string;
  /** Settings of the new one. */
  readonly set: Readonly<Record<string, string>>;
  /** Values of the same settings before. */
  readonly former: Former;
  /** Snapshot of the old server's disk, once it is there. */
  readonly snapshot?: string;
  /** Direction; a way back that was begun is finished before anything else. */
  readonly direction: "forward" | "back";
  /** True when the new server has everything. */
  readonly done: boolean;
}

/** Files of a stack's replacement in a folder of their own, for the operator alone: the state has secrets. */
export interface Records {
  read(): Journal | undefined;
  write(journal: Journal): void;
  state(): string | undefined;
  writeState(text: string): void;
  removeState(): void;
  /** Forgets all of it. */
  remove(): void;
}

export function recordsIn(folder: string): Records {
  const journal = join(folder, "journal.json");
  const state = join(folder, "state");
  const write = (file: string, text: string) => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode: 0o600 });
  };
  const readIf = (file: string) => (existsSync(file) ? readFileSync(file, "utf8") : undefined);
  return {
    read() {
      const text = readIf(journal);
      return text === undefined ? undefined : (JSON.parse(text) as Journal);
    },
    write: (one) => write(journal, `${JSON.stringify(one, undefined, 2)}\n`),
    state: () => readIf(state),
    writeState: (text) => write(state, text),
    removeState: () => rmSync(state, { force: true }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
