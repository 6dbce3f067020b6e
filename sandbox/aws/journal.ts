import { createHash } from "node:crypto";
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { AwsError, type Answer } from "./errors";
import type { Moto, Wire } from "./moto";

/** Line of the journal: a request to moto, followed by its outcome. */
type Line =
  { readonly number: number; readonly request: Wire } | { readonly number: number; readonly outcome: string };

/**
 * Requests to moto, on disk. moto keeps all in memory, so a new server is told everything again. Before each request
 * that may change something it gets a seed, so it makes up the same ids each time. Only the owner can read the file: it
 * holds user data.
 */
export class Journal {
  #turn: Promise<unknown> = Promise.resolve();
  #last = 0;

  private constructor(
    private readonly file: string,
    private readonly moto: Moto,
  ) {}

  /** Brings moto to the state at the last write of the file. `setUp` makes requests that come before any other. */
  static async open(file: string, moto: Moto, setUp: (journal: Journal) => Promise<void>): Promise<Journal> {
    const journal = new Journal(file, moto);
    mkdirSync(dirname(file), { recursive: true });
    if (existsSync(file)) await journal.#replay();
    else {
      // Whole or not at all: a file that is cut short would leave out what the later ids depend on.
      const fresh = new Journal(`${file}.new`, moto);
      writeFileSync(fresh.file, "", { mode: 0o600 });
      await setUp(fresh);
      renameSync(fresh.file, file);
      journal.#last = fresh.#last;
    }
    return journal;
  }

  /** Sends a request that changes nothing. */
  read(wire: Wire): Promise<Answer> {
    return this.#inTurn(() => this.moto.send(wire));
  }

  /** Sends a request that may change something. */
  change(wire: Wire): Promise<Answer> {
    return this.#inTurn(async () => {
      const number = ++this.#last;
      const { service, method, path, contentType, body } = wire;
      this.#append({ number, request: { service, method, path, contentType, body } });
      const answer = await this.#ask(number, wire);
      this.#append({ number, outcome: fingerprint(answer) });
      return answer;
    });
  }

  async #ask(number: number, wire: Wire): Promise<Answer> {
    await this.moto.seed(number);
    return this.moto.send(wire);
  }

  async #replay(): Promise<void> {
    const outcomes = new Map<number, string>();
    for (const line of readLines(this.file)) {
      this.#last = Math.max(this.#last, line.number);
      if ("request" in line)
        outcomes.set(line.number, fingerprint(await this.#ask(line.number, line.request)));
      else if (outcomes.get(line.number) !== line.outcome) {
        throw new Error(
          `the sandbox's AWS can't be brought back: request ${line.number} in ${this.file} came out differently; ` +
            "run ./scripts/sandbox reset and deploy again",
        );
      }
    }
  }

  #append(line: Line): void {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }

  /** Runs one request at a time, or a reader would use up what the seed holds for the writer. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(task);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function readLines(file: string): Line[] {
  const lines = readFileSync(file, "utf8").split("\n");
  // The last line of a process that was killed while it wrote was no request that moto had seen.
  const whole = lines.at(-1) === "" ? lines : lines.slice(0, -1);
  const cut = lines.at(-1) !== "";
  if (cut) writeFileSync(file, `${whole.join("\n")}\n`, { mode: 0o600 });
  return whole.filter(Boolean).map((line) => JSON.parse(line) as Line);
}

/** Parts of an answer that have to be the same each time: success, and the ids. */
function fingerprint({ status, body }: Answer): string {
  const ids = body.match(/\b[a-z]+(-[a-z]+)?-[0-9a-f]{8,17}\b|\/hostedzone\/\w+/g) ?? [];
  const text = [...new Set(ids)].sort().join();
  return `${status} ${createHash("sha256").update(text).digest("hex").slice(0, 12)}`;
}

/** Returns the answer. @throws Error with moto's text for an error that no client could read */
export function insist(answer: Answer, what: string): Answer {
  if (answer.status < 500) return answer;
  throw new AwsError("UnsupportedOperation", `moto can't do ${what} (HTTP ${answer.status})`);
}
