import { join } from "node:path";

import { renderRules } from "../network/firewall";
import {
  connectHost,
  disconnectHost,
  ensureHostNetwork,
  removeHostNetwork,
  setHostFirewall,
  setTranslations,
} from "../network/namespaces";
import { SANDBOX_STATE } from "../paths";
import type { Addresses, CloudRuntime, InboundRule, ServerSpec } from "../runtime";
import type { StorageBoxes } from "../services/storageBoxes";
import type { Zones } from "../services/zones";
import {
  boot,
  createDisk,
  type Device,
  deleteDisk,
  growDisk,
  halt,
  plug,
  takeSnapshot,
  unplug,
  writeOptions,
} from "./container";
import { omit, readJson, writeJson } from "./files";
import { removeSnapshot } from "./snapshots";
import { closeDevice, createImage, deleteImage, openDevice, resizeImage } from "./volumes";

interface HostRecord {
  readonly spec: ServerSpec;
  /** Tree below the overlay of its disk. */
  readonly tree: string;
  readonly power: boolean;
  readonly rules?: readonly InboundRule[];
}

interface SnapshotRecord {
  /** Tree below the overlay of the disks that are made of it. */
  readonly tree: string;
}

interface VolumeRecord {
  readonly serverId?: string;
  readonly devicePath?: string;
}

/** Requests to the runtime, on disk so that they outlive the daemon and the machine. */
interface Records {
  hosts: Record<string, HostRecord>;
  snapshots: Record<string, SnapshotRecord>;
  volumes: Record<string, VolumeRecord>;
}

const RECORDS_FILE = join(SANDBOX_STATE, "machines.json");

/** Hosts and their power, by the runtime's last record. */
export function readHosts(): { spec: ServerSpec; power: boolean }[] {
  return Object.values(readJson<Records>(RECORDS_FILE)?.hosts ?? {});
}

/** A CloudRuntime whose hosts are containers on this machine. */
export class MachineRuntime implements CloudRuntime {
  private readonly records: Records = {
    ...{ hosts: {}, snapshots: {}, volumes: {} },
    ...readJson<Records>(RECORDS_FILE),
  };
  private readonly queues = new Map<string, Promise<unknown>>();

  /**
   * @param tree Base tree of the image, for new hosts.
   * @param zones Publisher of zones and reverse names.
   * @param boxes Server of the Storage Boxes.
   */
  constructor(
    private readonly tree: string,
    private readonly zones: Zones,
    private readonly boxes: StorageBoxes,
  ) {}

  /** Restores everything recorded, after the machine or the daemon was down. */
  async restore(): Promise<void> {
    await this.translate();
    await this.boxes.restore();
    for (const { spec, tree, power, rules } of Object.values(this.records.hosts)) {
      await ensureHostNetwork(spec.id, spec.metadataHopLimit);
      await setHostFirewall(renderRules(spec.id, rules));
      if (!power) continue;
      await boot(spec, tree, await this.devicesOf(spec.id));
      await connectHost(spec.id, spec.addresses);
    }
  }

  createServer(spec: ServerSpec): Promise<void> {
    return this.inTurn(spec.id, async () => {
      if (!this.records.hosts[spec.id]) {
        const tree = spec.snapshot === undefined ? this.tree : this.treeOf(spec.snapshot);
        await createDisk(spec);
        this.save(spec.id, { spec, tree, power: true, rules: spec.rules });
      }
      await this.switchOn(spec.id);
    });
  }

  deleteServer(id: string): Promise<void> {
    return this.inTurn(id, async () => {
      for (const [volume, { serverId }] of Object.entries(this.records.volumes)) {
        if (serverId === id) await this.releaseVolume(volume);
      }
      await halt(id, false);
      await removeHostNetwork(id);
      await deleteDisk(id);
      this.records.hosts = omit(this.records.hosts, id);
      this.write();
      await this.translate();
    });
  }

  powerOn(id: string): Promise<void> {
    return this.inTurn(id, async () => {
      this.save(id, { ...this.host(id), power: true });
      await this.switchOn(id);
    });
  }

  powerOff(id: string, graceful: boolean): Promise<void> {
    return this.inTurn(id, async () => {
      this.save(id, { ...this.host(id), power: false });
      await halt(id, graceful);
      await disconnectHost(id);
    });
  }

  resizeServer(id: string, cores: number, memoryGb: number): Promise<void> {
    return this.inTurn(id, async () => {
      const host = this.host(id);
      this.save(id, { ...host, spec: { ...host.spec, cores, memoryGb } });
    });
  }

  resizeDisk(id: string, sizeGb: number): Promise<void> {
    return this.inTurn(id, async () => {
      const host = this.host(id);
      growDisk(id, sizeGb);
      this.save(id, { ...host, spec: { ...host.spec, diskGb: sizeGb } });
      await Promise.resolve();
    });
  }

  setAddresses(id: string, addresses: Addresses): Promise<void> {
    return this.inTurn(id, async () => {
      const host = this.host(id);
      this.save(id, { ...host, spec: { ...host.spec, addresses } });
      await ensureHostNetwork(id, host.spec.metadataHopLimit);
      await connectHost(id, addresses);
      await this.translate();
      if (!host.power) await disconnectHost(id);
    });
  }

