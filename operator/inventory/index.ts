/** Objects at the clouds, found by our labels, independent of any stack's state. */

import type { CloudName } from "../../bigbluebutton/capacity";

export type { CloudName };

/** Types in the words of the operator's tables; on AWS an instance is a server, an Elastic IP an address, and so on. */
export type ObjectType =
  | "server"
  | "address"
  | "network-interface"
  | "firewall"
  | "placement-group"
  | "volume"
  | "storage-box"
  | "record-set"
  | "ssh-key"
  | "snapshot-policy"
  | "role";

/** Object at a cloud that has our project's label. */
export interface CloudObject {
  readonly cloud: CloudName;
  /** Region of the inventory that found it, at AWS; its id is valid there only. */
  readonly region?: string;
  readonly type: ObjectType;
  /** Id as in a stack's state; of a record set "zone/name/type", of a key pair at AWS its name. */
  readonly id: string;
  readonly name: string;
  /** Labels at Hetzner, tags at AWS. */
  readonly labels: Readonly<Record<string, string>>;
  readonly created?: Date;
  /** True when the cloud refuses to delete it. */
  readonly protected: boolean;
  /** State of a server, in the cloud's own word, e.g. "running". */
  readonly status?: string;
  /** Id of the server that it is or that has it, for a server, an address or a volume. */
  readonly server?: string;
  /** Ids of the servers behind a firewall. */
  readonly appliedTo?: readonly string[];
  /** Inbound rules of a firewall. */
  readonly inbound?: readonly InboundRule[];
}

/** One rule, the same for every network in `sources`. */
export interface InboundRule {
  readonly protocol: "tcp" | "udp" | "icmp" | "icmpv6";
  /** "443", "16384-32768"; undefined for ICMP. */
  readonly port?: string;
  /** Networks in CIDR form. */
  readonly sources: readonly string[];
}

/** Result of removing one object. */
export interface Removal {
  readonly object: CloudObject;
  /** Reason why it still exists; undefined when it doesn't, even if another command removed it. */
  readonly problem?: string;
}

/** One account at one cloud; at AWS one region of it. */
export interface Inventory {
  readonly cloud: CloudName;
  readonly region?: string;
  /** Lists everything whose label `project` has this value. Snapshots and images are never among it. */
  list(project: string): Promise<readonly CloudObject[]>;
  /**
   * Removes objects in the right order: servers, then what they held. A failure doesn't stop the others; an object that
   * no longer exists counts as removed.
   */
  remove(objects: readonly CloudObject[]): Promise<readonly Removal[]>;
}
