import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/command";

import type { CloudName } from "../bigbluebutton/capacity";
import type { PortRule } from "../bigbluebutton/releases";
import type { Volume } from "../settings";

/** Roles of a server and its TURN server. */
export const roles = ["bbb", "turn"] as const;
export type PairRole = (typeof roles)[number];

/** Purpose of a host; becomes its label, its step prefix and the beginning of its resources' names. */
export type Role = PairRole | "balancer";

/** Wish for a baked image, in place of the host's `image`. */
export interface BakedWish {
  /** Refuses a new server without one; else it is made from the host's `image`. */
  readonly required: boolean;
  /** Labels that an image must have (bakedImages.ts). */
  readonly labels: Readonly<Record<string, string>>;
  /** Arguments of `scripts/image bake` that make one. */
  readonly bakeArguments: string;
}

/** Arguments to make a host at any cloud. */
export interface HostArgs {
  readonly role: Role;
  /** Name in the deployment, with which those of its resources begin: the role, and in a pool the node's number. */
  readonly name: string;
  /** Fully qualified name, which is also the server's name and, if the cloud has it, its reverse DNS. */
  readonly fqdn: string;
  readonly cloud: CloudName;
  readonly serverType: string;
  readonly location: string;
  /**
   * Number of the host among those that are to run on different machines of the cloud, from 1 on; ignored once the server
   * exists. @default anywhere
   */
  readonly spread?: number;
  /** Name of the operating system image at the cloud; ignored once the server exists. */
  readonly image: string;
  /** Baked image that a new server is made from, if there is one. @default `image` */
  readonly baked?: BakedWish;
  /** Inbound rules from the release's port table; the host adds SSH and ICMP. */
  readonly ports: readonly PortRule[];
  /** Networks that may reach SSH, in CIDR form, canonical; no others may. */
  readonly sshNetworks: readonly string[];
  /** Public keys of the operator's own, in authorized_keys form, beside the generated one. */
  readonly sshPublicKeys: readonly string[];
  /** @default no volume */
  readonly volume?: Volume;
  /** Refuses to delete server and addresses, in Pulumi and at the cloud. */
  readonly protected: boolean;
  /** Makes the cloud's own daily backups of the server's disk, which don't hold the volume. */
  readonly backups: boolean;
  /**
   * Number of daily snapshots that are kept of the volume, if the cloud makes any; 0 for none. At a cloud whose backups
   * are such snapshots, it is also the number of those of the server's disk.
   */
  readonly snapshotDays: number;
  /** Hooks of the server. @default none */
  readonly hooks?: pulumi.ResourceHookBinding;
  /** Labels or tags of all resources: project, stack, role, and the deployment and the expiry if there are any. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Key pair that the program itself logs in with, in OpenSSH's forms; the private half is secret. */
export interface OperatorKey {
  readonly publicKey: pulumi.Output<string>;
  readonly privateKey: pulumi.Output<string>;
}

/** Server as its cloud knows it: it may run, is switched off, or is no more. */
export type Standing = "there" | "off" | "gone";

/** Interface to a machine of any cloud, for BbbServer and TurnServer. */
export interface Host {
  readonly role: Role;
  readonly fqdn: string;
  /** Public address, known before the server exists. */
  readonly ipv4: pulumi.Output<string>;
  /** IPv6 address of the host, if the network has IPv6, which is known before any resource is made. */
  readonly ipv6?: pulumi.Output<string>;
  /** Address of the interface, if the cloud translates it to the public one. */
  readonly privateIpv4?: pulumi.Output<string>;
  /** Account that the connection logs in to; steps use sudo unless it is root. */
  readonly user: string;
  /** All public keys that may log in to that account, in authorized_keys form. */
  readonly authorizedKeys: pulumi.Output<string[]>;
  /** Connection; secret. It pins the host key. */
  readonly connection: pulumi.Output<types.input.remote.ConnectionArgs>;
  /** Server. Steps are replaced with this resource: a new server gets every step anew. */
  readonly server: pulumi.CustomResource;
  /** Asks the cloud what has become of the server: it may have been deleted or switched off behind Pulumi's back. */
  readonly standing: () => Promise<Standing>;
  /** Stable device path of the data volume on the host, if it has one. */
  readonly dataDevice?: pulumi.Output<string>;
  /**
   * Attaches the data volume, at a cloud that does so to a running server: once, after the given resource, which
   * unmounts a volume to be removed.
   *
   * @returns the attachment; undefined without a volume
   */
  readonly attachVolume?: (after: pulumi.Resource) => pulumi.Resource | undefined;
  /** Resources that must exist before the first step: the server, reachable at its addresses, with its firewall. */
  readonly dependsOn: readonly pulumi.Resource[];
}

/** Parent of a deployment's resources: a component, or the stack itself. */
export interface ChildOptions {
  readonly parent?: pulumi.Resource;
}

/** Options of a deployment's look-ups. */
export interface LookUpOptions extends ChildOptions {
  /** Returns the hash of the scripts that install on a host of a role; an image tells that of its own. */
  readonly scripts: (role: Role) => string;
}

/** Makes a host of one cloud. All hosts of one maker share what the cloud keeps once, such as the operator's key. */
export type HostMaker = (name: string, args: HostArgs) => Host;
