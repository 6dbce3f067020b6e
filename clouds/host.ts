import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/command";

import type { PortRule } from "../bigbluebutton/releases";

/** What a host is for; becomes its label, its step prefix and the name of its resources. */
export type Role = "bbb" | "turn";

/** A data volume of a host's own, which outlives the host. */
export interface VolumeArgs {
  /** Gigabytes; can grow, never shrink. Not used with `adoptId`. */
  readonly sizeGb: number;
  /**
   * The cloud's id of a volume that exists already. It is attached as it is and stays outside the stack: nothing here
   * resizes, labels or deletes it.
   */
  readonly adoptId?: string;
  /** Refuse to delete it, in Pulumi and at the cloud. */
  readonly protected: boolean;
}

/** What every cloud needs to know to make a host, whichever cloud it is. */
export interface HostArgs {
  readonly role: Role;
  /** The fully qualified name, which is also the server's name and, where the cloud has it, its reverse DNS. */
  readonly fqdn: string;
  readonly serverType: string;
  readonly location: string;
  /** The cloud's own name of the operating system image; not looked at once the server exists. */
  readonly image: string;
  /** Inbound rules from the release's port table; SSH and ICMP are added by the host. */
  readonly ports: readonly PortRule[];
  /** CIDRs in canonical form that may reach SSH, the only ones. */
  readonly sshNetworks: readonly string[];
  /** The operator's own public keys, in authorized_keys form, beside the generated one. */
  readonly sshPublicKeys: readonly string[];
  /** @default no volume */
  readonly volume?: VolumeArgs;
  /** Refuse to delete server and addresses, in Pulumi and at the cloud. */
  readonly protected: boolean;
  /** The cloud's own daily backups of the server's disk, which don't hold the volume. */
  readonly backups: boolean;
  /**
   * How many daily snapshots are kept of the volume, where the cloud makes any; 0 for none. Where such snapshots are its
   * backups, too, of the server's disk as many.
   */
  readonly snapshotDays: number;
  /** Of the server. @default none */
  readonly hooks?: pulumi.ResourceHookBinding;
  /** Labels or tags put on everything: project, stack, role, and where there is one the deployment and the expiry. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The key pair that the program itself logs in with, in OpenSSH's forms; the private half is secret. */
export interface OperatorKey {
  readonly publicKey: pulumi.Output<string>;
  readonly privateKey: pulumi.Output<string>;
}

/** The seam between clouds: what BbbServer and TurnServer ask of a machine. */
export interface Host {
  readonly role: Role;
  readonly fqdn: string;
  /** The public address, known before the server exists. */
  readonly ipv4: pulumi.Output<string>;
  /** Where the network has IPv6, one address of the host's; there or not is known before any resource is made. */
  readonly ipv6?: pulumi.Output<string>;
  /** The address on the interface where the public one is not, but is translated to it by the cloud. */
  readonly privateIpv4?: pulumi.Output<string>;
  /** The account that the connection logs in to; steps use sudo unless it is root. */
  readonly user: string;
  /** Every public key that may log in to that account, in authorized_keys form. */
  readonly authorizedKeys: pulumi.Output<string[]>;
  /** Secret; pins the host key. */
  readonly connection: pulumi.Output<types.input.remote.ConnectionArgs>;
  /** Steps are replaced with this resource: a new server gets every step anew. */
  readonly server: pulumi.CustomResource;
  /** Asks the cloud whether it still has the server: it may have been deleted behind Pulumi's back. */
  readonly exists: () => Promise<boolean>;
  /** Stable device path of the data volume on the host, where there is one. */
  readonly dataDevice?: pulumi.Output<string>;
  /**
   * Attaches the data volume, where the cloud does so to a server that runs: once, after the given resource, which unmounts
   * the volume that is to be taken away.
   *
   * @returns The attachment; undefined without a volume.
   */
  readonly attachVolume?: (after: pulumi.Resource) => pulumi.Resource | undefined;
  /** What must exist before the first step: the server, reachable at its addresses, with its firewall. */
  readonly prerequisites: readonly pulumi.Resource[];
}

/** Where a deployment's resources belong: to a component, or to the stack itself. */
export interface ChildOptions {
  readonly parent?: pulumi.Resource;
}

/** Makes a host of one cloud; all that one maker makes share what the cloud keeps once, such as the operator's key. */
export type HostMaker = (name: string, args: HostArgs) => Host;
