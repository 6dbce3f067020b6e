import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Line of the log. Bodies are never logged: they hold user data. */
export interface LoggedRequest {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  /** HTTP status; 0 for a connection closed without an answer. */
  readonly status: number;
  readonly userAgent: string;
  readonly mutating: boolean;
  /** Remark, e.g. "not emulated". */
  readonly note?: string;
}

/** Counters of all requests in the log. */
export interface RequestCounters {
  total: number;
  mutating: number;
  failed: number;
  notEmulated: number;
}

export const notEmulated = "not emulated";

/** Log of requests: one JSON object a line, appended as they are answered. Only the owner can read the file. */
export class RequestLog {
  readonly counters: RequestCounters = { total: 0, mutating: 0, failed: 0, notEmulated: 0 };

  constructor(private readonly file: string) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, "", { flag: "a", mode: 0o600 });
    chmodSync(file, 0o600);
    for (const line of readFileSync(file, "utf8").split("\n")) this.#recount(line);
  }

  request(entry: LoggedRequest): void {
    this.#count(entry);
    this.#append(entry);
  }

  #recount(line: string): void {
    if (!line.includes('"method"')) return;
    try {
      this.#count(JSON.parse(line) as LoggedRequest);
    } catch {
      // The last line of a process that was killed while it wrote.
    }
  }

  #count(entry: LoggedRequest): void {
    this.counters.total += 1;
    if (entry.mutating) this.counters.mutating += 1;
    if (entry.status === 0 || entry.status >= 400) this.counters.failed += 1;
    if (entry.note === notEmulated) this.counters.notEmulated += 1;
  }

  /** Logs something that is no request: an action that failed, an unexpected exception. */
  event(event: string, details: Record<string, unknown>): void {
    this.#append({ at: new Date().toISOString(), event, ...details });
  }

  #append(entry: object): void {
    appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
  }
}

/** True for a request that can change something. */
export function isMutating(method: string): boolean {
  return !["GET", "HEAD", "OPTIONS"].includes(method);
}
