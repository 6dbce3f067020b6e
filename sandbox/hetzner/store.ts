import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { emptyState, type State } from "./model";

/**
 * The project on disk: one JSON file of mode 0600 (user data holds an SSH host key). Each change replaces it whole, so
 * a killed process leaves the state before or after a change, never between.
 */
export class Store {
  #state: State;
  #saved: string;

  constructor(private readonly file: string) {
    this.#saved = readOrUndefined(file) ?? JSON.stringify(emptyState());
    this.#state = parse(file, this.#saved);
  }

  /** State to read. Don't keep parts of it across an await: ids stay valid, objects may not. */
  get state(): State {
    return this.#state;
  }

  /** Runs `edit` on the state and saves it; when `edit` throws, the state stays unchanged. */
  change<T>(edit: (state: State) => T): T {
    try {
      const result = edit(this.#state);
      const text = JSON.stringify(this.#state);
      writeAtomically(this.file, text);
      this.#saved = text;
      return result;
    } catch (error) {
      this.#state = parse(this.file, this.#saved);
      throw error;
    }
  }
}

/** Takes the next free id; call inside `Store.change`. */
export function takeId(state: State): number {
  return state.nextId++;
}

/** Removes an object from a collection. */
export function remove(objects: Record<string, unknown>, key: string | number): void {
  Reflect.deleteProperty(objects, key);
}

function readOrUndefined(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function parse(file: string, text: string): State {
  const remedy = `remove it with "scripts/sandbox reset" and deploy again`;
  let state: State;
  try {
    // A kind of object that the process before did not know has none.
    state = { ...emptyState(), ...(JSON.parse(text) as State) };
  } catch (error) {
    throw new Error(`${file} is not the state of an emulated project (${String(error)}): ${remedy}`, {
      cause: error,
    });
  }
  if (state.version !== 1)
    throw new Error(`${file} has state version ${String(state.version)}, not 1: ${remedy}`);
  return state;
}

function writeAtomically(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.new`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, file);
}
