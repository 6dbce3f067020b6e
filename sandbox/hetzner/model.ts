/** Content of the emulated project, in its own words; resources/*.ts turn it into Hetzner's JSON. */
export type Labels = Record<string, string>;

interface Entity {
  readonly id: number;
  name: string;
  labels: Labels;
  /** Time in the form of RFC 3339. */
  readonly created: string;
}

export interface SshKey extends Entity {
  readonly publicKey: string;
  /** MD5 in colon form. */
  readonly fingerprint: string;
}

export interface PrimaryIp extends Entity {
  readonly type: "ipv4" | "ipv6";
  /** Address for ipv4; /64 in CIDR form for ipv6. */
  readonly ip: string;
  readonly location: string;
  autoDelete: boolean;
  deleteProtected: boolean;
  /** Id of the server that holds it. */
  assignee: number | null;
  /** Reverse names that a user set, by address; any other address has Hetzner's default. */
  reverseNames: Record<string, string>;
}

export interface FirewallRule {
  readonly direction: "in" | "out";
  readonly protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  readonly port: string | null;
  readonly source_ips: readonly string[];
  readonly destination_ips: readonly string[];
  readonly description: string | null;
}

export interface FirewallTarget {
  readonly type: "server";
  readonly server: number;
}

export interface Firewall extends Entity {
  rules: readonly FirewallRule[];
  targets: readonly FirewallTarget[];
}

export interface Volume extends Entity {
  size: number;
  readonly location: string;
  readonly format: "ext4" | "xfs" | null;
  deleteProtected: boolean;
  server: number | null;
}

/** Servers that are to run on different machines. */
export type PlacementGroup = Entity;

/** Image of type snapshot: a server's disk as it was. */
export interface Snapshot {
  readonly id: number;
  description: string;
  labels: Labels;
  /** Time in the form of RFC 3339, like `deleted`. */
  readonly created: string;
  /** Name and id of its server, which may be gone. */
  readonly createdFrom: { readonly id: number; readonly name: string };
  /** Size of its server's disk in gigabytes: the least that a copy needs. */
  readonly diskSize: number;
  /** Ubuntu release, "24.04". */
  readonly version: string;
  readonly architecture: "x86" | "arm";
  /** Room that its files take; null until it is made. */
  bytes: number | null;
  deleteProtected: boolean;
  /** Servers that were made from a deleted snapshot go on naming it. */
  deleted: string | null;
}

export interface SnapshotPlan {
  readonly max_snapshots: number;
  readonly minute: number;
  readonly hour: number;
  readonly day_of_week: number | null;
  readonly day_of_month: number | null;
}

export interface AccessSettings {
  readonly reachable_externally: boolean;
  readonly samba_enabled: boolean;
  readonly ssh_enabled: boolean;
  readonly webdav_enabled: boolean;
  readonly zfs_enabled: boolean;
}

export interface StorageBox extends Entity {
  /** Name in the catalogue. */
  type: string;
  readonly location: string;
  readonly sshPublicKeys: readonly string[];
  access: AccessSettings;
  snapshotPlan: SnapshotPlan | null;
  deleteProtected: boolean;
  /** Account; null until it is made. */
  username: string | null;
}

export type ServerStatus =
  "initializing" | "starting" | "running" | "stopping" | "off" | "deleting" | "migrating" | "unknown";

export interface Server extends Entity {
  status: ServerStatus;
  /** Name in the catalogue. */
  serverType: string;
  /** Id of a snapshot, or in the catalogue. */
  readonly image: number;
  readonly location: string;
  readonly userData: string;
  readonly sshPublicKeys: readonly string[];
  /** Size in gigabytes; smaller than the type's after a change of type that keeps the disk. */
  primaryDiskSize: number;
  backups: boolean;
  /** Protection of deletion and of rebuild, which the API keeps equal. */
  protected: boolean;
  /** Id of its placement group. Missing from states of earlier versions. */
  placementGroup?: number | null;
  /** True once the runtime made the host; before that it must not be asked about it. */
  hostExists: boolean;
}

export interface RecordSet {
  readonly name: string;
  readonly type: string;
  ttl: number | null;
  labels: Labels;
  records: readonly DnsRecord[];
}

export interface DnsRecord {
  readonly value: string;
  readonly comment?: string;
}

export interface Zone extends Entity {
  readonly ttl: number;
  /** Record sets by "<name>/<TYPE>", SOA and NS of the apex included. */
  recordSets: Record<string, RecordSet>;
}

export interface ResourceRef {
  readonly id: number;
  readonly type: "server" | "primary_ip" | "firewall" | "volume" | "zone" | "image" | "storage_box";
}

export interface Action {
  readonly id: number;
  readonly command: string;
  status: "running" | "success" | "error";
  progress: number;
  readonly started: string;
  finished: string | null;
  readonly resources: readonly ResourceRef[];
  error: { code: string; message: string } | null;
  /** Parameters of its effect, so that another process can continue it. */
  readonly params: Readonly<Record<string, unknown>>;
  /** Id of the action that must succeed first. */
  readonly after: number | null;
}

/** Addresses handed out; a freed one is reused only when no fresh one is left. */
export interface AddressPool {
  next: number;
  freed: number[];
}

export interface State {
  readonly version: 1;
  nextId: number;
  readonly pools: { readonly ipv4: AddressPool; readonly ipv6: AddressPool };
  readonly sshKeys: Record<string, SshKey>;
  readonly primaryIps: Record<string, PrimaryIp>;
  readonly firewalls: Record<string, Firewall>;
  readonly volumes: Record<string, Volume>;
  readonly servers: Record<string, Server>;
  readonly placementGroups: Record<string, PlacementGroup>;
  readonly snapshots: Record<string, Snapshot>;
  readonly zones: Record<string, Zone>;
  readonly storageBoxes: Record<string, StorageBox>;
  readonly actions: Record<string, Action>;
}

/** Makes an empty project. Ids of all kinds come from one counter, so that no two objects share one. */
export function emptyState(): State {
  return {
    version: 1,
    nextId: 1001,
    pools: { ipv4: { next: 10, freed: [] }, ipv6: { next: 1, freed: [] } },
    sshKeys: {},
    primaryIps: {},
    firewalls: {},
    volumes: {},
    servers: {},
    placementGroups: {},
    snapshots: {},
    zones: {},
    storageBoxes: {},
    actions: {},
  };
}
