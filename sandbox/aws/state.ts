import { existsSync, readFileSync } from "node:fs";

import { writeJson } from "../hosts/files";
import type { Addresses, InboundRule } from "../runtime";

/** An instance's states that last; moto knows only running, stopped and terminated. */
export type InstanceState = "pending" | "running" | "stopping" | "stopped" | "shutting-down" | "terminated";

/** Last state of a host that was asked of the machine. */
export interface Applied {
  readonly addresses: Addresses;
  readonly rules: readonly InboundRule[];
  readonly cores: number;
  readonly memoryGb: number;
  /** Size of its root volume. Missing from states of earlier versions. */
  readonly diskGb?: number;
}

export interface InstanceRecord {
  /** The host's id on this machine: short, since it is part of the name of its network interface. */
  readonly host: string;
  state: InstanceState;
  /** Name of its placement group. @default none */
  placementGroup?: string;
  /** Ubuntu release of its disk. Missing from states of earlier versions. */
  ubuntu?: string;
  /** Reason of the last state, where the user did not ask for it. */
  reason?: { readonly code: string; readonly message: string };
  applied?: Applied;
  /** Answers of the metadata service about the instance. */
  guest?: Guest;
}

/** Facts about an instance that it can ask for. */
export interface Guest {
  readonly instanceId: string;
  readonly imageId: string;
  readonly instanceType: string;
  readonly availabilityZone: string;
  readonly region: string;
  readonly hostname: string;
  readonly mac: string;
  readonly interfaceId: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly addresses: Addresses;
  readonly keyName?: string;
  readonly publicKey?: string;
  readonly userData: string;
  readonly endpoint: boolean;
  readonly tokensRequired: boolean;
}

export interface VolumeRecord {
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  attachedAt?: number;
  detaching?: boolean;
  applied?: { readonly sizeGb: number; readonly host?: string; readonly devicePath?: string };
}

/** Snapshot of an instance's root volume, which an image of the account is made of. moto knows the objects' ids. */
export interface SnapshotRecord {
  readonly imageId: string;
  readonly instanceId: string;
  /** The instance's root volume. */
  readonly volumeId: string;
  readonly sizeGb: number;
  readonly encrypted: boolean;
  /** Ubuntu release, "24.04". */
  readonly ubuntu: string;
  /** True where the instance is switched off for it. */
  readonly reboot: boolean;
  state: "pending" | "available" | "failed";
  /** Bytes that were written to the volume, once it is there. */
  bytes?: number;
  /** Reason of a failure. */
  reason?: string;
}

/** A spread placement group. */
export interface PlacementGroup {
  readonly id: string;
  readonly name: string;
  tags: Readonly<Record<string, string>>;
}

/** A lifecycle policy as its API has it. */
export interface Policy {
  readonly id: string;
  description: string;
  executionRoleArn: string;
  state: string;
  details: unknown;
  tags: Record<string, string>;
  readonly createdAt: string;
  modifiedAt: string;
}

/** State of the sandbox's AWS that moto doesn't have. */
export interface State {
  readonly version: 1;
  nextHost: number;
  nextAddress: number;
  nextInterface: number;
  nextPolicy: number;
  nextPlacementGroup: number;
  nextChange: number;
  /** Ids of the objects that existed before any deployment. */
  seeded: string[];
  instances: Record<string, InstanceRecord>;
  volumes: Record<string, VolumeRecord>;
  snapshots: Record<string, SnapshotRecord>;
  /** Answers by client token. */
  tokens: Record<string, { readonly fingerprint: string; readonly body: string }>;
  /** Last published content of each zone. */
  zones: Record<string, string>;
  /** Time of each change of records. */
  changes: Record<string, number>;
  policies: Record<string, Policy>;
  /** By name. */
  placementGroups: Record<string, PlacementGroup>;
}

export function emptyState(): State {
  return {
    version: 1,
    nextHost: 1,
    nextAddress: 0,
    nextInterface: 0,
    nextPolicy: 1,
    nextPlacementGroup: 1,
    nextChange: 1,
    seeded: [],
    instances: {},
    volumes: {},
    snapshots: {},
    tokens: {},
    zones: {},
    changes: {},
    policies: {},
    placementGroups: {},
  };
}

/** The state on disk: one JSON file of mode 0600, replaced as a whole by each {@link save}. */
export class Store {
  readonly state: State;

  constructor(private readonly file: string) {
    const saved = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as State) : undefined;
    // A kind of object that the process before did not know has none.
    this.state = { ...emptyState(), ...saved };
    if (this.state.version !== 1)
      throw new Error(`${file} has an unknown version: run ./scripts/sandbox reset and deploy again`);
  }

  save(): void {
    writeJson(this.file, this.state);
  }
}
