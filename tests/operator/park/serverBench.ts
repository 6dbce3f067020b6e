/** A program with a server, as clouds/hetzner/host.ts makes it, on the embedded engine and the emulated cloud. */
import type { World } from "../../../operator/park/world";
import { hetznerServers } from "../../../operator/servers/hetzner";
import type { Servers } from "../../../operator/servers";
import { Workbench } from "../../sandbox/engine/support";
import { token, type Json, type Project } from "../../sandbox/hetzner/harness";

const PROGRAM = `
  import * as hcloud from "@pulumi/hcloud";
  import { parkedCheck } from "./clouds/hetzner/parked";
  const labels = { project: "demo", stack: "dev", role: "bbb" };
  const image = new pulumi.Config().get("image") ?? (new pulumi.Config().get("release") === "noble-40" ? "ubuntu-24.04" : "ubuntu-22.04");
  const protect = true;
  const ip = new hcloud.PrimaryIp("ip", { name: "ip", type: "ipv4", location: "fsn1", labels, deleteProtection: true }, { protect });
  const server = new hcloud.Server("server", {
    name: "bbb.example.org", serverType: "ccx33", image, location: "fsn1", labels,
    deleteProtection: true, rebuildProtection: true, publicNets: [{ ipv4: ip.id.apply(Number), ipv6Enabled: false }],
  }, {
    protect, deleteBeforeReplace: true, ignoreChanges: ["image"],
    hooks: { beforeCreate: [parkedCheck({ role: "bbb", image, labels }, {})] },
  });
  const volume = new hcloud.Volume("volume", { name: "data", size: 10, location: "fsn1", labels, deleteProtection: true }, { protect });
  new hcloud.VolumeAttachment("attachment", { volumeId: volume.id.apply(Number), serverId: server.id.apply(Number) },
    { protect, deleteBeforeReplace: true });
`;

/** Stack "dev" of that program. Its server's BigBlueButton is well, and has no meetings. */
export class ServerBench {
  readonly said: string[] = [];
  readonly bench = new Workbench("");
  readonly servers: Servers;

  private constructor(
    private readonly project: Project,
    endpoint: string,
  ) {
    this.bench.modules("clouds/names", "clouds/valueOf", "settings/hetznerProvider");
    this.bench.modules(
      ...["ask", "endpoints", "labels", "parkedLabels", "parked"].map((name) => `clouds/hetzner/${name}`),
    );
    this.bench.program(PROGRAM);
    this.bench.config = { "hcloud:pollInterval": "30ms", "hcloud:pollFunction": "constant" };
    this.bench.env = { HCLOUD_ENDPOINT: endpoint, HCLOUD_TOKEN: token };
    this.servers = hetznerServers({ token, endpoint }, { pauseSeconds: 0.02 });
  }

  static async deployed(project: Project): Promise<ServerBench> {
    const made = new ServerBench(project, `${await project.url()}/v1`);
    expect((await made.bench.up()).errors).toEqual([]);
    return made;
  }

  get world(): Omit<World, "servers"> {
    const { bench, said } = this;
    return {
      ...{ stack: "dev", say: (line) => void said.push(line) },
      stacks: {
        project: "demo",
        refresh: async () => expect((await bench.refresh()).errors).toEqual([]),
        upAgain: async (_, once) => {
          const { config } = bench;
          bench.config = { ...config, ...once };
          try {
            expect((await bench.up()).errors).toEqual([]);
          } finally {
            bench.config = config;
          }
        },
      },
      bbb: {
        ...{ fqdn: "bbb.example.org", ownTurn: false, recordingsVolume: true },
        meetings: () => Promise.resolve(0),
        release: () => Promise.resolve(),
        answers: () => Promise.resolve(),
        renew: () => Promise.resolve(),
        exportState: () => Promise.resolve("state"),
        importState: (state) => Promise.resolve(void said.push(`import ${state}`)),
        backUp: () => Promise.resolve(),
        restoreRecordings: () => Promise.resolve(),
      },
    };
  }

  async listed(collection: string): Promise<Json[]> {
    return (await this.project.call("GET", `/${collection}`)).body[collection] as Json[];
  }

  async snapshots(): Promise<Json[]> {
    return (await this.project.call("GET", "/images?type=snapshot")).body.images as Json[];
  }
}
