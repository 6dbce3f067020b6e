/** Servers at a cloud and the snapshots of their disks, for commands that take a server away and bring it back. */
import type { CloudName } from "../../bigbluebutton/capacity";

export type Labels = Readonly<Record<string, string>>;

/** Server at a cloud. */
export interface Server {
  readonly id: string;
  readonly name: string;
  /** State in the cloud's own word: "running", "off", "stopped". */
  readonly status: string;
  /** Id of the image that its disk was made from, if the cloud tells. */
  readonly image?: string;
  /** GB that a server made from an image of its disk needs, if the cloud tells. */
  readonly diskGb?: number;
  /** Time since which it is stopped, if the cloud tells. */
  readonly stopped?: Date;
}

/** Snapshot of a server's disk, from which a server can be made. */
export interface Snapshot {
  readonly id: string;
  readonly created: Date;
  readonly labels: Labels;
  /** True once a server can be made from it. */
  readonly available: boolean;
  /** Billed size in GB, once it is available. */
  readonly gb?: number;
}

/** Servers of one account at one cloud, and the snapshots of their disks. */
export interface Servers {
  readonly cloud: CloudName;
  /** Way in which a server is parked: a stopped one costs as much as a running one at some clouds. */
  readonly parksBy: "snapshot" | "stopping";
  /** Finds servers with these labels. */
  find(labels: Labels): Promise<readonly Server[]>;
  /** Shuts a server down, waits until it is off, and switches it off where it does not shut down. */
  stop(id: string): Promise<void>;
  /** Starts a server that is off. */
  start(id: string): Promise<void>;
  /** Restarts a server that runs. */
  restart(id: string): Promise<void>;
  /** True where a server of that type can be had there now. */
  isOffered(type: string, location: string): Promise<boolean>;
  /** Finds snapshots with these labels, the newest first. */
  snapshots(labels: Labels): Promise<readonly Snapshot[]>;
  /** Makes a snapshot of the disk of a server that is off, and waits for it. */
  take(id: string, labels: Labels, description: string): Promise<Snapshot>;
  /** Waits for a snapshot that is being made. Removes what failed. @throws Failure where it was not made */
  available(id: string): Promise<Snapshot>;
  /** Changes a snapshot's labels. */
  relabel(id: string, labels: Labels): Promise<void>;
  /** Removes a snapshot for good. One that does not exist any more counts as removed. */
  remove(id: string): Promise<void>;
  /** Deletes a server that is off; its addresses and volumes stay. Lifts the cloud's own protection of it. */
  letGo(id: string): Promise<void>;
}
