import { hetznerInventory } from "../../../operator/inventory/hetzner";
import type { CloudObject, Inventory } from "../../../operator/inventory";
import { publicKey, token, useProject, type Project } from "../../sandbox/hetzner/harness";

const project = useProject();
const labels = { project: "bigbluebutton", stack: "test-k3x9q2", expires: "1795000000", role: "bbb" };

async function inventory(of: Project): Promise<Inventory> {
  const endpoint = `${await of.url()}/v1/`;
  return hetznerInventory({ token, endpoint, boxEndpoint: endpoint }, 0.01);
}

/** Makes a host in the program's way, and a record set. */
async function makeHost(p: Project, name: string, own: object): Promise<{ server: number; volume: number }> {
  await p.done("POST", "/ssh_keys", { name, public_key: publicKey, labels: own });
  const ips = [];
  for (const type of ["ipv4", "ipv6"]) {
    const body = { name: `${name}-${type}`, type, location: "fsn1", labels: own };
    ips.push((await p.done("POST", "/primary_ips", body)).primary_ip.id);
  }
  const rules = [
    { direction: "in", protocol: "tcp", port: "443", source_ips: ["0.0.0.0/0", "::/0"] },
    { direction: "in", protocol: "icmp", source_ips: ["0.0.0.0/0"] },
  ];
  const { firewall } = await p.done("POST", "/firewalls", { name, labels: own, rules });
  const { volume } = await p.done("POST", "/volumes", { name, size: 10, location: "fsn1", labels: own });
  const { server } = await p.done("POST", "/servers", {
    name,
    server_type: "cx23",
    image: 161547269,
    location: "fsn1",
    labels: own,
    firewalls: [{ firewall: firewall.id }],
    public_net: { enable_ipv4: true, enable_ipv6: true, ipv4: ips[0], ipv6: ips[1] },
  });
  await p.done("POST", `/volumes/${volume.id}/actions/attach`, { server: server.id, automount: false });
  return { server: server.id, volume: volume.id };
}

async function makeRecords(p: Project, name: string, own: object): Promise<void> {
  const zones = (await p.call("GET", "/zones")).body.zones;
  if (zones.length === 0) await p.done("POST", "/zones", { name: "example.test", mode: "primary" });
  const body = { name, type: "A", ttl: 60, labels: own, records: [{ value: "203.0.113.9" }] };
  await p.done("POST", "/zones/example.test/rrsets", body);
}

const kinds = (objects: readonly CloudObject[]) => objects.map(({ type }) => type).sort();

test("finds everything of the project, and nothing else", async () => {
  const p = project();
  const made = await makeHost(p, "ours", labels);
  await makeRecords(p, "bbb-k3x9q2", labels);
  await makeRecords(p, "www", {});
  await p.done("POST", "/volumes", {
    name: "theirs",
    size: 10,
    location: "fsn1",
    labels: { project: "shop" },
  });
  await p.done("POST", "/storage_boxes", {
    ...{ name: "box", storage_box_type: "bx11", location: "hel1", labels },
    password: "Correct-Horse-9",
  });
  await p.done("POST", "/placement_groups", { name: "spread", type: "spread", labels });
  const found = await (await inventory(p)).list("bigbluebutton");
  expect(kinds(found)).toEqual([
    "address",
    "address",
    "firewall",
    "placement-group",
    "record-set",
    "server",
    "ssh-key",
    "storage-box",
    "volume",
  ]);
  expect(found.every((object) => object.cloud === "hetzner" && !object.protected)).toBe(true);
  expect(found.every((object) => object.labels.expires === labels.expires)).toBe(true);
  const of = (type: string) => found.find((object) => object.type === type);
  expect(of("server")).toMatchObject({ id: String(made.server), name: "ours", status: "running" });
  expect(of("server")?.created).toBeInstanceOf(Date);
  expect(of("volume")).toMatchObject({ id: String(made.volume), server: String(made.server) });
  expect(of("record-set")).toMatchObject({
    id: "example.test/bbb-k3x9q2/A",
    name: "bbb-k3x9q2.example.test A",
  });
  expect(of("firewall")?.appliedTo).toEqual([String(made.server)]);
  expect(of("firewall")?.inbound).toEqual([
    { protocol: "tcp", port: "443", sources: ["0.0.0.0/0", "::/0"] },
    { protocol: "icmp", sources: ["0.0.0.0/0"] },
  ]);
});

