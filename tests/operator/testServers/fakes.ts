import type { Change } from "../../../cli/pulumiEvents";
import type { CloudObject, Inventory, ObjectType } from "../../../operator/inventory";
import type { StackSettings } from "../../../cli/stackFiles";
import {
  StackBusy,
  StackNotFound,
  UpdateFailed,
  type StackResource,
  type Stacks,
} from "../../../operator/stacks";
import type { PoolServer } from "../../../operator/poolServers";
import type { World } from "../../../operator/testServers/world";

/** Present time in these tests. */
export const NOW = new Date("2026-11-21T08:00:00Z");
export const epoch = (minutes: number) => String(NOW.getTime() / 1000 + minutes * 60);

interface FakeStack {
  settings: StackSettings;
  resources: StackResource[];
  outputs: Record<string, unknown>;
}

export function resource(stack: string, name: string, id: string, expires?: string): StackResource {
  const type = name.endsWith("server") ? "hcloud:index/server:Server" : "hcloud:index/volume:Volume";
  const labels = { project: "bigbluebutton", stack, ...(expires && { expires }) };
  const urn = `urn:pulumi:${stack}::bigbluebutton::${type}::${name}`;
  return {
    urn,
    type,
    name,
    id,
    protect: false,
    inputs: { labels },
    outputs: {},
    created: new Date(NOW.getTime() - 3.6e6),
  };
}

export function stackResource(stack: string, outputs: Record<string, unknown>): StackResource {
  const type = "pulumi:pulumi:Stack";
  const urn = `urn:pulumi:${stack}::bigbluebutton::${type}::bigbluebutton-${stack}`;
  return { urn, type, name: `bigbluebutton-${stack}`, protect: false, inputs: {}, outputs };
}

export function object(
  type: ObjectType,
  id: string,
  labels: Record<string, string>,
  more: Partial<CloudObject> = {},
): CloudObject {
  return {
    cloud: "hetzner",
    type,
    id,
    name: `${type}-${id}`,
    labels: { project: "bigbluebutton", ...labels },
    created: NOW,
    protected: false,
    ...more,
  };
}

/** Stacks and a cloud in memory. Records the calls. */
export class FakeWorld implements World {
  readonly calls: string[] = [];
  readonly said: string[] = [];
  readonly slept: number[] = [];
  readonly known = new Map<string, FakeStack>();
  objects: CloudObject[] = [];
  /** Stacks with a running update. */
  readonly busy = new Set<string>();
  /** Stacks whose removal fails, each with the reason. */
  readonly stubborn = new Map<string, string>();
  changes: Change[] = [];
  time = NOW;
  stopped = false;
  /** Called while the command waits. */
  meanwhile: () => void = () => undefined;

  /** Adds a stack with a server and a volume that also exist at the cloud. */
  add(stack: string, expires: string | undefined, outputs: Record<string, unknown> = {}): this {
    const labels = { stack, ...(expires && { expires }) };
    this.known.set(stack, {
      settings: {
        domain: "example.org",
        hostname: `bbb-${stack}`,
        turnHostname: `turn-${stack}`,
        ...(expires && { expires }),
      },
      resources: [
        stackResource(stack, outputs),
        resource(stack, "bbb-host-server", `${stack}-s`, expires),
        resource(stack, "bbb-host-volume", `${stack}-v`, expires),
      ],
      outputs,
    });
    this.objects.push(object("server", `${stack}-s`, labels), object("volume", `${stack}-v`, labels));
    return this;
  }

  /** Requests so far that change something. */
  get changed(): string[] {
    return this.calls.filter((call) => !/^(list|settings|resources|outputs|preview)\b/.test(call));
  }

  readonly stacks: Stacks = {
    project: "bigbluebutton",
    resumesKilledUpdates: false,
    list: () =>
      Promise.resolve([...this.known.keys()].map((name) => ({ name, updating: this.busy.has(name) }))),
    settings: (stack) => this.of(stack, "settings", ({ settings }) => settings),
    preview: (stack) => this.of(stack, "preview", () => this.changes),
    exportState: (stack) => this.of(stack, "export", ({ resources }) => ({ deployment: { resources } })),
    importState: (stack) => this.of(stack, "import", () => undefined),
    resources: (stack) => this.of(stack, "resources", ({ resources }) => resources),
    outputs: (stack) => this.of(stack, "outputs", ({ outputs }) => outputs),
    up: async (stack, settings) => {
      this.calls.push(`up ${stack}`);
      if (this.busy.has(stack)) throw new StackBusy(stack);
      const old = this.known.get(stack) ?? { resources: [], outputs: {} };
      this.known.set(stack, { ...old, settings });
      const reason = this.stubborn.get(stack);
      if (reason !== undefined) throw new UpdateFailed(stack, reason);
    },
    configure: (stack) => this.of(stack, "configure", () => undefined),
    upAgain: (stack) => this.of(stack, "up again", () => undefined),
    refresh: (stack) => this.of(stack, "refresh", () => undefined),
    destroy: (stack) =>
      this.of(stack, "destroy", (found) => {
        if (this.busy.has(stack)) throw new StackBusy(stack);
        const reason = this.stubborn.get(stack);
        if (reason !== undefined) throw new UpdateFailed(stack, reason);
        const ids = found.resources.map(({ id }) => id);
        this.objects = this.objects.filter(({ id }) => !ids.includes(id));
        found.resources = [];
      }),
    settle: (stack) =>
      this.of(stack, "settle", () => {
        if (this.busy.has(stack)) throw new StackBusy(stack);
      }),
    remove: (stack) =>
      this.of(stack, "remove", () => {
        this.known.delete(stack);
      }),
  };

  readonly inventory: Inventory = {
    cloud: "hetzner",
    list: () => Promise.resolve(this.objects),
    remove: async (objects) => {
      this.calls.push(`remove ${objects.map(({ id }) => id).join(" ")}`);
      const gone = objects.filter((one) => !one.protected);
      this.objects = this.objects.filter((one) => !gone.includes(one));
      return objects.map((one) => ({ object: one, ...(one.protected && { problem: "it is protected" }) }));
    },
  };

  readonly inventories = async () => [this.inventory];
  readonly like = async () => undefined;
  readonly now = () => this.time;
  readonly say = (line: string) => void this.said.push(line);
  readonly interrupted = () => this.stopped;
  readonly sleep = async (seconds: number) => {
    this.slept.push(seconds);
    this.meanwhile();
  };

  private async of<T>(stack: string, call: string, answer: (found: FakeStack) => T): Promise<T> {
    this.calls.push(`${call} ${stack}`);
    const found = this.known.get(stack);
    if (found === undefined) throw new StackNotFound(stack);
    return answer(found);
  }
}

/** Server of a pool with meetings, which end at the first pause after they were asked to. */
export function fakePoolServer(
  fqdn: string,
  meetings: number | "silent" = 0,
): PoolServer & { readonly asked: string[]; readonly atLast: () => void } {
  const asked: string[] = [];
  let left = meetings;
  return {
    ...{ fqdn, asked },
    atLast: () => {
      if (asked.includes("end")) left = 0;
    },
    async state() {
      asked.push("state");
      if (left === "silent") throw new Error("no answer");
      return {
        meetings: Array.from({ length: left }, () => ({ people: 2, breakout: false })),
        unprocessed: [],
      };
    },
    async endMeetings() {
      asked.push("end");
    },
  };
}
