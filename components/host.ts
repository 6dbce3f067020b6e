import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/command";

import type { PortRule } from "../bigbluebutton/releases";

/** What a host is for; becomes its label, its step prefix and the name of its resources. */
export type Role = "bbb" | "turn";

/** What every cloud needs to know to make a host, whichever cloud it is. */
export interface HostArgs {
  readonly role: Role;
  /** The fully qualified name, which is also the server's name and its reverse DNS. */
  readonly fqdn: string;
  readonly serverType: string;
  readonly location: string;
  /** The cloud's own name of the operating system image. */
  readonly image: string;
  /** Inbound rules from the release's port table; SSH and ICMP are added by the host. */
  readonly ports: readonly PortRule[];
  /** CIDRs that may reach SSH, the only ones. */
  readonly sshNetworks: readonly string[];
  /** The operator's own public keys, in authorized_keys form, beside the generated one. */
  readonly sshPublicKeys: readonly string[];
  /** The key pair the program itself logs in with. */
  readonly operatorKey: { readonly publicKey: pulumi.Output<string>; readonly privateKey: pulumi.Output<string> };
  /** Gigabytes of a data volume of its own, or the id of one to adopt; neither: no volume. */
  readonly volume?: { readonly sizeGb: number; readonly adoptId?: string };
  /** Production: protected in Pulumi and at the cloud, backups on. */
  readonly protected: boolean;
  /** Labels or tags put on everything: project, stack, role. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The seam between clouds: what BbbServer and TurnServer ask of a machine. */
export interface Host {
  readonly role: Role;
  readonly fqdn: string;
  /** Public addresses, known before the server exists. `ipv6` is one address of the host's network. */
  readonly ipv4: pulumi.Output<string>;
  readonly ipv6: pulumi.Output<string | undefined>;
  /** The address on the interface where it is not the public one (EC2). */
  readonly privateIpv4?: pulumi.Output<string>;
  /** Secret; pins the host key. */
  readonly connection: pulumi.Output<types.input.remote.ConnectionArgs>;
  /** Steps are replaced with this resource: a new server gets every step anew. */
  readonly server: pulumi.CustomResource;
  /** Stable device path of the data volume on the host, where there is one. */
  readonly dataDevice?: pulumi.Output<string>;
  /** Everything that must exist before the first step: attachment of volume and firewall. */
  readonly prerequisites: readonly pulumi.Resource[];
}
