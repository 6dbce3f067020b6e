import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { FastifyInstance } from "fastify";

import { createHetznerApi, type HetznerApiOptions } from "../../../sandbox/hetzner";
import type { CloudRuntime } from "../../../sandbox/runtime";

export const token = "t".repeat(64);
export const publicKey =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGRvbnQtdXNlLXRoaXMta2V5LWl0LWlzLWEtdGVzdCEh a@b";

type Call = [method: string, ...args: unknown[]];

/** Records every call; a method can be made to fail or to wait. */
export class RecordingRuntime {
  readonly calls: Call[] = [];
  readonly #failures = new Map<string, Error>();
  readonly #gates = new Map<string, Promise<void>>();
  readonly #answers = new Map<string, unknown>();

  /** Runtime to hand out. */
  readonly runtime = new Proxy({} as CloudRuntime, {
    get:
      (_target, method: string) =>
      async (...args: unknown[]) => {
        this.calls.push([method, ...args]);
        await this.#gates.get(method);
        const failure = this.#failures.get(method);
        if (failure) throw failure;
        return this.#answers.get(method);
      },
  });

  /** Makes calls of the method resolve with a value. */
  answer(method: keyof CloudRuntime, value: unknown): void {
    this.#answers.set(method, value);
  }

  fail(method: keyof CloudRuntime, message: string): void {
    this.#failures.set(method, new Error(message));
  }

  heal(): void {
    this.#failures.clear();
  }

  /** Makes calls of the method wait until the returned function is called. */
  hold(method: keyof CloudRuntime): () => void {
    let release = (): void => undefined;
    this.#gates.set(method, new Promise((resolve) => (release = resolve)));
    return () => {
      this.#gates.delete(method);
      release();
    };
  }

  /** Arguments of all calls of a method. */
  of(method: keyof CloudRuntime): unknown[][] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }

  /** Arguments of the last call of a method. */
  last(method: keyof CloudRuntime): unknown[] | undefined {
    return this.of(method).at(-1);
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are looked at field by field
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly body: Json;
  readonly headers: Headers;
}

/** Emulated project in a directory of its own. */
export class Project {
  readonly recorder = new RecordingRuntime();
  readonly directory = mkdtempSync(join(tmpdir(), "hetzner-"));
  readonly stateFile = join(this.directory, "state.json");
  readonly requestLog = join(this.directory, "requests.jsonl");
  app: FastifyInstance;
  #url: Promise<string> | undefined;

  constructor(private readonly options: Partial<HetznerApiOptions> = {}) {
    this.app = this.#create();
  }

  #create(): FastifyInstance {
    const { stateFile, requestLog } = this;
    return createHetznerApi({
      stateFile,
      requestLog,
      token,
      runtime: this.recorder.runtime,
      ...this.options,
    });
  }

  /** Starts another process on the same state. */
  async restart(): Promise<void> {
    await this.app.close();
    this.app = this.#create();
    this.#url = undefined;
    await this.url();
  }

  async close(): Promise<void> {
    await this.app.close();
    rmSync(this.directory, { recursive: true });
  }

  /** Base of all addresses, once it listens on the loopback. */
  async url(): Promise<string> {
    this.#url ??= this.app.listen({ host: "127.0.0.1", port: 0 });
    return this.#url;
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${await this.url()}${path.startsWith("/_") ? path : `/v1${path}`}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        "user-agent": "harness",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers };
  }

  /** Calls, expects success, and waits as the provider does: all actions of the answer in one list request. */
  async done(method: string, path: string, body?: unknown): Promise<Json> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    const begun = [
      answer.body?.action,
      ...(answer.body?.next_actions ?? []),
      ...(answer.body?.actions ?? []),
    ];
    const ids = begun.filter(Boolean).map(({ id }: Json) => id as number);
    if (ids.length > 0) {
      for (const action of await this.wait(ids)) {
        if (action.status !== "success")
          throw new Error(`${action.command}: ${JSON.stringify(action.error)}`);
      }
    }
    return answer.body;
  }

  /** Polls until none of the actions runs; returns them in the order of the ids. */
  async wait(ids: readonly number[]): Promise<Json[]> {
    const query = ids.map((id) => `id=${id}`).join("&");
    for (;;) {
      const { body } = await this.call("GET", `/actions?${query}&page=1&sort=status&sort=id`);
      const found = body.actions as Json[];
      if (found.length !== ids.length) throw new Error(`actions not found: ${ids.join()}`);
      if (found.every(({ status }) => status !== "running")) {
        return ids.map((id) => found.find((action) => action.id === id)!);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  log(): Json[] {
    const lines = readFileSync(this.requestLog, "utf8").trim().split("\n");
    return lines.filter(Boolean).map((line) => JSON.parse(line));
  }
}

/** A project for each test of a file. */
export function useProject(options: Partial<HetznerApiOptions> = {}): () => Project {
  let project: Project | undefined;
  beforeEach(() => {
    project = new Project(options);
  });
  afterEach(() => project?.close());
  return () => {
    if (!project) throw new Error("no project outside a test");
    return project;
  };
}

/** Makes the smallest server that works. */
export async function makeServer(project: Project, more: object = {}): Promise<Json> {
  const order = { name: "min", server_type: "cx23", image: 161547269, location: "fsn1", ...more };
  const { server } = await project.done("POST", "/servers", order);
  return (await project.call("GET", `/servers/${server.id}`)).body.server;
}
