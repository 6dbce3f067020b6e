/** Part of the Hetzner Cloud API that the operator's commands need (https://docs.hetzner.cloud/reference/cloud). */
import { setTimeout as sleep } from "node:timers/promises";

import { Failure, Mistake } from "../../cli/mistake";
import { endpoints } from "../../clouds/hetzner/endpoints";
import { reasonOf } from "../check/finding";

/** Error answer of the API. */
class HetznerError extends Failure {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Action {
  readonly id: number;
  readonly status: "running" | "success" | "error";
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Page {
  readonly meta?: { readonly pagination?: { readonly next_page: number | null } };
}

/** Endpoint and token. */
export interface HetznerAccess {
  readonly token: string;
  /** @default "https://api.hetzner.cloud/v1" */
  readonly endpoint?: string;
  /** Endpoint of Hetzner's other API. @default "https://api.hetzner.com/v1" */
  readonly boxEndpoint?: string;
}

/** Paths of the APIs' actions. */
const ACTIONS = { cloud: "/actions", boxes: "/storage_boxes/actions" } as const;

/**
 * Codes that pass in time, e.g. because a server that is being deleted still holds its firewall, or two requests met.
 */
const PASSING = ["conflict", "locked", "rate_limit_exceeded", "resource_in_use", "unavailable", "timeout"];
const TRIES = 8;
const LONGEST_PAUSE_SECONDS = 10;
const REQUEST_MS = 60_000;
const ACTION_POLLS = 300;

/** Calls the API; repeats after a passing error for about a minute. */
export class HetznerApi {
  private readonly endpoint: string;

  /**
   * @param pauseSeconds Pause before the second try; doubles with each.
   * @param host Host of the API.
   */
  constructor(
    private readonly access: HetznerAccess,
    private readonly pauseSeconds = 1,
    private readonly host: keyof typeof endpoints = "cloud",
  ) {
    const own = host === "cloud" ? access.endpoint : access.boxEndpoint;
    this.endpoint = (own ?? endpoints[host]).replace(/\/+$/, "");
  }

  /** Reads all pages of a collection. */
  async list<T>(path: string, key: string, query: Readonly<Record<string, string>> = {}): Promise<T[]> {
    const items: T[] = [];
    for (let page: number | null = 1; page !== null;) {
      const parameters = new URLSearchParams({ ...query, page: String(page), per_page: "50" }).toString();
      const answer: Page & Record<string, unknown> = await this.request("GET", `${path}?${parameters}`);
      items.push(...((answer[key] ?? []) as T[]));
      page = answer.meta?.pagination?.next_page ?? null;
    }
    return items;
  }

  /** Deletes an object, and waits for it. One that doesn't exist any more counts as deleted. */
  async delete(path: string): Promise<void> {
    await this.unlessGone(async () => {
      await this.wait((await this.request<{ action?: Action }>("DELETE", path)).action);
    }, undefined);
  }

  /** Has something done, e.g. by "/servers/42/actions/shutdown", and waits for it. */
  async post<T extends object>(path: string, body: object = {}): Promise<T> {
    const answer = await this.request<T & { readonly action?: Action }>("POST", path, body);
    await this.wait(answer.action);
    return answer;
  }

  /** Changes an object. */
  async put(path: string, body: object): Promise<void> {
    await this.request("PUT", path, body);
  }

  /** Returns the answer to a GET; an empty object for 404. */
  find<T extends object>(path: string): Promise<Partial<T>> {
    return this.unlessGone<Partial<T>>(() => this.request("GET", path), {});
  }

  private async unlessGone<T>(call: () => Promise<T>, gone: T): Promise<T> {
    try {
      return await call();
    } catch (error) {
      if (error instanceof HetznerError && error.code === "not_found") return gone;
      throw error;
    }
  }

  private async wait(begun: Action | undefined): Promise<void> {
    let action = begun;
    for (let poll = 0; action?.status === "running"; poll++) {
      if (poll > ACTION_POLLS) throw new HetznerError("timeout", `action ${action.id} does not end`);
      await sleep(this.pauseSeconds * 1000);
      action = (await this.request<{ action: Action }>("GET", `${ACTIONS[this.host]}/${action.id}`)).action;
    }
    if (action?.status === "error") {
      throw new HetznerError(action.error?.code ?? "", action.error?.message ?? `action ${action.id} failed`);
    }
  }

  private async request<T>(method: string, path: string, body?: object): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.once<T>(method, path, body);
      } catch (error) {
        if (!(error instanceof HetznerError) || !PASSING.includes(error.code) || tried >= TRIES) throw error;
        await sleep(Math.min(this.pauseSeconds * 2 ** (tried - 1), LONGEST_PAUSE_SECONDS) * 1000);
      }
    }
  }

  private async once<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(this.endpoint + path, {
      method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${this.access.token}`,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(REQUEST_MS),
    }).catch((error: Error) => {
      const reason = reasonOf(error.cause ?? error);
      throw new Failure(`Hetzner Cloud does not answer at ${this.endpoint}: ${reason}`, { cause: error });
    });
    const text = await response.text();
    if (response.ok) return (text === "" ? {} : JSON.parse(text)) as T;
    throw errorFrom(response.status, text);
  }
}

function errorFrom(status: number, text: string): Error {
  if (status === 401) return new Mistake("Hetzner Cloud does not take the API token: is HCLOUD_TOKEN right?");
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string } };
    return new HetznerError(error.code, `${error.message} (${error.code})`);
  } catch {
    const codes: Readonly<Record<number, string>> = { 404: "not_found", 502: "unavailable", 504: "timeout" };
    return new HetznerError(codes[status] ?? "", `Hetzner Cloud answered with HTTP status ${status}`);
  }
}
