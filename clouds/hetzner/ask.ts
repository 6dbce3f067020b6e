import type { Provider } from "@pulumi/hcloud";
import type { InvokeOptions } from "@pulumi/pulumi";

import { hetznerProvider } from "../../settings/hetznerProvider";
import { valueOf } from "../valueOf";
import { endpoints } from "./endpoints";

/** Names by which the provider is given another endpoint: in the environment, and among its settings. */
const OTHER = {
  cloud: { variable: "HCLOUD_ENDPOINT", setting: "endpoint" },
  boxes: { variable: "HETZNER_ENDPOINT", setting: "endpointHetzner" },
} as const;
const REQUEST_MS = 30_000;

/** Question to one of Hetzner's APIs. */
export interface Question {
  /** Collection, e.g. "/primary_ips". */
  readonly path: string;
  /** Parameters, e.g. `{ name: "bbb", label_selector: "stack==prod" }`, that leave at most 50 objects. */
  readonly query: Readonly<Record<string, string>>;
  /** @default "cloud" */
  readonly host?: keyof typeof endpoints;
}

/**
 * Asks Hetzner from a hook, with the access of the resources' provider.
 *
 * A hook must not ask by a function of the provider: each hook has one of the update's operations (`--parallel`), and with all
 * of them in hooks the Pulumi engine waits for ever. It answers functions one after the other, behind the start of the next
 * provider, which waits for an operation (3.260: resource/deploy/source_eval.go, defaultProviders).
 *
 * @param opts Parent of the resource, whose provider may be another than the usual one.
 * @returns the answer's document
 * @throws Error without one
 * @see https://docs.hetzner.cloud/reference/cloud
 */
export async function askHetzner<T>(
  { path, query, host = "cloud" }: Question,
  opts: InvokeOptions,
): Promise<T> {
  const { variable, setting } = OTHER[host];
  const provider = opts.parent?.getProvider("hcloud:index:Server") as Provider | undefined;
  const given = (name: "token" | "endpoint" | "endpointHetzner") =>
    valueOf(provider === undefined ? hetznerProvider(name) : provider[name]);
  const token = (await given("token")) ?? process.env.HCLOUD_TOKEN ?? "";
  const endpoint = (await given(setting)) ?? process.env[variable] ?? endpoints[host];
  const url = `${endpoint.replace(/\/+$/, "")}${path}?${new URLSearchParams({ ...query, per_page: "50" }).toString()}`;
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  if (!answer.ok) throw new Error(`Hetzner answered with HTTP status ${answer.status}`);
  return (await answer.json()) as T;
}
