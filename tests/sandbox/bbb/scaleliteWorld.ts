import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttp, request, type IncomingMessage, type Server } from "node:http";
import { createServer, type AddressInfo, type Server as TcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "../../support/freePort";

import { packaged } from "./standin";

const PROGRAM = packaged("docker.io", "usr/lib/docker-standin/scalelite.py");

/** Address of a Scalelite, its secret, and the way to its tasks. */
export interface Scalelite {
  readonly url: string;
  readonly secret: string;
  /** Secrets that it takes beside that one. */
  readonly others: readonly string[];
  /** Directory of its recordings, with spool, publish and unpublish in it. */
  readonly recordings: string;
  /** Runs a task of rake. */
  rake(task: string, input?: string): Promise<{ readonly status: number | null; readonly stdout: string }>;
  stop(): Promise<void>;
}

/** Scalelite of the environment, for a person who has a real one; undefined without. */
export function realScalelite(): Scalelite | undefined {
  const { BBB_SCALELITE_URL: url, BBB_SCALELITE_SECRET: secret, BBB_SCALELITE_RAKE: command } = process.env;
  const others = process.env.BBB_SCALELITE_SECRETS?.split(":");
  const recordings = process.env.BBB_SCALELITE_RECORDINGS;
  if (!url || !secret || !command || !others || !recordings) return undefined;
  const [program = "", ...args] = command.split(" ");
  return {
    ...{ url, secret, others, recordings },
    rake: (task, input = "") => run(program, [...args, task], process.env, input),
    stop: () => Promise.resolve(),
  };
}

/** Address of this machine for the Scalelite that asks the test's servers. */
const NODES_HOST = process.env.BBB_SCALELITE_NODES_HOST ?? "127.0.0.1";

/** The stand-in, with a Redis and a psql of the test's own. */
export async function standIn(): Promise<Scalelite & { readonly redis: FakeRedis }> {
  const redis = new FakeRedis();
  await redis.listen();
  const folder = mkdtempSync(join(tmpdir(), "scalelite-"));
  fakePsql(folder);
  const recordings = join(folder, "recordings");
  const port = await freePort();
  const [secret, others] = ["front-ends", ["former", "older"]] as const;
  const env = {
    PATH: `${folder}:${process.env.PATH}`,
    LC_ALL: "C.UTF-8",
    PYTHONDONTWRITEBYTECODE: "1",
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    DATABASE_URL: "postgresql://u:p@127.0.0.1/d",
    LOADBALANCER_SECRET: secret,
    LOADBALANCER_SECRETS: others.join(":"),
    BIND: `tcp://127.0.0.1:${port}`,
    CONNECT_TIMEOUT: "1",
    POLLER_WAIT_TIMEOUT: "1",
    ...Object.fromEntries(
      ["spool", "work", "publish", "unpublish"].map((name) => [
        `RECORDING_${name.toUpperCase()}_DIR`,
        join(recordings, name),
      ]),
    ),
    RECORDING_IMPORT_POLL_INTERVAL: "1",
  };
  await run("/usr/bin/python3", ["-I", PROGRAM, "rake", "db:migrate"], env, "");
  const importer = spawn("/usr/bin/python3", ["-I", PROGRAM, "recording-importer"], { env, stdio: "ignore" });
  const api = spawn("/usr/bin/python3", ["-I", PROGRAM, "api"], { env, stdio: "ignore" });
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/health_check`, api);
  return {
    ...{ url, secret, others, redis, recordings },
    rake: (task, input = "") => run("/usr/bin/python3", ["-I", PROGRAM, "rake", task], env, input),
    async stop() {
      redis.close();
      await Promise.all(
        [api, importer]
          .filter(({ exitCode }) => exitCode === null)
          .map((one) => {
            one.kill();
            return new Promise((resolve) => one.once("exit", resolve));
          }),
      );
      rmSync(folder, { recursive: true });
    },
  };
}

/** psql of the test's own in a folder: SQLite, which takes the same statements. */
function fakePsql(folder: string): void {
  writeFileSync(
    join(folder, "psql"),
    `#!/usr/bin/python3
import sqlite3, sys
base = sqlite3.connect("${join(folder, "rows")}", timeout=10)
for row in base.execute(sys.argv[sys.argv.index("-c") + 1]):
    print(*row, sep="|")
base.commit()
`,
    { mode: 0o755 },
  );
}

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv, input: string) {
  const child = spawn(program, args, { env, stdio: ["pipe", "pipe", "inherit"] });
  let stdout = "";
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 300; i++) {
    if (child.exitCode !== null) throw new Error(`the stand-in ended with ${child.exitCode}`);
    if (
      await get(url).then(
        ({ status }) => status === 200,
        () => false,
      )
    )
      return;
    await sleep(100);
  }
  throw new Error(`${url} does not answer`);
}

/** Page of a URL, without following it. */
export function get(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; location?: string; accel?: string; text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (answer) => {
      let text = "";
      answer.on("data", (part: Buffer) => (text += part.toString()));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          location: answer.headers.location,
          accel: answer.headers["x-accel-redirect"] as string | undefined,
          text,
        }),
      );
    })
      .on("error", reject)
      .end();
  });
}

/** Redis as far as hashes go. */
export class FakeRedis {
  readonly hashes = new Map<string, Map<string, string>>();
  readonly #server: TcpServer = createServer((socket) => this.#serve(socket));

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }

  #serve(socket: Socket): void {
    let pending = "";
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      pending += data.toString("latin1");
      const words = parseWords(pending);
      if (!words) return;
      pending = "";
      socket.write(this.#answer(words), "latin1");
    });
  }

  #answer([name, key = "", field = "", value = ""]: readonly string[]): string {
    const hash = this.hashes.get(key) ?? new Map<string, string>();
    this.hashes.set(key, hash);
    switch (name) {
      case "HGETALL":
        return `*${hash.size * 2}\r\n${[...hash].flat().map(bulk).join("")}`;
      case "HGET":
        return hash.has(field) ? bulk(hash.get(field)!) : "$-1\r\n";
      case "HSET":
        hash.set(field, value);
        return ":1\r\n";
      case "HINCRBY":
        hash.set(field, String(Number(hash.get(field) ?? 0) + Number(value)));
        return `:${hash.get(field)}\r\n`;
      case "HDEL":
        hash.delete(field);
        return ":1\r\n";
      default:
        return "+PONG\r\n";
    }
  }
}

function bulk(text: string): string {
  return `$${text.length}\r\n${text}\r\n`;
}

function parseWords(text: string): string[] | undefined {
  const count = /^\*(\d+)\r\n/.exec(text);
  if (!count) return undefined;
  const words: string[] = [];
  let rest = text.slice(count[0].length);
  for (let i = 0; i < Number(count[1]); i++) {
    const length = /^\$(\d+)\r\n/.exec(rest);
    if (!length || rest.length < length[0].length + Number(length[1]) + 2) return undefined;
    words.push(rest.slice(length[0].length, length[0].length + Number(length[1])));
    rest = rest.slice(length[0].length + Number(length[1]) + 2);
  }
  return words;
}

interface FakeMeeting {
  readonly people: number;
  readonly breakout: boolean;
  readonly created: number;
  /** Moderators' password. */
  readonly password?: string;
}

/** BigBlueButton server of the test's own: it has meetings, and may be silent. */
export class FakeNode {
  readonly meetings = new Map<string, FakeMeeting>();
  readonly secret: string;
  silent = false;
  /** Takes calls and answers none, like one whose packets are dropped. */
  hangs = false;
  /** Answers all calls but getMeetings, like one that is slow. */
  deaf = false;
  /** Refuses to end meetings, as BigBlueButton does in some cases. */
  keepsMeetings = false;
  readonly calls: string[] = [];
  readonly #server: Server = createHttp((asked, answer) => {
    if (this.silent || (this.deaf && asked.url?.includes("getMeetings"))) return void asked.socket.destroy();
    if (this.hangs) return;
    answer.end(`<response>${this.#answer(asked)}</response>`);
  });

  constructor(name: string) {
    this.secret = `secret-of-${name}`;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, NODES_HOST, resolve));
  }

  get api(): string {
    return `http://${NODES_HOST}:${(this.#server.address() as AddressInfo).port}/bigbluebutton/api`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  hold(id: string, more: Partial<FakeMeeting> = {}): void {
    this.meetings.set(id, { people: 0, breakout: false, created: Date.now(), ...more });
  }

  #answer({ url = "" }: IncomingMessage): string {
    const [path = "", query = ""] = url.split("?", 2);
    const call = path.split("/").pop() ?? "";
    this.calls.push(call);
    const unsigned = query.replace(/&?checksum=[0-9a-f]+/, "");
    const [, given] = /checksum=([0-9a-f]+)/.exec(query) ?? [];
    const wanted = createHash("sha256").update(`${call}${unsigned}${this.secret}`).digest("hex");
    if (given !== wanted) return "<returncode>FAILED</returncode><messageKey>checksumError</messageKey>";
    const id = new URLSearchParams(unsigned).get("meetingID") ?? "";
    if (call === "create") {
      const again = this.meetings.has(id);
      const password = new URLSearchParams(unsigned).get("moderatorPW") ?? undefined;
      if (!again) this.hold(id, { password });
      return `<returncode>SUCCESS</returncode><meetingID>${id}</meetingID>${again ? "<messageKey>duplicateWarning</messageKey>" : ""}`;
    }
    if (call === "end") {
      const { password } = this.meetings.get(id) ?? {};
      const right = password === undefined || password === new URLSearchParams(unsigned).get("password");
      if (this.keepsMeetings || !right)
        return "<returncode>FAILED</returncode><messageKey>invalidPassword</messageKey>";
      this.meetings.delete(id);
      return "<returncode>SUCCESS</returncode><messageKey>sentEndMeetingRequest</messageKey>";
    }
    const all = [...this.meetings].map(
      ([name, { people, breakout, created }]) =>
        `<meeting><meetingID>${name}</meetingID><createTime>${created}</createTime><participantCount>${people}</participantCount><isBreakout>${breakout}</isBreakout></meeting>`,
    );
    return `<returncode>SUCCESS</returncode><meetings>${all.join("")}</meetings><running>${this.meetings.has(id)}</running>`;
  }
}
