import { Failure } from "../../../cli/mistake";
import type { StackSettings } from "../../../cli/stackFiles";
import type { Bakery, BakeOptions } from "../../../operator/images/bake";
import { NotSealed, type Seal } from "../../../operator/images/sealHost";
import type { Servers, Labels, Server, Snapshot } from "../../../operator/servers";
import { FakeWorld } from "../testServers/fakes";

const request = {
  zone: "school.eu",
  ...{ bbbHost: "bbb-x.school.eu", turnHost: "turn-x.school.eu", ipv4: "203.0.113.11" },
  ...{ untrustedCa: true, untrustedTurnCa: true, ownCertificates: [], turnSecret: "turnSecretOfTheBuilder" },
};
const access = { user: "root", hostKey: "ssh-ed25519 AAAA" };

/** Outputs of a builder, as far as a bake reads them. */
const outputs = {
  privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----",
  sharedSecret: "sharedSecretOfTheBuilder",
  turnSecret: "turnSecretOfTheBuilder",
  check: {
    bbb: {
      ...{ ...access, host: "203.0.113.11" },
      request: {
        ...{ ...request, role: "bbb", release: "jammy-30", version: "3.0", recordings: false },
        ...{ sharedSecret: "sharedSecretOfTheBuilder", turnXml: { path: "/x", text: "" } },
      },
    },
    turn: {
      ...{ ...access, host: "203.0.113.12" },
      request: {
        ...{ ...request, ipv4: "203.0.113.12", role: "turn", bbbIpv4: "203.0.113.11" },
        turnServerConf: { path: "/y", text: "" },
      },
    },
  },
};

const never = () => Promise.reject(new Error("a bake has no need of this"));

/** A cloud in memory where builders get sealed; records what is done, in order. */
export class FakeBakery {
  readonly done: string[] = [];
  readonly seals: Seal[] = [];
  readonly world = new FakeWorld();
  readonly images: (Snapshot & { readonly server: string })[] = [];
  private servers: (Server & { readonly role: string })[] = [];
  /** Reason why the host of a role can't be sealed. */
  unsealed?: string;
  /** Called in place of the making of an image; what it returns is made, and then its error is thrown. */
  taking?: () => { readonly made: boolean; readonly error: Error };
  private next = 100;

  constructor() {
    const { up, destroy } = this.world.stacks;
    Object.assign(this.world.stacks, {
      up: async (stack: string, settings: StackSettings) => {
        await up(stack, settings);
        this.done.push(`up ${stack}`);
        if (this.servers.length === 0) this.boot();
        Object.assign(this.world.known.get(stack)!, { outputs });
      },
      destroy: async (stack: string) => {
        await destroy(stack);
        this.done.push(`destroy ${stack}`);
        this.servers = [];
      },
    });
  }

  boot(): void {
    this.servers = ["bbb", "turn"].map((role) => {
      const id = String(this.next++);
      return { id, name: `${role}-x.school.eu`, status: "running", diskGb: 80, role };
    });
  }

  status(role: string, status: string): void {
    this.servers = this.servers.map((one) => (one.role === role ? { ...one, status } : one));
  }

  put(server: string, labels: Labels, available = true): Snapshot {
    const id = String(this.next++);
    const image = { id, labels, available, created: new Date(this.world.time), gb: 2.5, server };
    this.images.push(image);
    return image;
  }

  private readonly cloud: Servers = {
    cloud: "hetzner",
    find: (labels) => Promise.resolve(this.servers.filter(({ role }) => role === labels.role)),
    stop: async (id) => {
      this.done.push(`stop ${this.roleOf(id)}`);
      this.status(this.roleOf(id), "off");
    },
    parksBy: "snapshot",
    ...{ start: never, restart: never, isOffered: never, relabel: never, letGo: never },
    snapshots: (labels) =>
      Promise.resolve(
        this.images.filter((image) =>
          Object.entries(labels).every(([key, value]) => image.labels[key] === value),
        ),
      ),
    take: async (id, labels, description) => {
      this.done.push(`take ${this.roleOf(id)}: ${description}`);
      const told = this.taking?.();
      if (told?.made !== false) {
        const image = this.put(id, labels);
        if (!told) return image;
      }
      throw told.error;
    },
    available: async (id) => {
      this.done.push(`wait for ${id}`);
      const found = this.images.find((image) => image.id === id);
      if (!found) throw new Failure(`no image ${id}`);
      return found;
    },
    remove: async (id) => void this.done.push(`remove ${id}`),
  };

  private roleOf(id: string): string {
    return this.servers.find((server) => server.id === id)?.role ?? "?";
  }

  get bakery(): Bakery {
    return {
      world: this.world,
      cloudOf: () => this.cloud,
      seal: async ({ host }, seal, say) => {
        this.done.push(`seal ${seal.role} at ${host}`);
        this.seals.push(seal);
        if (this.unsealed !== undefined) throw new NotSealed(this.unsealed);
        say("sealed");
        return { bbb: seal.role === "bbb" ? "3.0.26" : null };
      },
    };
  }

  options(more: Partial<BakeOptions> = {}): BakeOptions {
    return {
      roles: ["bbb", "turn"],
      set: {},
      like: () =>
        Promise.resolve({
          ...{ domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] },
          ...{ greenlight: true, image: "baked", turnImage: "4711" },
        }),
      ...more,
    };
  }
}
