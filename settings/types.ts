import type { BrandingSite } from "../bigbluebutton/brandingFiles";
import type { GroupValues } from "../bigbluebutton/optionGroups";
import type * as pulumi from "@pulumi/pulumi";

import type { AlertWays } from "../bigbluebutton/alerts";
import type { BackupSettings } from "../bigbluebutton/backup";
import type { Gateway } from "../bigbluebutton/dialIn";
import type { Release } from "../bigbluebutton/releases";
import type { CloudName } from "../bigbluebutton/capacity";
import type { EnvironmentName } from "./environments";
import type { Greenlight } from "./fields/greenlight";
import type { MetricsSettings } from "./fields/metrics";
import type { Source } from "./problems";

/** Settings of one deployment, checked, with every default filled in. */
export interface Settings extends Source {
  /**
   * Labels of all resources that can have any: project, stack, the name of a component, and the expiry if there is one.
   */
  readonly labels: Readonly<Record<string, string>>;
  readonly environment: EnvironmentName;
  /** DNS zone, e.g. "example.org". */
  readonly domain: string;
  readonly email: string;
  readonly release: Release;
  readonly bbb: HostSettings;
  readonly turn: OwnTurn | SharedTurn;
  /** Pool of servers, whose type and image are those of `bbb`, and whose name is its. @default one server */
  readonly pool?: PoolSettings;
  /** Network of hosts at AWS. @default a public subnet of the default VPC */
  readonly network: { readonly vpcId?: string; readonly subnetId?: string };
  /** Networks in CIDR form, canonical, at least one. */
  readonly sshNetworks: readonly string[];
  readonly sshPublicKeys: readonly string[];
  readonly dns: CloudDns | "manual";
  readonly acme: AcmeSettings;
  /** Settings of Greenlight. @default it is not installed */
  readonly greenlight?: Greenlight;
  /** Values for BigBlueButton's own files, by their groups; without those that are not set. */
  readonly groups: GroupValues;
  /** Files and first page of the setting branding, if it has any. */
  readonly branding?: BrandingSite;
  /** Volume for recordings. @default they stay on the server's own disk */
  readonly recordings?: Volume;
  /** Dial-in by telephone. @default none */
  readonly dialIn?: DialIn;
  /** Ways to tell of a fault; secret. @default nobody is told */
  readonly alerts?: pulumi.Output<AlertWays>;
  /** Settings of the metrics. @default none are offered */
  readonly metrics?: MetricsSettings;
  /** Backups of the BigBlueButton server. @default none are made */
  readonly backup?: Backup;
  /** Number of daily snapshots of its volumes that are kept, if the cloud can make them; 0 for none. */
  readonly snapshotDays: number;
  readonly installer: InstallerSettings;
  /** Free text; a new value runs the installer again. */
  readonly upgrade: string;
  /** Confirms one change that would end meetings: the new value of that change's setting; "" confirms none. */
  readonly duringMeetings: string;
  /** Free text; a new value makes a new secret. */
  readonly rotateSharedSecret: string;
  /** Protects servers and addresses from deletion. */
  readonly protected: boolean;
  /** Makes the cloud back up the BigBlueButton server every day. */
  readonly backups: boolean;
}

/** Nightly backups of the BigBlueButton server. */
export interface Backup {
  /** Time of the day, UTC, e.g. "02:30". */
  readonly at: string;
  /** Backup that a new server gets before it makes its own: `latest`, or an id. @default none */
  readonly restoreFrom?: string;
  /** Storage Box to make for them. @default they go elsewhere */
  readonly box?: StorageBoxSettings;
  /** Place, keys and what is kept; secret. */
  readonly settings: pulumi.Output<BackupSettings>;
}

/** Storage Box at Hetzner. */
export interface StorageBoxSettings {
  /** Type at Hetzner, e.g. "bx11". */
  readonly type: string;
  /** Location of a new one. */
  readonly location: string;
  /** Lets servers outside of Hetzner's network in. */
  readonly reachableExternally: boolean;
  /** Refuses to delete it, in Pulumi and at Hetzner. */
  readonly protected: boolean;
}

