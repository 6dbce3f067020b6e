/**
 * Updates killed while the cloud makes something, by an engine that, like the real one, does not adopt what it finds.
 */
import { hetznerInventory } from "../../../operator/inventory/hetzner";
import type { Plan } from "../../../operator/recover/plan";
import { recover } from "../../../operator/recover/recover";
import type { PoolServer } from "../../../operator/poolServers";
import type { StackState } from "../../../operator/recover/state";
import type { Stacks } from "../../../operator/stacks";
import { stackExport, stackImport, type Export } from "../../../sandbox/engine";
import { Workbench } from "../../sandbox/engine/support";
import { token, useProject, type Json } from "../../sandbox/hetzner/harness";

jest.setTimeout(180_000);

const project = useProject();
let bench: Workbench;
const inventoryAt = (endpoint?: string) => hetznerInventory({ token, endpoint, boxEndpoint: endpoint }, 0.02);

const PROGRAM = `
  import * as hcloud from "@pulumi/hcloud";
  const labels = { project: "demo", stack: "dev" };
  const ip = new hcloud.PrimaryIp("ip", { name: "ip", type: "ipv4", location: "fsn1", labels, deleteProtection: true }, { deleteBeforeReplace: true });
  new hcloud.Rdns("rdns", { primaryIpId: ip.id.apply(Number), ipAddress: ip.ipAddress, dnsPtr: "bbb.example.test" });
  new hcloud.ZoneRrset("record", { zone: "example.test", name: "bbb", type: "A", ttl: 60, labels, records: [{ value: ip.ipAddress }] });
  const server = new hcloud.Server("server", {
    name: "bbb", serverType: "ccx33", image: "ubuntu-22.04", location: "fsn1", labels, backups: true,
    userData: pulumi.secret("#cloud-config"), publicNets: [{ ipv4: ip.id.apply(Number), ipv6Enabled: false }],
  }, { deleteBeforeReplace: true, ignoreChanges: ["userData"] });
  const volume = new hcloud.Volume("volume", { name: "data", size: 10, location: "fsn1", labels });
  new hcloud.VolumeAttachment("attachment", { volumeId: volume.id.apply(Number), serverId: server.id.apply(Number) }, { deleteBeforeReplace: true });
`;

beforeEach(async () => {
  bench = new Workbench(PROGRAM);
  bench.adopt = false;
  bench.config = { "hcloud:pollInterval": "30ms", "hcloud:pollFunction": "constant" };
  bench.env = { HCLOUD_ENDPOINT: `${await project().url()}/v1`, HCLOUD_TOKEN: token };
  await project().done("POST", "/zones", { name: "example.test", mode: "primary" });
});
afterEach(() => bench.close());

interface Outcome {
  readonly done: boolean;
  readonly said: string[];
  readonly plans: Plan[];
  readonly backups: StackState[];
}

async function recovered(remove = false, from?: StackState, pool?: readonly PoolServer[]): Promise<Outcome> {
  const [said, plans, backups] = [[] as string[], [] as Plan[], [] as StackState[]];
  const stacks = {
    project: "demo",
    list: async () => [{ name: "dev", updating: false }],
    exportState: async () => (await stackExport(bench.options())) as StackState,
    importState: async (_stack: string, state: StackState, urns: readonly string[]) =>
      stackImport(bench.options(), state as unknown as Export, urns),
    outputs: async () => ({}),
  } as unknown as Stacks;
  const done = await recover({
    stacks,
    stack: "dev",
    from,
    inventories: [inventoryAt(bench.env.HCLOUD_ENDPOINT)],
    findRules: async () => new Map(),
    backUp: (state) => `backup ${backups.push(state)}`,
    confirm: async (plan) => plans.push(plan) > 0,
    remove,
    pool: () => pool,
    say: (line) => said.push(line),
  });
  return { done, said, plans, backups };
}

const made = async (collection: string): Promise<number> =>
  (await project().call("GET", `/${collection}`)).body[collection].length;

/** Kills an update that has ordered something and waits for it. */
async function killedWhile(path: string): Promise<void> {
  const { config } = bench;
  bench.config = { ...config, "hcloud:pollInterval": "4s" };
  const ordered = () =>
    project()
      .log()
      .some((call: Json) => call.method === "POST" && call.path === `/v1${path}`);
  await bench.killed("up", ordered);
  bench.config = config;
}

test.each([
  ["/servers", "server", "servers"],
  ["/volumes", "volume", "volumes"],
])(
  "killed while it makes %s: every further update fails, until the command has brought it into the state",
  async (path, name, collection) => {
    await killedWhile(path);
    expect((await bench.up()).errors.join()).toContain("uniqueness_error");
    expect((await bench.up()).errors.join()).toContain("uniqueness_error");
    const before = bench.text();
    const { done, said, plans, backups } = await recovered();
    expect(done).toBe(true);
    expect(plans[0]!.remedies).toContainEqual(expect.objectContaining({ name, what: "adopt" }));
    expect(said).toContainEqual(expect.stringMatching(new RegExp(`^${name}: taken into the state as \\d+$`)));
    expect(backups).toEqual([JSON.parse(before)]);
    expect((await bench.up()).errors).toEqual([]);
    expect(await made(collection)).toBe(1);
    expect((await bench.up()).summary).toMatchObject({ unchanged: 7 });
    expect(bench.text()).not.toContain("#cloud-config");
    const [server] = (await project().call("GET", "/servers")).body.servers;
    expect(server).toMatchObject({ backup_window: expect.any(String), volumes: [expect.any(Number)] });
    const [ip] = (await project().call("GET", "/primary_ips")).body.primary_ips;
    expect(ip.protection.delete).toBe(true);
    expect((await recovered()).said).toEqual([expect.stringContaining("nothing to do")]);
  },
);

