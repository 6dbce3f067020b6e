/**
 * The Hetzner Cloud API as the real provider calls it (terraform-provider-hcloud 1.68, hcloud-go 2.47): the same
 * requests, the same retries by error code, the same polling of actions. The operator's commands have a client of their
 * own, with their own patience and words: what both could share is a dozen lines around `fetch`.
 */
import { setTimeout as sleep } from "node:timers/promises";

import type { Context } from "../../driver";
import { duration } from "../../goal";

export interface Action {
  readonly id: number;
  readonly status: "running" | "success" | "error";
  readonly command: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** Error answer of the API; its code alone decides what happens next. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.code === "not_found";
}

const RETRIED = ["conflict", "rate_limit_exceeded", "timeout", "bad_gateway"];
const RETRIES = 5;
/** Codes of a connection that the other side closed, by undici and the system. */
const CLOSED = ["ECONNRESET", "UND_ERR_SOCKET"];
const DEFAULT_POLL_SECONDS = 0.5;
const LONGEST_WAIT_SECONDS = 60;

/** Exponential with full jitter, from 1 s: 1, 1–2, 1–4, 1–8, 1–16 s. */
function retryDelay(retry: number): number {
  return 1 + Math.random() * (Math.min(2 ** retry, LONGEST_WAIT_SECONDS) - 1);
}

export class Hcloud {
  private readonly endpoint: string;
  private readonly token: string;
  private readonly pollSeconds: (poll: number) => number;

  /** @param host Host of the API: that of Hetzner Cloud, or Hetzner's other one, which has the Storage Boxes. */
  constructor({ env, config }: Pick<Context, "env" | "config">, host: "cloud" | "hetzner" = "cloud") {
    const endpoint =
      host === "cloud"
        ? (config.endpoint ?? env.HCLOUD_ENDPOINT ?? "https://api.hetzner.cloud/v1")
        : (config.endpointHetzner ?? env.HETZNER_ENDPOINT ?? "https://api.hetzner.com/v1");
    this.endpoint = String(endpoint).replace(/\/+$/, "");
    this.token = String(config.token ?? env.HCLOUD_TOKEN ?? "");
    if (this.token === "") throw new Error("Missing Hetzner Cloud API token");
    if (this.token.length !== 64)
      throw new Error("entered token is invalid (must be exactly 64 characters long)");
    const interval = duration(String(config.pollInterval ?? "")) ?? DEFAULT_POLL_SECONDS;
    const constant = config.pollFunction === "constant";
    this.pollSeconds = (poll) => (constant ? interval : Math.min(interval * 2 ** poll, LONGEST_WAIT_SECONDS));
  }

  get<T>(path: string): Promise<T> {
    return this.request("GET", path);
  }

  /** Posts a request. Without `body` nothing is sent, as the provider does for actions without parameters. */
  post<T>(path: string, body?: object): Promise<T> {
    return this.request("POST", path, body);
  }

  put<T>(path: string, body: object): Promise<T> {
    return this.request("PUT", path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.request("DELETE", path);
  }

  /** Posts an action and waits for it. */
  async act(path: string, body?: object): Promise<void> {
    const { action, actions } = await this.post<{ action?: Action; actions?: Action[] }>(path, body);
    await this.wait(actions ?? (action === undefined ? [] : [action]));
  }

  /** Waits for the end of all actions. @throws for one that failed */
  async wait(actions: readonly (Action | null | undefined)[]): Promise<void> {
    let open = running(actions);
    for (let poll = 0; open.length > 0; poll++) {
      await sleep(this.pollSeconds(poll) * 1000);
      const ids = open.map(({ id }) => id);
      const query = ids.map((id) => `id=${id}`).join("&");
      const answer = await this.get<{ actions: Action[] }>(`/actions?${query}&page=1&sort=status&sort=id`);
      const missing = ids.filter((id) => !answer.actions.some((action) => action.id === id));
      if (missing.length > 0) throw new Error(`actions not found: [${missing.join(" ")}]`);
      open = running(answer.actions);
    }
  }

  private async request<T>(method: string, path: string, body?: object): Promise<T> {
    for (let retry = 0; ; retry++) {
      try {
        return await this.once<T>(method, path, body);
      } catch (error) {
        if (!(error instanceof ApiError) || !RETRIED.includes(error.code) || retry >= RETRIES) throw error;
        await sleep(retryDelay(retry) * 1000);
      }
    }
  }

  private async once<T>(method: string, path: string, body?: object): Promise<T> {
    const ask = () =>
      fetch(this.endpoint + path, {
        method,
        headers: {
          accept: "application/json",
          authorization: `Bearer ${this.token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    const response = await ask()
      .catch((error: Error) => {
        // As Go's net/http does with a kept connection that was closed before it was used again.
        if (method === "GET" && CLOSED.includes(codeOf(error))) return ask();
        throw error;
      })
      .catch((error: Error) => {
        const reason = (error.cause as Error | undefined)?.message ?? error.message;
        throw new Error(`${method} ${this.endpoint}${path}: ${reason}`, { cause: error });
      });
    const text = await response.text();
    if (response.ok) return (text === "" ? {} : JSON.parse(text)) as T;
    throw errorOf(response, text);
  }
}

function codeOf({ cause }: Error): string {
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
}

function running(actions: readonly (Action | null | undefined)[]): Action[] {
  const failed = actions.find((action) => action?.status === "error");
  if (failed) {
    throw new Error(
      `${failed.error?.message ?? failed.command} (${failed.error?.code ?? "unknown"}, ${failed.id})`,
    );
  }
  return actions.filter((action) => action?.status === "running") as Action[];
}

interface ErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly details?: {
      /** Fields of invalid_input, the only code with messages. */
      readonly fields?: readonly { readonly name: string; readonly messages?: readonly string[] }[];
    } | null;
  };
}

function errorOf(response: Response, text: string): ApiError {
  if (response.headers.get("content-type")?.startsWith("application/json") === true) {
    const { code, message, details } = (JSON.parse(text) as ErrorBody).error;
    const correlation = response.headers.get("x-correlation-id");
    const fields = (details?.fields ?? []).map(({ name, messages }) =>
      messages === undefined ? "" : ` ${name} => [${messages.join(" ")}]`,
    );
    return new ApiError(
      code,
      `${message} (${[code, correlation].filter(Boolean).join(", ")})${fields.join("")}`,
    );
  }
  const codes: Readonly<Record<number, string>> = { 404: "not_found", 502: "bad_gateway", 504: "timeout" };
  return new ApiError(codes[response.status] ?? "", `server responded with status code ${response.status}`);
}
