/**
 * The seam between an emulated cloud API and the machine that it runs on: what an API asks for, in plain
 * values, named as no cloud in particular. Implemented by sandbox/hosts (real hosts) and, for tests of an
 * API alone, by a recorder. Every call is idempotent and resolves when the machine is in the asked state.
 */
export interface CloudRuntime {
  /** Boot a new host. Resolves when its init has been started, not when SSH answers. */
  createServer(server: ServerSpec): Promise<void>;
  deleteServer(id: string): Promise<void>;
  powerOn(id: string): Promise<void>;
  /** `graceful` asks init to shut down; otherwise the power is cut. */
  powerOff(id: string, graceful: boolean): Promise<void>;
  /** Takes effect at the next power-on. */
  resizeServer(id: string, cores: number, memoryGb: number): Promise<void>;
  /** Takes effect at the next power-on, as an image of Ubuntu's enlarges its file system at a boot. A disk gets no smaller. */
  resizeDisk(id: string, sizeGb: number): Promise<void>;
  /** undefined: the server lost that address; takes effect at once. */
  setAddresses(id: string, addresses: Addresses): Promise<void>;
  /** The inbound rules of all firewalls on the server together; undefined: no firewall at all, everything open. */
  setFirewall(id: string, rules: readonly InboundRule[] | undefined): Promise<void>;
  createVolume(id: string, sizeGb: number, format?: "ext4" | "xfs"): Promise<void>;
  resizeVolume(id: string, sizeGb: number): Promise<void>;
  deleteVolume(id: string): Promise<void>;
  /** `devicePath` is what the guest sees, e.g. /dev/disk/by-id/scsi-0HC_Volume_42. */
  attachVolume(id: string, serverId: string, devicePath: string): Promise<void>;
  detachVolume(id: string): Promise<void>;
  /** Publish the whole contents of a zone, SOA and NS included by the runtime. */
  setZone(name: string, records: readonly ZoneRecord[]): Promise<void>;
  deleteZone(name: string): Promise<void>;
  setReverseDns(address: string, name: string | undefined): Promise<void>;
}

export interface Addresses {
  /** A public IPv4 address. */
  readonly ipv4?: string;
  /** The address on the interface where it is not the public one: the network translates between the two, both ways. */
  readonly privateIpv4?: string;
  /** A /64 in CIDR form; the host uses its ::1. */
  readonly ipv6Network?: string;
  /** A single address, where the cloud gives no network of the host's own. */
  readonly ipv6?: string;
}

export interface ServerSpec {
  readonly id: string;
  readonly name: string;
  /** "22.04" or "24.04": the Ubuntu release the host presents itself as. */
  readonly ubuntu: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** Size of its disk, whatever room this machine has. */
  readonly diskGb: number;
  readonly userData: string;
  /** authorized_keys lines for the image's login user, from the cloud's SSH keys. */
  readonly sshPublicKeys: readonly string[];
  /** @default root; any other is an account without password that may sudo, as on Canonical's images on EC2 */
  readonly loginUser?: string;
  /** Answers of the metadata service live for that many hops. @default as usual */
  readonly metadataHopLimit?: number;
  readonly addresses: Addresses;
  /** As for {@link CloudRuntime.setFirewall}: in force before the host boots. */
  readonly rules: readonly InboundRule[] | undefined;
}

export interface InboundRule {
  readonly protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  /** "22" or "16384-32768"; absent for protocols without ports. */
  readonly ports?: string;
  readonly sources: readonly string[];
}

export interface ZoneRecord {
  /** Relative to the zone, "@" for the apex. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly value: string;
}
