import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import type { Guest, State } from "./state";

/** Request to the metadata service. */
export interface MetadataRequest {
  /** Address of the sender. */
  readonly source: string;
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface MetadataAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Metadata {
  /** Returns undefined when the sender is not an instance. */
  answer(request: MetadataRequest): MetadataAnswer | undefined;
}

/** One line of the log. */
export interface LoggedMetadataRequest {
  readonly at: string;
  readonly instance: string;
  readonly source: string;
  /** 2 for a request that asks for a token or has one; 1 for one without. */
  readonly version: 1 | 2;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

const TOKEN = "x-aws-ec2-metadata-token";
const TOKEN_TTL = "x-aws-ec2-metadata-token-ttl-seconds";
const MAX_TTL_SECONDS = 21_600;

/**
 * EC2's instance metadata service, version 1 and 2. The sender's address names the instance. The network enforces the
 * hop limit of tokens (ServerSpec.metadataHopLimit).
 */
export function createMetadata(store: { readonly state: State }, logFile: string): Metadata {
  const tokens = new Map<string, { readonly instance: string; readonly until: number }>();
  mkdirSync(dirname(logFile), { recursive: true });
  writeFileSync(logFile, "", { flag: "a", mode: 0o600 });

  const issue = (guest: Guest, request: MetadataRequest): MetadataAnswer => {
    if (!guest.endpoint || request.headers["x-forwarded-for"] !== undefined)
      return plainError(403, "Forbidden");
    const ttl = Number(request.headers[TOKEN_TTL] ?? "");
    if (!Number.isInteger(ttl) || ttl < 1 || ttl > MAX_TTL_SECONDS) return plainError(400, "Bad Request");
    const token = randomBytes(40).toString("base64");
    tokens.set(token, { instance: guest.instanceId, until: Date.now() + ttl * 1000 });
    return { status: 200, body: token, headers: { [TOKEN_TTL]: String(ttl) } };
  };

  const read = (guest: Guest, request: MetadataRequest): MetadataAnswer => {
    if (!guest.endpoint) return plainError(403, "Forbidden");
    const given = request.headers[TOKEN];
    if (given === undefined) {
      if (guest.tokensRequired) return plainError(401, "Unauthorized");
    } else {
      const token = tokens.get(String(given));
      if (token?.instance !== guest.instanceId || token.until <= Date.now())
        return plainError(401, "Unauthorized");
    }
    const tree = renderTree(guest);
    const path = request.path.replace(/^\/(\d{4}-\d{2}-\d{2})\//, "/latest/").replace(/(?<=.)\/+$/, "");
    const body = tree[path] ?? listing(tree, path);
    return body === undefined ? plainError(404, "Not Found") : { status: 200, body };
  };

  return {
    answer: (request) => {
      const guest = Object.values(store.state.instances).find((record) =>
        isFrom(record.guest, request.source),
      )?.guest;
      if (!guest) return undefined;
      const wantsToken = request.path === "/latest/api/token";
      const answer =
        wantsToken && request.method === "PUT"
          ? issue(guest, request)
          : request.method === "GET" || request.method === "HEAD"
            ? read(guest, request)
            : plainError(405, "Method Not Allowed");
      const line: LoggedMetadataRequest = {
        at: new Date().toISOString(),
        instance: guest.instanceId,
        source: request.source,
        version: wantsToken || request.headers[TOKEN] !== undefined ? 2 : 1,
        method: request.method,
        path: request.path,
        status: answer.status,
      };
      appendFileSync(logFile, `${JSON.stringify(line)}\n`);
      return answer;
    },
  };
}

/** True for the instance's private address, and for its public one where addresses are translated before. */
function isFrom(guest: Guest | undefined, source: string): boolean {
  const { ipv4, privateIpv4 } = guest?.addresses ?? {};
  return source === privateIpv4 || source === ipv4;
}

function plainError(status: number, title: string): MetadataAnswer {
  return { status, body: `${status} - ${title}\n` };
}

/** Renders every leaf of the tree, by path. */
function renderTree(guest: Guest): Readonly<Record<string, string>> {
  const { addresses, mac } = guest;
  const ipv4 = addresses.ipv4 ?? "";
  const publicName = ipv4 && `ec2-${ipv4.replaceAll(".", "-")}.${guest.region}.compute.amazonaws.com`;
  const names = guest.groups.map(({ name }) => name).join("\n");
  const leaves: Record<string, string> = {
    "ami-id": guest.imageId,
    "ami-launch-index": "0",
    hostname: guest.hostname,
    "instance-action": "none",
    "instance-id": guest.instanceId,
    "instance-life-cycle": "on-demand",
    "instance-type": guest.instanceType,
    "local-hostname": guest.hostname,
    "local-ipv4": addresses.privateIpv4 ?? "",
    mac,
    "placement/availability-zone": guest.availabilityZone,
    "placement/region": guest.region,
    "public-hostname": publicName,
    "public-ipv4": ipv4,
    ipv6: addresses.ipv6 ?? "",
    "security-groups": names,
    "services/domain": "amazonaws.com",
    "services/partition": "aws",
    ...(guest.publicKey === undefined
      ? {}
      : {
          "public-keys": `0=${guest.keyName}`,
          "public-keys/0": "openssh-key",
          "public-keys/0/openssh-key": guest.publicKey,
        }),
    ...under(`network/interfaces/macs/${mac}`, {
      "device-number": "0",
      "interface-id": guest.interfaceId,
      "local-hostname": guest.hostname,
      "local-ipv4s": addresses.privateIpv4 ?? "",
      mac,
      "public-hostname": publicName,
      "public-ipv4s": ipv4,
      ipv6s: addresses.ipv6 ?? "",
      "security-group-ids": guest.groups.map(({ id }) => id).join("\n"),
      "security-groups": names,
      "subnet-id": guest.subnetId,
      "vpc-id": guest.vpcId,
    }),
  };
  const identity = {
    accountId: "123456789012",
    architecture: "x86_64",
    availabilityZone: guest.availabilityZone,
    imageId: guest.imageId,
    instanceId: guest.instanceId,
    instanceType: guest.instanceType,
    privateIp: addresses.privateIpv4,
    region: guest.region,
    version: "2017-09-30",
  };
  return {
    ...filled(under("/latest/meta-data", leaves)),
    ...filled({ "/latest/user-data": guest.userData }),
    "/latest/dynamic/instance-identity/document": JSON.stringify(identity, null, 2),
  };
}

function under(base: string, leaves: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(leaves).map(([path, value]) => [`${base}/${path}`, value]));
}

/** Removes leaves that are empty: an instance's tree lists only what the instance has. */
function filled(leaves: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(leaves).filter(([, value]) => value !== ""));
}

/** Entries of a directory, those with children ending in a slash; undefined for a directory that doesn't exist. */
function listing(tree: Readonly<Record<string, string>>, directory: string): string | undefined {
  const prefix = directory === "/" || directory === "" ? "/" : `${directory}/`;
  const entries = new Set<string>();
  for (const path of Object.keys(tree)) {
    if (!path.startsWith(prefix)) continue;
    const [name = "", ...below] = path.slice(prefix.length).split("/");
    entries.add(below.length > 0 ? `${name}/` : name);
  }
  for (const entry of entries) if (entry.endsWith("/")) entries.delete(entry.slice(0, -1));
  return entries.size === 0 ? undefined : [...entries].sort().join("\n");
}
