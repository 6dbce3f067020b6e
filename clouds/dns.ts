import * as pulumi from "@pulumi/pulumi";

/** Name of a host and the addresses that it leads to. */
export interface NameArgs {
  readonly fqdn: string;
  readonly ipv4: pulumi.Output<string>;
  /** @default no AAAA record */
  readonly ipv6?: pulumi.Output<string>;
  /** Labels of the records, at a cloud that has labels for them. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Publishes names in the deployment's zone, which exists already: several stacks may share it. */
export interface Dns {
  /** Publishes a name. @returns the records, on which the steps that need them depend */
  publish(name: string, args: NameArgs, opts: { readonly parent: pulumi.Resource }): pulumi.Resource[];
  /** Seconds that a host waits in its preflight for its own name to lead to it. */
  readonly waitSeconds: number;
  /** Names of the servers that have the records, by the provider. @default not known */
  readonly nameServers?: readonly string[];
}

/** Record set of a zone. */
export interface ExistingRecord {
  /** Full name, in lower case and without the dot at its end. */
  readonly fqdn: string;
  readonly type: string;
  /** Addresses, or the name that an alias leads to. */
  readonly values: readonly string[];
  /** True when it has this stack's labels. */
  readonly labelled?: boolean;
}

/** Seconds that a resolver may keep a record; short, for the day an address changes. */
export const RECORD_TTL = 300;

/** Records of a name, relative to nothing, for every provider of DNS. */
export function recordsOf({
  ipv4,
  ipv6,
}: NameArgs): { type: "A" | "AAAA"; address: pulumi.Output<string> }[] {
  return [{ type: "A", address: ipv4 }, ...(ipv6 ? [{ type: "AAAA" as const, address: ipv6 }] : [])];
}

/**
 * Tells the operator which records to make, without any provider, when the addresses are known and at each update. The
 * hosts wait for the records in their preflight, for an hour.
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
