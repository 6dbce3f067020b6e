import { Resolver } from "node:dns/promises";

import ipaddr from "ipaddr.js";

import { worst, Wrong } from "./finding";

/** Name of a host and the addresses that it must lead to, exactly. */
export interface NameArgs {
  readonly fqdn: string;
  readonly zone: string;
  readonly ipv4: string;
  /** @default no AAAA record */
  readonly ipv6?: string;
}

/** Part of a resolver that is used here. */
export interface Lookups {
  resolve4(name: string): Promise<string[]>;
  resolve6(name: string): Promise<string[]>;
  resolveNs(name: string): Promise<string[]>;
}

/** Makes a resolver: this machine's own, or one that asks a name server directly. */
export type OpenResolver = (server?: string) => Lookups;

const openResolver: OpenResolver = (server) => {
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  if (server !== undefined) resolver.setServers([server.includes(":") ? `[${server}]` : server]);
  return resolver;
};

/** Checks that a name leads to its host, by this machine's resolver and by the zone's own servers. */
export async function checkName(args: NameArgs, open: OpenResolver = openResolver): Promise<string> {
  const resolver = open();
  const servers = await zoneServers(args.zone, resolver);
  const answers = await Promise.all([
    addresses(args.fqdn, resolver, "the resolver"),
    ...servers.map(({ name, address }) => addresses(args.fqdn, open(address), name)),
  ]);
  const [own, ...others] = answers.map((answer) => judge(args, answer));
  const heard = others.filter((judged) => judged !== undefined);
  if (own === undefined) throw new Wrong("this machine's resolver does not answer", "see /etc/resolv.conf");
  const silent = heard.length === 0 ? [`no server of ${args.zone} could be asked from here`] : [];
  const wrong = [own, ...heard].filter((judged) => judged instanceof Wrong);
  return worst(wrong.length > 0 ? [...wrong, ...silent] : [describe(args), ...silent]);
}

/** Text about the question for a name, for the page. */
export function askedOf({ fqdn }: NameArgs): string {
  return `${fqdn}, resolver and zone`;
}

function describe({ ipv4, ipv6 }: NameArgs): string {
  return ipv6 === undefined ? `${ipv4}, no AAAA` : `${ipv4}, ${ipv6}`;
}

interface Answer {
  readonly from: string;
  /** Addresses; undefined without an answer. */
  readonly ipv4?: readonly string[];
  readonly ipv6?: readonly string[];
}

async function addresses(fqdn: string, resolver: Lookups, from: string): Promise<Answer> {
  const [ipv4, ipv6] = await Promise.all([found(resolver.resolve4(fqdn)), found(resolver.resolve6(fqdn))]);
  return { from, ipv4, ipv6 };
}

/** Resolves to the records; no records is an answer. Undefined without an answer. */
async function found(answer: Promise<string[]>): Promise<readonly string[] | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "ENODATA" || code === "ENOTFOUND" ? [] : undefined;
  }
}

/** Judges an answer; undefined without one. */
function judge(args: NameArgs, { from, ipv4, ipv6 }: Answer): "as it should be" | Wrong | undefined {
  if (ipv4 === undefined || ipv6 === undefined) return undefined;
  const expected = [args.ipv4, ...(args.ipv6 === undefined ? [] : [args.ipv6])];
  if (same([...ipv4, ...ipv6], expected)) return "as it should be";
  const told = [...ipv4, ...ipv6].join(", ") || "no address";
  return new Wrong(
    `${from} says ${told}`,
    `the records of ${args.fqdn} must be ${describe(args)}: pulumi refresh, then pulumi up; with dns: manual, make them so`,
  );
}

function same(found: readonly string[], expected: readonly string[]): boolean {
  const canonical = (all: readonly string[]) =>
    [...new Set(all.map((one) => ipaddr.parse(one).toString()))].sort();
  return canonical(found).join(" ") === canonical(expected).join(" ");
}

async function zoneServers(
  zone: string,
  resolver: Lookups,
): Promise<readonly { readonly name: string; readonly address: string }[]> {
  const names = (await found(resolver.resolveNs(zone))) ?? [];
  const located = names.map(async (name) => {
    const [address] = (await found(resolver.resolve4(name))) ?? [];
    return address === undefined ? [] : [{ name, address }];
  });
  return (await Promise.all(located)).flat();
}
