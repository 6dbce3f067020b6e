import { Failure } from "../../../cli/mistake";
import type { World } from "../../../operator/park/world";
import type { Labels, Server, Snapshot, Servers } from "../../../operator/servers";

/** Word with which a fake ends a command, as the death of its process does. */
export class Killed extends Error {}

/** Stack "prod" with its servers at a cloud in memory. Records what is done, and can end the command before any of it. */
export class FakeCloud {
  readonly done: string[] = [];
  readonly said: string[] = [];
  readonly servers = new Map<string, Server & { readonly labels: Labels }>();
  readonly snapshots = new Map<string, Snapshot>();
  meetings: number | Error = 0;
  /** Whether there is a recordings volume. */
  volume = true;
  /** Whether the type of server can be had. */
  offered = true;
  /** Number of actions after which the command ends. */
  killAfter = Infinity;
  /** Reason why the next update fails. */
  failing?: string;
  /** Snapshots that are made are not available before somebody waits for them. */
  private made = 100;

  constructor() {
    this.add("bbb", "1");
    this.add("turn", "2");
  }

  add(role: "bbb" | "turn", id: string, more: Partial<Server> = {}): void {
    const labels = { project: "bigbluebutton", stack: "prod", role };
    this.servers.set(id, { id, name: `${role}.example.org`, status: "running", labels, ...more });
  }

  /** Notes an action, which is done unless the command is ended before it. */
  act(what: string, change: () => void = () => undefined): void {
    if (this.done.length >= this.killAfter) throw new Killed(what);
    this.done.push(what);
    change();
  }

  private set(id: string, status: string): void {
    const server = this.servers.get(id);
    if (server === undefined) throw new Failure(`no server ${id}`);
    this.servers.set(id, { ...server, status });
  }

  /** Servers at a cloud where a parked one is a snapshot. */
  readonly taking: Servers = {
    cloud: "hetzner",
    parksBy: "snapshot",
    find: (labels) =>
      Promise.resolve([...this.servers.values()].filter((one) => one.labels.role === labels.role)),
    stop: async (id) => this.act(`stop ${id}`, () => this.set(id, "off")),
    start: async (id) => this.act(`start ${id}`, () => this.set(id, "running")),
    restart: async (id) => this.act(`restart ${id}`, () => this.set(id, "running")),
    isOffered: () => Promise.resolve(this.offered),
    snapshots: () => Promise.resolve([...this.snapshots.values()].reverse()),
    take: async (id, labels) => {
      const snapshot = String(this.made++);
      this.act(`take ${id}`, () => this.put(snapshot, labels, false));
      return this.taking.available(snapshot);
    },
    available: async (id) => {
      const snapshot = this.snapshots.get(id)!;
      this.act(`available ${id}`, () => this.put(id, snapshot.labels, true));
      return this.snapshots.get(id)!;
    },
    relabel: async (id, labels) =>
      this.act(`label ${id} ${labels.purpose}`, () => this.put(id, labels, true)),
    remove: async (id) => this.act(`remove ${id}`, () => void this.snapshots.delete(id)),
    letGo: async (id) => this.act(`let go ${id}`, () => void this.servers.delete(id)),
  };

  /** Servers at a cloud where a parked one is stopped. */
  readonly stopping: Servers = {
    ...this.taking,
    cloud: "aws",
    parksBy: "stopping",
    stop: async (id) => this.act(`stop ${id}`, () => this.set(id, "stopped")),
  };

  put(id: string, labels: Labels, available: boolean): void {
    this.snapshots.set(id, { id, labels, available, created: new Date("2026-11-20T18:00:00Z"), gb: 7.26 });
  }

  /** Id of the BigBlueButton server. */
  bbbServer(): string | undefined {
    return [...this.servers.values()].find(({ labels }) => labels.role === "bbb")?.id;
  }

  world(cloud: Servers = this.taking): World {
    return {
      stack: "prod",
      servers: { bbb: cloud, turn: cloud },
      say: (line) => void this.said.push(line),
      stacks: {
        project: "bigbluebutton",
        refresh: async () => this.act("refresh"),
        upAgain: async (_, once) =>
          this.act(`up ${JSON.stringify(once)}`, () => {
            const image = once.image as string | undefined;
            if (![...this.servers.values()].some(({ labels }) => labels.role === "bbb"))
              this.add("bbb", "11", { image });
            if (![...this.servers.values()].some(({ labels }) => labels.role === "turn"))
              this.add("turn", "12");
            if (this.failing !== undefined) throw new Failure(this.failing);
          }),
      },
      bbb: {
        fqdn: "bbb.example.org",
        ownTurn: true,
        recordingsVolume: this.volume,
        meetings: () =>
          this.meetings instanceof Error ? Promise.reject(this.meetings) : Promise.resolve(this.meetings),
        release: async ({ endMeetings }) => this.act(endMeetings ? "release, ending meetings" : "release"),
        answers: async () => this.act("answers"),
        renew: async () => this.act("renew"),
        exportState: async () => {
          this.act("export");
          return `state of ${this.bbbServer()}\n`;
        },
        importState: async (state) => this.act(`import ${state.trim()}`),
        backUp: async () => this.act("back up"),
        restoreRecordings: async () => this.act("restore recordings"),
      },
    };
  }
}