  setFirewall(id: string, rules: readonly InboundRule[] | undefined): Promise<void> {
    return this.inTurn(id, async () => {
      const host = this.host(id);
      this.save(id, { ...host, rules });
      await ensureHostNetwork(id, host.spec.metadataHopLimit);
      await setHostFirewall(renderRules(id, rules));
    });
  }

  createSnapshot(id: string, serverId: string): Promise<number> {
    return this.inTurn(serverId, async () => {
      const { tree } = this.host(serverId);
      const bytes = await takeSnapshot(id, serverId);
      this.records.snapshots[id] = { tree };
      this.write();
      return bytes;
    });
  }

  async deleteSnapshot(id: string): Promise<void> {
    removeSnapshot(id);
    this.records.snapshots = omit(this.records.snapshots, id);
    this.write();
    await Promise.resolve();
  }

  createVolume(id: string, sizeGb: number, format?: "ext4" | "xfs"): Promise<void> {
    return this.inTurn(`volume-${id}`, async () => {
      await createImage(id, sizeGb, format);
      this.records.volumes[id] ??= {};
      this.write();
    });
  }

  resizeVolume(id: string, sizeGb: number): Promise<void> {
    return this.inTurn(`volume-${id}`, () => resizeImage(id, sizeGb));
  }

  deleteVolume(id: string): Promise<void> {
    return this.inTurn(`volume-${id}`, async () => {
      await this.releaseVolume(id);
      await deleteImage(id);
      this.records.volumes = omit(this.records.volumes, id);
      this.write();
    });
  }

  attachVolume(id: string, serverId: string, devicePath: string): Promise<void> {
    return this.inTurn(`volume-${id}`, async () => {
      const source = await openDevice(id);
      this.records.volumes[id] = { serverId, devicePath };
      this.write();
      await plug(serverId, { source, path: devicePath });
      await this.renewOptions(serverId);
    });
  }

  detachVolume(id: string): Promise<void> {
    return this.inTurn(`volume-${id}`, () => this.releaseVolume(id));
  }

  setStorageBox: CloudRuntime["setStorageBox"] = (box) => this.inTurn("boxes", () => this.boxes.set(box));
  deleteStorageBox: CloudRuntime["deleteStorageBox"] = (username) =>
    this.inTurn("boxes", () => this.boxes.delete(username));
  setZone: CloudRuntime["setZone"] = (name, records) => this.zones.set(name, records);
  deleteZone: CloudRuntime["deleteZone"] = (name) => this.zones.delete(name);
  setReverseDns: CloudRuntime["setReverseDns"] = (address, name) => this.zones.setReverse(address, name);

  private async switchOn(id: string): Promise<void> {
    const { spec, tree, rules } = this.host(id);
    await ensureHostNetwork(id, spec.metadataHopLimit);
    await setHostFirewall(renderRules(id, rules));
    await connectHost(id, spec.addresses);
    await this.translate();
    await boot(spec, tree, await this.devicesOf(id));
  }

  /** Translates the addresses of all hosts, one call at a time, from the records at that moment. */
  private translate(): Promise<void> {
    return this.inTurn("translations", () =>
      setTranslations(Object.values(this.records.hosts).map(({ spec }) => spec.addresses)),
    );
  }

  private async releaseVolume(id: string): Promise<void> {
    const { serverId, devicePath } = this.records.volumes[id] ?? {};
    if (serverId === undefined || devicePath === undefined) return;
    await unplug(serverId, devicePath);
    this.records.volumes[id] = {};
    this.write();
    await closeDevice(id);
    await this.renewOptions(serverId);
  }

  private async devicesOf(serverId: string): Promise<Device[]> {
    const devices: Device[] = [];
    for (const [id, volume] of Object.entries(this.records.volumes)) {
      if (volume.serverId !== serverId || volume.devicePath === undefined) continue;
      devices.push({ source: await openDevice(id), path: volume.devicePath });
    }
    return devices;
  }

  private async renewOptions(serverId: string): Promise<void> {
    const host = this.records.hosts[serverId];
    if (host) writeOptions(host.spec, await this.devicesOf(serverId));
  }

  private host(id: string): HostRecord {
    const host = this.records.hosts[id];
    if (!host) throw new Error(`no host ${id} on this machine`);
    return host;
  }

  private treeOf(snapshot: string): string {
    const found = this.records.snapshots[snapshot];
    if (!found) throw new Error(`no snapshot ${snapshot} on this machine`);
    return found.tree;
  }

  private save(id: string, host: HostRecord): void {
    this.records.hosts[id] = host;
    this.write();
  }

  private write(): void {
    writeJson(RECORDS_FILE, this.records);
  }

  /** Makes the changes of one object one after the other, in the order of the calls. */
  private inTurn<T>(key: string, change: () => Promise<T>): Promise<T> {
    const turn = (this.queues.get(key) ?? Promise.resolve()).then(change, change);
    this.queues.set(
      key,
      turn.catch(() => undefined),
    );
    return turn;
  }
}