/** Settings of a host; cloud, location, type and image in its cloud's own names. */
export interface HostSettings {
  /** Full name, e.g. "bbb.example.org"; always below the DNS zone. */
  readonly fqdn: string;
  readonly cloud: CloudName;
  /** Location at Hetzner, or region of AWS. */
  readonly location: string;
  readonly serverType: string;
  /** Name or id of the image; on AWS also a pattern of Canonical's names. With `baked` the release's own. */
  readonly image: string;
  /** Use of an image that scripts/image has baked: refuses a server without one, or prefers it. @default `image` */
  readonly baked?: "required" | "preferred";
  readonly certificate: Certificate;
}

/** Pool of BigBlueButton servers behind a balancer. */
export interface PoolSettings {
  /** Number of servers, 1 or more. */
  readonly nodes: number;
  /** Minutes for which an update waits for the last meeting on a server that leaves. */
  readonly drainMinutes: number;
  /** Number of servers that may be out of the pool for work at once. */
  readonly maxUnavailable: number;
  readonly balancer: HostSettings;
}

/** TURN server that is made with the deployment. */
export interface OwnTurn extends HostSettings {
  readonly kind: "own";
  /** Addresses of other stacks' BigBlueButton servers that it also serves. */
  readonly peers: readonly string[];
  /** Free text; a new value makes a new secret. */
  readonly rotateSecret: string;
}

/** TURN server of another stack of this project. */
export interface SharedTurn {
  readonly kind: "shared";
  readonly stack: string;
}

/** Certificate of a host. */
export type Certificate = AuthorityCertificate | OwnCertificate;

/** Certificate that the host gets from the certificate authority. */
export interface AuthorityCertificate {
  readonly kind: "authority";
  readonly trustedByBrowsers: boolean;
}

/** Certificate of the operator's own, checked. */
export interface OwnCertificate {
  readonly kind: "own";
  /** Chain, leaf first, in PEM form. */
  readonly chain: string;
  /** Private key in PEM form; secret. */
  readonly key: pulumi.Output<string>;
  readonly validUntil: Date;
  readonly issuedBy: string;
  readonly trustedByBrowsers: boolean;
}

/** Volume that outlives the server. */
export type Volume = NewVolume | AdoptedVolume;

/** Volume that is made with the deployment. */
export interface NewVolume {
  readonly kind: "new";
  /** Size in GB; can grow, never shrink. */
  readonly sizeGb: number;
  /** Refuses to delete it, in Pulumi and at the cloud. */
  readonly protected: boolean;
}

/** Existing volume. It is attached without a change and stays outside the stack: nothing resizes, labels or deletes it. */
export interface AdoptedVolume {
  readonly kind: "adopted";
  /** Id at the cloud. */
  readonly id: string;
}

/** DNS service of each cloud. */
export type CloudDns = "hetzner" | "route53";

/** Certificate authority. */
export interface AcmeSettings {
  /** URL of the ACME directory. */
  readonly server: string;
  /** Roots of a private authority, in PEM form, for the hosts' trust stores. */
  readonly ca?: string;
  /** URLs from which the hosts themselves fetch the roots of Let's Encrypt's staging authority. */
  readonly caUrls: readonly string[];
  readonly trustedByBrowsers: boolean;
}

/** Dial-in by telephone; the rest of it is among the groups. */
export interface DialIn {
  /** Networks from which calls come, IPv4 in CIDR form, at least one. */
  readonly networks: readonly string[];
  readonly gateway: Gateway;
  /** Password of the gateway's user, if it registers; secret. */
  readonly password?: pulumi.Output<string>;
}

/** Source of bbb-install, and the argument of its -v. */
export interface InstallerSettings {
  readonly url: string;
  /** Digest in hex; undefined for a release without one that could be verified. */
  readonly sha256?: string;
  readonly version: string;
}
