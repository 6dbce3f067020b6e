import { setTimeout as sleep } from "node:timers/promises";

import { alter, type Cloud } from "./cloud";
import { reconcile, specOf } from "./reconcile";
import type { InstanceRecord, SnapshotRecord, VolumeRecord } from "./state";
import { readVolumes } from "./view";

/**
 * Work that takes time. Brings instances, volumes and images from an in-between state (see state.ts) to the next one. A new
 * process finds them on disk and continues.
 */
export class Lifecycle {
  readonly #running = new Map<string, Promise<void>>();
  readonly #ending = new AbortController();

  constructor(
    private readonly cloud: Cloud,
    private readonly note: (event: string, details: Record<string, unknown>) => void,
  ) {}

  /** Starts pending work that is not under way. */
  proceed(): void {
    const { instances, snapshots, volumes } = this.cloud.store.state;
    for (const [id, record] of Object.entries(instances)) {
      const work = this.#workFor(id, record);
      if (work) this.#start(id, record.state, work);
    }
    for (const [id, record] of Object.entries(volumes))
      if (record.detaching) this.#start(id, "detaching", () => this.#detach(id, record));
    for (const [id, record] of Object.entries(snapshots))
      if (record.state === "pending") this.#start(id, "pending", () => this.#snapshot(id, record));
  }

  /** Stops. The next process does the rest. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#running.values());
  }

  #workFor(id: string, record: InstanceRecord): (() => Promise<void>) | undefined {
    switch (record.state) {
      case "pending":
        return () => (record.applied === undefined ? this.#boot(id, record) : this.#powerOn(record));
      case "stopping":
        return () => this.#powerOff(id, record);
      case "shutting-down":
        return () => this.#terminate(id, record);
      default:
        return undefined;
    }
  }

  /** Runs one piece of work for an object at a time; when it is done, there may be another. */
  #start(id: string, what: string, work: () => Promise<void>): void {
    if (this.#running.has(id) || this.#ending.signal.aborted) return;
    const done = work()
      .catch((error: unknown) => {
        if (this.#ending.signal.aborted) return;
        this.note("work failed", { id, what, error: error instanceof Error ? error.stack : String(error) });
        return this.#pause(1000);
      })
      .then(() => {
        this.#running.delete(id);
        this.proceed();
      });
    this.#running.set(id, done);
  }

  #pause(milliseconds: number): Promise<void> {
    return sleep(milliseconds, undefined, { signal: this.#ending.signal }).catch(() => undefined);
  }

  /** Runs the consequences of finished work, in turn with the API's calls. */
  #conclude(change: () => Promise<void> | void): Promise<void> {
    return this.cloud.exclusive(async () => {
      if (this.#ending.signal.aborted) return;
      await change();
      await reconcile(this.cloud, { service: "ec2", action: "" });
      this.cloud.store.save();
    });
  }

  async #boot(id: string, record: InstanceRecord): Promise<void> {
    try {
      const { spec, applied } = await this.cloud.exclusive(() => specOf(this.cloud, id));
      await this.cloud.runtime.createServer(spec);
      await this.#pause(this.cloud.delays.instance);
      await this.#conclude(() => {
        record.applied = applied;
        record.ubuntu = spec.ubuntu;
        if (record.state === "pending") record.state = "running";
      });
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      // As an instance that EC2 can't start: it ends, and says why.
      this.note("instance does not boot", {
        id,
        error: error instanceof Error ? error.stack : String(error),
      });
      await this.#conclude(async () => {
        await alter(this.cloud, "ModifyInstanceAttribute", {
          InstanceId: id,
          "DisableApiTermination.Value": "false",
        });
        record.state = "shutting-down";
        record.reason = {
          code: "Server.InternalError",
          message: `Server.InternalError: ${error instanceof Error ? error.message : String(error)}`,
        };
      });
    }
  }

  async #powerOn(record: InstanceRecord): Promise<void> {
    await this.cloud.runtime.powerOn(record.host);
    await this.#pause(this.cloud.delays.instance);
    await this.#conclude(() => {
      if (record.state === "pending") record.state = "running";
    });
  }

  async #powerOff(id: string, record: InstanceRecord): Promise<void> {
    await this.cloud.runtime.powerOff(record.host, true);
    await this.#pause(this.cloud.delays.instance);
    await this.#conclude(async () => {
      if (record.state !== "stopping") return;
      await alter(this.cloud, "StopInstances", { "InstanceId.1": id });
      record.state = "stopped";
    });
  }

  async #terminate(id: string, record: InstanceRecord): Promise<void> {
    await this.cloud.runtime.deleteServer(record.host);
    await this.#pause(this.cloud.delays.instance);
    await this.#conclude(async () => {
      // Those that outlive it; a root disk is part of the host.
      for (const volume of Object.values(this.cloud.store.state.volumes)) {
        if (volume.applied?.host === record.host) volume.applied = { sizeGb: volume.applied.sizeGb };
      }
      await alter(this.cloud, "TerminateInstances", { "InstanceId.1": id });
      record.state = "terminated";
      record.applied = undefined;
      record.guest = undefined;
    });
  }

  async #snapshot(id: string, record: SnapshotRecord): Promise<void> {
    const { runtime, store, delays } = this.cloud;
    const instance = store.state.instances[record.instanceId];
    let reason: string | undefined;
    try {
      if (!instance) throw new Error(`instance ${record.instanceId} is gone`);
      if (record.reboot) await runtime.powerOff(instance.host, true);
      record.bytes = await runtime.createSnapshot(id, instance.host);
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    // Whoever stopped or ended it in the meantime keeps it so.
    if (record.reboot && instance?.state === "running") await runtime.powerOn(instance.host);
    await this.#pause(delays.image);
    await this.#conclude(async () => {
      record.state = reason === undefined ? "available" : "failed";
      record.reason = reason;
      if (store.state.snapshots[id] === undefined) await runtime.deleteSnapshot(id);
    });
  }

  async #detach(id: string, record: VolumeRecord): Promise<void> {
    await this.cloud.runtime.detachVolume(id);
    await this.#pause(this.cloud.delays.volume);
    await this.#conclude(async () => {
      const volume = (await readVolumes(this.cloud)).find((other) => other.id === id);
      const attachment = volume?.attachment;
      if (attachment)
        await alter(this.cloud, "DetachVolume", {
          VolumeId: id,
          InstanceId: attachment.instanceId,
          Device: attachment.device,
        });
      record.detaching = undefined;
      record.attachedAt = undefined;
      if (record.applied) record.applied = { sizeGb: record.applied.sizeGb };
    });
  }
}
