/**
 * Interface between an emulated cloud API and the machine: an API's requests in plain values, named after no cloud.
 * Implemented by sandbox/hosts (real hosts) and, for tests of an API alone, by a recorder. Every call is idempotent and
 * resolves when the machine is in the requested state.
 */
export interface CloudRuntime {
  /** Boots a new host. Resolves when its init has been started, not when SSH answers. */
  createServer(server: ServerSpec): Promise<void>;
  deleteServer(id: string): Promise<void>;
  powerOn(id: string): Promise<void>;
  /** Switches the power off. With `graceful`, init shuts down first. */
  powerOff(id: string, graceful: boolean): Promise<void>;
  /** Changes cores and memory from the next power-on on. */
  resizeServer(id: string, cores: number, memoryGb: number): Promise<void>;
  /**
   * Enlarges the disk from the next power-on on, since Ubuntu's images enlarge their file system at boot. A disk never
   * shrinks.
   */
  resizeDisk(id: string, sizeGb: number): Promise<void>;
  /** Sets the addresses at once; undefined for an address that the server lost. */
  setAddresses(id: string, addresses: Addresses): Promise<void>;
  /**
   * Sets the inbound rules of all firewalls on the server together; undefined without any firewall, which leaves
   * everything open.
   */
  setFirewall(id: string, rules: readonly InboundRule[] | undefined): Promise<void>;
  /**
   * Copies a server's disk as it is at one moment, whether its power is on or off. Its volumes are no part of it.
   *
   * @returns bytes that its files take
   */
  createSnapshot(id: string, serverId: string): Promise<number>;
  /** Deletes a snapshot. Servers that were made from it don't need it. */
  deleteSnapshot(id: string): Promise<void>;
  createVolume(id: string, sizeGb: number, format?: "ext4" | "xfs"): Promise<void>;
  resizeVolume(id: string, sizeGb: number): Promise<void>;
  deleteVolume(id: string): Promise<void>;
  /** Attaches a volume. `devicePath` is its path in the guest, e.g. /dev/disk/by-id/scsi-0HC_Volume_42. */
  attachVolume(id: string, serverId: string, devicePath: string): Promise<void>;
  detachVolume(id: string): Promise<void>;
  /** Makes a Storage Box, or changes how it can be reached. */
  setStorageBox(box: StorageBoxSpec): Promise<void>;
  /** Deletes a Storage Box, with all that is in it. */
  deleteStorageBox(username: string): Promise<void>;
  /** Publishes the whole contents of a zone; the runtime adds SOA and NS. */
  setZone(name: string, records: readonly ZoneRecord[]): Promise<void>;
  deleteZone(name: string): Promise<void>;
  setReverseDns(address: string, name: string | undefined): Promise<void>;
}

export interface Addresses {
  /** Public IPv4 address. */
  readonly ipv4?: string;
  /** Address of the interface, where it is not the public one: the network translates between the two, both ways. */
  readonly privateIpv4?: string;
  /** /64 in CIDR form; the host uses its ::1. */
  readonly ipv6Network?: string;
  /** Single IPv6 address, at a cloud that gives a host no network of its own. */
  readonly ipv6?: string;
}

export interface ServerSpec {
  readonly id: string;
  readonly name: string;
  /** "22.04" or "24.04": the Ubuntu release the host presents itself as. */
  readonly ubuntu: string;
  /** Snapshot that its disk is a copy of. @default the image of that Ubuntu release */
  readonly snapshot?: string;
  readonly cores: number;
  readonly memoryGb: number;
  /** Size of its disk, which may be more than this machine's space. */
  readonly diskGb: number;
  readonly userData: string;
  /** authorized_keys lines for the image's login user, from the cloud's SSH keys. */
  readonly sshPublicKeys: readonly string[];
  /**
   * Login user. Any but root is an account without password that may sudo, as on Canonical's images on EC2.
   * @default root
   */
  readonly loginUser?: string;
  /** Hop limit of the metadata service's answers. @default the usual one */
  readonly metadataHopLimit?: number;
  readonly addresses: Addresses;
  /** Inbound rules from before the boot on, see {@link CloudRuntime.setFirewall}. */
  readonly rules: readonly InboundRule[] | undefined;
}

/** Account for files, at USERNAME.your-storagebox.de. */
export interface StorageBoxSpec {
  readonly username: string;
  /** First lines of authorized_keys; its owner may change them later. */
  readonly sshPublicKeys: readonly string[];
  /** Lets the account in by SSH, on port 23. */
  readonly ssh: boolean;
}

export interface InboundRule {
  readonly protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  /** Port or range, "22" or "16384-32768"; absent for protocols without ports. */
  readonly ports?: string;
  readonly sources: readonly string[];
}

export interface ZoneRecord {
  /** Name relative to the zone, "@" for the apex. */
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly value: string;
}
