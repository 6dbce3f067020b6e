import * as pulumi from "@pulumi/pulumi";

/** The name of a host and what it leads to. */
export interface NameArgs {
  readonly fqdn: string;
  readonly ipv4: pulumi.Output<string>;
  /** @default no AAAA record */
  readonly ipv6?: pulumi.Output<string>;
  /** Put on the records where the cloud has labels for them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Publishes names in the deployment's zone, which exists already: several stacks may share it. */
export interface Dns {
  /** @returns The records made, for the steps that need them to depend on. */
  publish(name: string, args: NameArgs, opts: { readonly parent: pulumi.Resource }): pulumi.Resource[];
  /** How long a host waits in its preflight for its own name to lead to it. */
  readonly waitSeconds: number;
  /** Names of the servers that have the records, as the provider tells. @default not known */
  readonly nameServers?: readonly string[];
}

/** A record set that a zone has. */
export interface ExistingRecord {
  /** The whole name, in lower case and without the dot at its end. */
  readonly fqdn: string;
  readonly type: string;
  /** Addresses, or the name that an alias leads to. */
  readonly values: readonly string[];
  /** Bears this stack's labels. */
  readonly labelled?: boolean;
}

/** Seconds that a resolver may keep a record; short, for the day an address changes. */
export const RECORD_TTL = 300;

/** The records of a name, relative to nothing: what every provider of DNS is asked for. */
export function recordsOf({
  ipv4,
  ipv6,
}: NameArgs): { type: "A" | "AAAA"; address: pulumi.Output<string> }[] {
  return [{ type: "A", address: ipv4 }, ...(ipv6 ? [{ type: "AAAA" as const, address: ipv6 }] : [])];
}

/**
 * No provider at all: tells the operator which records to make, as soon as the addresses are known and at each update.
 * The hosts wait for them in their preflight, for an hour.
 */
export const manualDns: Dns = {
  waitSeconds: 3600,
  publish(_name, args, { parent }) {
    const lines = recordsOf(args).map(
      ({ type, address }) => pulumi.interpolate`${args.fqdn}. ${RECORD_TTL} IN ${type} ${address}`,
    );
    pulumi
      .all(lines)
      .apply((records) =>
        pulumi.log.info(["dns is manual: this record set must exist", ...records].join("\n  "), parent),
      );
    return [];
  },
};
