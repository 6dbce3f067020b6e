/** What exists at the clouds, found by our labels, whatever any stack's state says. */

import type { CloudName } from "../../bigbluebutton/capacity";

export type { CloudName };

/** In the words of the operator's tables; on AWS an instance is a server, an Elastic IP an address, and so on. */
export type ObjectType =
  | "server"
  | "address"
  | "network-interface"
  | "firewall"
  | "volume"
  | "record-set"
  | "ssh-key"
  | "snapshot-policy"
  | "role";

/** Something at a cloud that has our project's label. */
export interface CloudObject {
  readonly cloud: CloudName;
  /** At AWS, that of the inventory which found it; ids are looked up there only. */
  readonly region?: string;
  readonly type: ObjectType;
  /** As the state of a stack has it; of a record set "zone/name/type", of a key pair at AWS its name. */
  readonly id: string;
  readonly name: string;
  /** Labels at Hetzner, tags at AWS. */
  readonly labels: Readonly<Record<string, string>>;
  readonly created?: Date;
  /** The cloud refuses to delete it. */
  readonly protected: boolean;
  /** Of a server: the cloud's own word, e.g. "running". */
  readonly status?: string;
  /** Of a server, an address or a volume: id of the server that has it or that it is. */
  readonly server?: string;
  /** Of a firewall: ids of the servers that are behind it. */
  readonly appliedTo?: readonly string[];
  /** Of a firewall: what it lets in. */
  readonly inbound?: readonly InboundRule[];
}

/** One rule, the same from every network in `sources`. */
export interface InboundRule {
  readonly protocol: "tcp" | "udp" | "icmp" | "icmpv6";
  /** "443", "16384-32768"; undefined for ICMP. */
  readonly port?: string;
  /** Networks in CIDR form. */
  readonly sources: readonly string[];
}

/** What became of one object that was to be removed. */
export interface Removal {
  readonly object: CloudObject;
  /** Why it is still there; undefined: it is gone, whoever removed it. */
  readonly problem?: string;
}

/** One account at one cloud, at AWS one region of it. */
export interface Inventory {
  readonly cloud: CloudName;
  readonly region?: string;
  /** Everything with the label `project` of this value. Snapshots and images are never among it. */
  list(project: string): Promise<readonly CloudObject[]>;
  /**
   * Remove objects, in the order that works: servers, then what they held. One that can't be removed doesn't stop the
   * others; one that is gone already counts as removed.
   */
  remove(objects: readonly CloudObject[]): Promise<readonly Removal[]>;
}