test("the update's error begins with the command that helps", async () => {
  bench.modules("clouds/names", "clouds/valueOf", "settings/hetznerProvider");
  bench.modules(...["ask", "endpoints", "labels", "leftovers"].map((name) => `clouds/hetzner/${name}`));
  const guarded = PROGRAM.replace(
    "const labels",
    `import { leftoverCheck } from "./clouds/hetzner/leftovers";
     const hooks = { beforeCreate: [leftoverCheck({ project: "demo", stack: "dev" }, {})] };
     const labels`,
  ).replaceAll(/ labels, records: (.*) \}\);/g, " labels, records: $1 }, { hooks });");
  bench.program(
    guarded.replace(
      "deleteBeforeReplace: true, ignoreChanges",
      "hooks, deleteBeforeReplace: true, ignoreChanges",
    ),
  );
  await killedWhile("/servers");
  const { errors } = await bench.up();
  expect(errors[0]!.split("\n")[0]).toMatch(
    /^before hook "\S+" failed: \.\/scripts\/recover dev is needed first: .* has made bbb at Hetzner Cloud/,
  );
  expect(await made("servers")).toBe(1);
  await recovered();
  expect((await bench.up()).errors).toEqual([]);
});

test("a record that was made comes into the state by its name", async () => {
  await killedWhile("/zones/example.test/rrsets");
  expect((await bench.up()).errors.join()).toMatch(/uniqueness_error|already/);
  expect((await recovered()).said).toContainEqual("record: taken into the state as bbb/A");
  expect((await bench.up()).errors).toEqual([]);
});

test("somebody else's of the same name is not taken", async () => {
  await killedWhile("/servers");
  const [server] = (await project().call("GET", "/servers")).body.servers;
  await project().done("PUT", `/servers/${server.id}`, { labels: { project: "demo", stack: "another" } });
  const { plans } = await recovered();
  expect(plans[0]!.remedies).toContainEqual(expect.objectContaining({ name: "server", what: "again" }));
  expect(bench.resource("server")).toBeUndefined();
  expect(await made("servers")).toBe(1);
});

test("where the cloud can't be read then, the state is as it was", async () => {
  await killedWhile("/servers");
  const before = JSON.parse(bench.text()) as Export;
  const { HCLOUD_ENDPOINT = "" } = bench.env;
  const inventory = inventoryAt(HCLOUD_ENDPOINT);
  const objects = await inventory.list("demo");
  const urns: string[] = [];
  const stacks = {
    project: "demo",
    list: async () => [],
    exportState: async () => (await stackExport(bench.options())) as StackState,
    importState: async (_stack: string, state: StackState, read: readonly string[]) => {
      urns.push(...read);
      bench.env = { HCLOUD_ENDPOINT, HCLOUD_TOKEN: read.length > 0 ? "x".repeat(64) : token };
      await stackImport(bench.options(), state as unknown as Export, read);
    },
  } as unknown as Stacks;
  const attempt = recover({
    ...{ stacks, stack: "dev", remove: false, findRules: async () => new Map<string, string>() },
    ...{ backUp: () => "kept.json", confirm: async () => true, say: () => undefined },
    inventories: [{ ...inventory, list: async () => objects }],
  });
  await expect(attempt).rejects.toThrow(/recover dev --from kept\.json/);
  expect(urns).toContainEqual(expect.stringMatching(/::server$/));
  expect((JSON.parse(bench.text()) as Export).deployment.resources).toEqual(before.deployment.resources);
  expect((await recovered(false, before as unknown as StackState)).done).toBe(true);
  expect((await bench.up()).errors).toEqual([]);
});

test("after the pending creations were cleared, what is in no state is named, and removed where told, but for a pool's server in use", async () => {
  await killedWhile("/servers");
  const state = JSON.parse(bench.text()) as Export;
  await stackImport(
    bench.options(),
    { ...state, deployment: { ...state.deployment, pending_operations: [] } },
    [],
  );
  const named = await recovered();
  expect(named.done).toBe(false);
  expect(named.plans[0]!.strays).toContainEqual(expect.objectContaining({ type: "server", name: "bbb" }));
  const said = async (running: number) => {
    const state = async () => ({
      meetings: Array.from({ length: running }, () => ({ people: 2, breakout: false })),
      unprocessed: [],
    });
    return (await recovered(true, undefined, [{ fqdn: "bbb", state, endMeetings: async () => undefined }]))
      .said;
  };
  const kept = await said(1);
  expect(kept).toContain("server stays, with its addresses: bbb: 1 meeting (2 people)");
  expect(kept).not.toContain("server bbb removed");
  expect(await said(0)).toContain("server bbb removed");
  expect((await bench.up()).errors).toEqual([]);
});