test("more than a page of them is found", async () => {
  const p = project();
  for (let i = 0; i < 51; i++) await p.done("POST", "/firewalls", { name: `f${i}`, labels });
  expect(await (await inventory(p)).list("bigbluebutton")).toHaveLength(51);
});

test("removes a whole host in the order that works, whatever the order given", async () => {
  const p = project();
  await makeHost(p, "ours", labels);
  await makeRecords(p, "bbb-k3x9q2", labels);
  await p.done("POST", "/placement_groups", { name: "spread", type: "spread", labels });
  const clouds = await inventory(p);
  const found = [...(await clouds.list("bigbluebutton"))].reverse();
  const removals = await clouds.remove(found);
  expect(removals.filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(removals).toHaveLength(8);
  expect(await clouds.list("bigbluebutton")).toEqual([]);
  expect(
    (await p.call("GET", "/zones/example.test/rrsets")).body.rrsets.map((r: CloudObject) => r.name),
  ).not.toContain("bbb-k3x9q2");
});

test("what is gone already counts as removed, as when two remove at once", async () => {
  const p = project();
  await makeHost(p, "ours", labels);
  const clouds = await inventory(p);
  const found = await clouds.list("bigbluebutton");
  const both = await Promise.all([clouds.remove(found), (await inventory(p)).remove(found)]);
  expect(both.flat().filter(({ problem }) => problem !== undefined)).toEqual([]);
  expect(await clouds.list("bigbluebutton")).toEqual([]);
});

test("what is protected stays, and the rest goes on", async () => {
  const p = project();
  const { volume } = await makeHost(p, "ours", labels);
  await p.done("POST", `/volumes/${volume}/actions/change_protection`, { delete: true });
  const clouds = await inventory(p);
  const removals = await clouds.remove(await clouds.list("bigbluebutton"));
  expect(removals.filter(({ problem }) => problem !== undefined)).toMatchObject([
    { object: { type: "volume" }, problem: "it is protected at the cloud" },
  ]);
  expect(kinds(await clouds.list("bigbluebutton"))).toEqual(["volume"]);
});

test("a server that stays keeps its volume and its addresses", async () => {
  const p = project();
  const { server } = await makeHost(p, "ours", labels);
  const clouds = await inventory(p);
  const found = await clouds.list("bigbluebutton");
  const removals = await clouds.remove(found.filter(({ type }) => type === "volume" || type === "address"));
  expect(removals.map(({ problem }) => problem)).toEqual(
    Array(3).fill(`server ${server} has it, which stays`),
  );
  expect(await clouds.list("bigbluebutton")).toHaveLength(found.length);
});

test("a token that is none gives one line", async () => {
  const p = project();
  const endpoint = `${await p.url()}/v1`;
  const clouds = hetznerInventory({ token: "x".repeat(64), endpoint, boxEndpoint: endpoint }, 0.01);
  await expect(clouds.list("bigbluebutton")).rejects.toThrow("Hetzner Cloud does not take the API token");
});

test("a cloud that does not answer is named", async () => {
  const endpoint = "http://127.0.0.1:9/v1";
  const clouds = hetznerInventory({ token, endpoint, boxEndpoint: endpoint }, 0.01);
  await expect(clouds.list("bigbluebutton")).rejects.toThrow(
    /Hetzner Cloud does not answer at http:\/\/127\.0\.0\.1:9\/v1/,
  );
});
