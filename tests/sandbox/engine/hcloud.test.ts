/** Requests of the driver to the emulated API: those that were recorded of the real provider. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { hcloud } from "../../../sandbox/engine/drivers/hcloud";
import { Hcloud } from "../../../sandbox/engine/drivers/hcloud/client";
import { PartialCreate, type Context, type Created, type Kind } from "../../../sandbox/engine/driver";
import type { Values } from "../../../sandbox/engine/wire";
import { makeServer, publicKey, token, useProject, type Json, type Project } from "../hetzner/harness";

const project = useProject();
let requests: string[];

function record(p: Project): void {
  requests = [];
  p.app.addHook("preHandler", (request, _reply, done) => {
    const body =
      request.body === undefined || request.body === null ? "" : ` ${JSON.stringify(request.body)}`;
    const line = `${request.method} ${request.url.replace("/v1", "")}${body}`;
    const poll = /^GET \/actions\?id=\d+(&id=\d+)*&page=1&sort=status&sort=id$/.test(line);
    if (!poll) requests.push(line);
    else if (requests.at(-1) !== "poll") requests.push("poll");
    done();
  });
}

/** Requests since the last call. */
function taken(): string[] {
  return requests.splice(0);
}

let context: Context;
beforeEach(async () => {
  record(project());
  context = {
    env: {
      HCLOUD_ENDPOINT: `${await project().url()}/v1`,
      HETZNER_ENDPOINT: `${await project().url()}/v1`,
      HCLOUD_TOKEN: token,
    },
    config: { pollInterval: "15ms", pollFunction: "constant" },
    projectDir: ".",
    name: "thing",
    log: () => {},
    timeout: undefined,
  };
});

function kind(name: string): Kind {
  const type = `hcloud:index/${name}:${name.replace(/^./, (letter) => letter.toUpperCase())}`;
  const found = hcloud.kinds[type];
  if (found === undefined) throw new Error(`no ${type}`);
  return found;
}

async function make(name: string, inputs: Values): Promise<Created & { inputs: Values }> {
  const created = await kind(name).create(inputs, context);
  return { ...created, inputs };
}

async function change(name: string, state: Created & { inputs: Values }, inputs: Values): Promise<Values> {
  return (await kind(name).update?.(state, { ...state.inputs, ...inputs }, context)) ?? {};
}

async function remove(name: string, state: Created & { inputs: Values }): Promise<void> {
  await kind(name).delete?.(state, context);
}

test("an SSH key", async () => {
  const key = await make("sshKey", { name: "k", publicKey, labels: { a: "1" } });
  expect(key.outputs).toMatchObject({ fingerprint: expect.stringMatching(/^(\w\w:){15}\w\w$/) });
  await change("sshKey", key, { name: "l" });
  await change("sshKey", key, { labels: { a: "2" } });
  await remove("sshKey", key);
  await remove("sshKey", key);
  expect(taken()).toEqual([
    `POST /ssh_keys ${JSON.stringify({ name: "k", public_key: publicKey, labels: { a: "1" } })}`,
    `PUT /ssh_keys/${key.id} {"name":"l"}`,
    `PUT /ssh_keys/${key.id} {"labels":{"a":"2"}}`,
    `DELETE /ssh_keys/${key.id}`,
    `DELETE /ssh_keys/${key.id}`,
  ]);
});

test("a Storage Box, with its protection and its plan", async () => {
  const access = { reachableExternally: false, sshEnabled: true };
  const box = await make("storageBox", {
    ...{ name: "box", storageBoxType: "bx11", location: "hel1", password: "Correct-Horse-9" },
    ...{ sshKeys: [publicKey], accessSettings: access, deleteProtection: true, labels: { a: "1" } },
    snapshotPlan: { maxSnapshots: 10, hour: 12, minute: 0 },
  });
  const path = `/storage_boxes/${box.id}`;
  const username = `u${400_000 + Number(box.id)}`;
  expect(box.outputs).toMatchObject({
    ...{ username, server: `${username}.your-storagebox.de`, deleteProtection: true },
    accessSettings: { ...access, sambaEnabled: false, webdavEnabled: false, zfsEnabled: false },
    snapshotPlan: { maxSnapshots: 10, hour: 12, minute: 0 },
  });
  const all = (ssh: boolean) =>
    `{"reachable_externally":false,"samba_enabled":false,"ssh_enabled":${ssh},"webdav_enabled":false,"zfs_enabled":false}`;
  expect(taken()).toEqual([
    `POST /storage_boxes {"name":"box","storage_box_type":"bx11","location":"hel1","labels":{"a":"1"},` +
      `"password":"Correct-Horse-9","ssh_keys":[${JSON.stringify(publicKey)}],"access_settings":${all(true)}}`,
    "poll",
    `POST ${path}/actions/change_protection {"delete":true}`,
    "poll",
    `POST ${path}/actions/enable_snapshot_plan {"max_snapshots":10,"minute":0,"hour":12,"day_of_week":null,"day_of_month":null}`,
    "poll",
    `GET ${path}`,
  ]);
  await change("storageBox", box, {
    ...{ storageBoxType: "bx21", labels: { a: "2" }, accessSettings: { sshEnabled: false } },
    snapshotPlan: { maxSnapshots: 9, hour: 13, minute: 0 },
  });
  expect(taken()).toEqual([
    `POST ${path}/actions/enable_snapshot_plan {"max_snapshots":9,"minute":0,"hour":13,"day_of_week":null,"day_of_month":null}`,
    "poll",
    `POST ${path}/actions/change_type {"storage_box_type":"bx21"}`,
    "poll",
    `POST ${path}/actions/update_access_settings ${all(false)}`,
    "poll",
    `PUT ${path} {"labels":{"a":"2"}}`,
    `GET ${path}`,
  ]);
  const boxes = hcloud.invokes?.["hcloud:index/getStorageBoxes:getStorageBoxes"];
  await expect(boxes?.({ withSelector: "a==2" }, context)).resolves.toMatchObject({
    storageBoxes: [{ name: "box" }],
  });
  const type = hcloud.invokes?.["hcloud:index/getStorageBoxType:getStorageBoxType"];
  await expect(type?.({ name: "bx11" }, context)).resolves.toMatchObject({ name: "bx11" });
  await expect(type?.({ name: "bx99" }, context)).rejects.toThrow('no storage box type "bx99" exists');
  taken();
  await remove("storageBox", box);
  await remove("storageBox", { ...box, inputs: { ...box.inputs, deleteProtection: false } });
  expect(taken()).toEqual([
    ...[`POST ${path}/actions/change_protection {"delete":false}`, "poll"],
    ...[`DELETE ${path}`, "poll", `DELETE ${path}`],
  ]);
});

test("a primary IP with its reverse DNS", async () => {
  const ip = await make("primaryIp", { name: "ip6", type: "ipv6", location: "fsn1", deleteProtection: true });
  expect(ip.outputs).toMatchObject({
    ipAddress: "2001:db8:1::",
    ipNetwork: "2001:db8:1::/64",
    assigneeId: 0,
  });
  const path = `/primary_ips/${ip.id}`;
  const all = hcloud.invokes?.["hcloud:index/getPrimaryIps:getPrimaryIps"];
  await expect(all?.({}, context)).resolves.toMatchObject({
    primaryIps: [{ name: "ip6", type: "ipv6", ipAddress: "2001:db8:1::" }],
  });
  expect(taken().filter((line) => !line.startsWith("GET /primary_ips?"))).toEqual([
    'POST /primary_ips {"name":"ip6","type":"ipv6","labels":{},"auto_delete":false,"location":"fsn1"}',
    `POST ${path}/actions/change_protection {"delete":true}`,
    "poll",
    `GET ${path}`,
  ]);
  const rdns = await make("rdns", {
    primaryIpId: Number(ip.id),
    ipAddress: "2001:db8:1::1",
    dnsPtr: "bbb.example.test",
  });
  expect(rdns.id).toBe(`p-${ip.id}-2001:db8:1::1`);
  await change("rdns", rdns, { dnsPtr: "b.example.test" });
  await remove("rdns", rdns);
  expect(taken()).toEqual([
    `GET ${path}`,
    ...['"bbb.example.test"', '"b.example.test"', "null"].flatMap((ptr) => [
      `POST ${path}/actions/change_dns_ptr {"ip":"2001:db8:1::1","dns_ptr":${ptr}}`,
      "poll",
    ]),
  ]);
  await expect(remove("primaryIp", ip)).rejects.toThrow(/protected/);
  await change("primaryIp", ip, { deleteProtection: false });
  await remove("primaryIp", ip);
  expect(taken()).toEqual([
    `DELETE ${path}`,
    `POST ${path}/actions/change_protection {"delete":false}`,
    "poll",
    `PUT ${path} {}`,
    `DELETE ${path}`,
  ]);
});

test("a firewall, whose rules cannot be emptied", async () => {
  const ssh = {
    direction: "in",
    protocol: "tcp",
    port: "22",
    sourceIps: ["198.51.100.0/24"],
    description: "ssh",
  };
  const ping = { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0", "::/0"] };
  const firewall = await make("firewall", { name: "fw", rules: [ssh, ping] });
  const path = `/firewalls/${firewall.id}`;
  const rule =
    '{"direction":"in","source_ips":["198.51.100.0/24"],"protocol":"tcp","port":"22","description":"ssh"}';
  const icmp = '{"direction":"in","source_ips":["0.0.0.0/0","::/0"],"protocol":"icmp"}';
  expect(taken()).toEqual([`POST /firewalls {"name":"fw","rules":[${rule},${icmp}]}`, "poll", `GET ${path}`]);
  await change("firewall", firewall, { name: "wall", labels: { a: "1" } });
  await change("firewall", firewall, { rules: [ping] });
  await change("firewall", firewall, { rules: [] });
  await remove("firewall", firewall);
  expect(taken()).toEqual([
    ...[`GET ${path}`, `PUT ${path} {"name":"wall"}`, `PUT ${path} {"labels":{"a":"1"}}`, `GET ${path}`],
    ...[`GET ${path}`, `POST ${path}/actions/set_rules {"rules":[${icmp}]}`, "poll", `GET ${path}`],
    ...[`GET ${path}`, `GET ${path}`],
    ...[`GET ${path}`, `DELETE ${path}`],
  ]);
  await expect(remove("firewall", firewall)).rejects.toThrow(/is gone from the cloud/);
});

interface Stack {
  readonly server: Created & { inputs: Values };
  readonly ids: Record<"key" | "firewall" | "ip4" | "ip6" | "volume", number>;
}

async function fullStack(): Promise<Stack> {
  const key = await make("sshKey", { name: "k", publicKey });
  const ip4 = await make("primaryIp", { name: "ip4", type: "ipv4", location: "fsn1" });
  const ip6 = await make("primaryIp", { name: "ip6", type: "ipv6", location: "fsn1" });
  const firewall = await make("firewall", { name: "fw", rules: [] });
  const volume = await make("volume", {
    name: "vol",
    size: 10,
    location: "fsn1",
    format: "ext4",
    labels: { a: "1" },
  });
  const ids = {
    key: Number(key.id),
    firewall: Number(firewall.id),
    ip4: Number(ip4.id),
    ip6: Number(ip6.id),
    volume: Number(volume.id),
  };
  taken();
  const server = await make("server", {
    name: "bbb-a",
    serverType: "ccx23",
    image: "ubuntu-22.04",
    location: "fsn1",
    sshKeys: [key.id],
    userData: "#cloud-config\n{}\n",
    labels: { role: "bbb" },
    firewallIds: [ids.firewall],
    publicNets: [{ ipv4Enabled: true, ipv4: ids.ip4, ipv6Enabled: true, ipv6: ids.ip6 }],
    backups: true,
    deleteProtection: true,
    rebuildProtection: true,
    keepDisk: true,
  });
  return { server, ids };
}

test("a full server: created, changed in place, with its volume, and deleted", async () => {
  const { server, ids } = await fullStack();
  const path = `/servers/${server.id}`;
  const order = {
    name: "bbb-a",
    server_type: "ccx23",
    image: 67794396,
    ssh_keys: [ids.key],
    location: "fsn1",
    user_data: "#cloud-config\n{}\n",
    labels: { role: "bbb" },
    firewalls: [{ firewall: ids.firewall }],
    public_net: { enable_ipv4: true, enable_ipv6: true, ipv4: ids.ip4, ipv6: ids.ip6 },
  };
  expect(taken()).toEqual([
    "GET /server_types?name=ccx23",
    "GET /images?architecture=x86&include_deprecated=true&name=ubuntu-22.04",
    `GET /ssh_keys/${ids.key}`,
    `POST /servers ${JSON.stringify(order)}`,
    "poll",
    ...[`POST ${path}/actions/enable_backup`, "poll"],
    ...[`POST ${path}/actions/change_protection {"rebuild":true,"delete":true}`, "poll"],
    `GET ${path}`,
  ]);
  expect(server.outputs).toMatchObject({
    status: "running",
    ipv4Address: "203.0.113.10",
    ipv6Address: "2001:db8:1::1",
    ipv6Network: "2001:db8:1::/64",
    image: "ubuntu-22.04",
    backups: true,
    deleteProtection: true,
    userData: "fcp9g+yEeh+Od7Nuv3Hbnl5rfls=",
    firewallIds: [ids.firewall],
  });

  const attachment = await make("volumeAttachment", {
    volumeId: ids.volume,
    serverId: Number(server.id),
    automount: false,
  });
  const volume = `/volumes/${ids.volume}`;
  expect(attachment.id).toBe(String(ids.volume));
  expect(taken()).toEqual([
    `POST ${volume}/actions/attach {"server":${server.id}}`,
    "poll",
    `GET ${volume}`,
    `GET ${path}`,
  ]);

  await change("server", server, { name: "bbb-b", labels: { role: "x" } });
  expect(taken()).toEqual([
    `GET ${path}`,
    `PUT ${path} {"name":"bbb-b"}`,
    `PUT ${path} {"labels":{"role":"x"}}`,
    `GET ${path}`,
  ]);
  await change("server", server, { serverType: "ccx33" });
  expect(taken()).toEqual([
    `GET ${path}`,
    ...[`POST ${path}/actions/poweroff`, "poll"],
    ...[`POST ${path}/actions/change_type {"server_type":"ccx33","upgrade_disk":false}`, "poll"],
    `GET ${path}`,
  ]);
  await change("server", server, { backups: false });
  expect(taken()).toEqual([`GET ${path}`, `POST ${path}/actions/disable_backup`, "poll", `GET ${path}`]);
  await change("server", server, { firewallIds: [] });
  const resource = `{"type":"server","server":{"id":${server.id}}}`;
  expect(taken()).toEqual([
    `GET ${path}`,
    ...[
      `POST /firewalls/${ids.firewall}/actions/remove_from_resources {"remove_from":[${resource}]}`,
      "poll",
    ],
    `GET ${path}`,
  ]);
  await expect(remove("server", server)).rejects.toThrow(/protected/);
  taken();
  await change("server", server, { deleteProtection: false, rebuildProtection: false });
  expect(taken()).toEqual([
    `GET ${path}`,
    ...[`POST ${path}/actions/change_protection {"rebuild":false,"delete":false}`, "poll"],
    `GET ${path}`,
  ]);
  await remove("volumeAttachment", attachment);
  await remove("server", server);
  expect(taken()).toEqual([
    `GET ${volume}`,
    `POST ${volume}/actions/detach {}`,
    "poll",
    `DELETE ${path}`,
    "poll",
  ]);
  await expect(remove("server", server)).rejects.toThrow(/not_found/);
  await kind("server").delete?.(server, { ...context, resumed: true });
});

test("a placement group, which a server is made in; one that runs elsewhere cannot join it", async () => {
  const labels = { role: "bbb" };
  const group = await make("placementGroup", { name: "g", type: "spread", labels });
  await change("placementGroup", group, { labels: { role: "turn" } });
  const path = `/placement_groups/${group.id}`;
  expect(taken()).toEqual([
    `POST /placement_groups ${JSON.stringify({ name: "g", labels, type: "spread" })}`,
    `GET ${path}`,
    `PUT ${path} {"labels":{"role":"turn"}}`,
    `GET ${path}`,
  ]);
  const order = { serverType: "cx23", image: "ubuntu-24.04", location: "fsn1" };
  const placementGroupId = Number(group.id);
  const inside = await make("server", { name: "inside", ...order, placementGroupId });
  expect(inside.outputs).toMatchObject({ placementGroupId });
  expect(taken()).toContain(`GET ${path}`);
  const outside = await make("server", { name: "outside", ...order });
  await expect(change("server", outside, { placementGroupId })).rejects.toThrow(/has to be powered off/);
  await expect(change("server", inside, { placementGroupId: null })).rejects.toThrow(
    "removing a running server from a placement group is currently not supported",
  );
  await expect(remove("placementGroup", group)).rejects.toThrow(/still has servers/);
  await remove("server", inside);
  await remove("placementGroup", group);
  await expect(remove("placementGroup", group)).rejects.toThrow(/not found/);
});

test("a server without options asks for nothing more than it needs", async () => {
  const server = await make("server", {
    name: "min",
    serverType: "cx23",
    image: "ubuntu-24.04",
    location: "fsn1",
  });
  expect(taken()).toEqual([
    "GET /server_types?name=cx23",
    "GET /images?architecture=x86&include_deprecated=true&name=ubuntu-24.04",
    'POST /servers {"name":"min","server_type":"cx23","image":161547269,"location":"fsn1"}',
    "poll",
    `GET /servers/${server.id}`,
  ]);
});

test("a volume grows, and is detached before it goes", async () => {
  const volume = await make("volume", { name: "vol", size: 10, location: "fsn1", deleteProtection: true });
  const path = `/volumes/${volume.id}`;
  expect(volume.outputs.linuxDevice).toBe(`/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`);
  expect(taken()).toEqual([
    ...['POST /volumes {"name":"vol","size":10,"location":"fsn1"}', "poll"],
    ...[`POST ${path}/actions/change_protection {"delete":true}`, "poll", `GET ${path}`],
  ]);
  await change("volume", volume, { size: 20 });
  expect(taken()).toEqual([`GET ${path}`, `POST ${path}/actions/resize {"size":20}`, "poll", `GET ${path}`]);
});

test("a record set", async () => {
  await project().done("POST", "/zones", { name: "example.test", mode: "primary" });
  taken();
  const set = await make("zoneRrset", {
    zone: "example.test",
    name: "bbb",
    type: "A",
    ttl: 60,
    records: [{ value: "203.0.113.10" }],
  });
  expect(set.id).toBe("bbb/A");
  const held = hcloud.invokes?.["hcloud:index/getZoneRrsets:getZoneRrsets"];
  const { rrsets } = (await held?.({ zone: "example.test" }, context)) as Json;
  expect(rrsets).toContainEqual({
    ...{ id: "bbb/A", name: "bbb", type: "A", ttl: 60, labels: {} },
    records: [{ value: "203.0.113.10", comment: "" }],
  });
  const path = "/zones/example.test/rrsets/bbb/A";
  await change("zoneRrset", set, { records: [{ value: "203.0.113.11" }] });
  await change("zoneRrset", set, { ttl: 300 });
  await remove("zoneRrset", set);
  await remove("zoneRrset", set);
  expect(taken()).toEqual([
    'POST /zones/example.test/rrsets {"name":"bbb","type":"A","ttl":60,"labels":{},"records":[{"value":"203.0.113.10"}]}',
    "poll",
    "GET /zones/example.test/rrsets?label_selector=&page=1&per_page=50",
    ...[`POST ${path}/actions/set_records {"records":[{"value":"203.0.113.11"}]}`, "poll", `PUT ${path} {}`],
    ...[`POST ${path}/actions/change_ttl {"ttl":300}`, "poll", `PUT ${path} {}`],
    ...[`DELETE ${path}`, "poll", `DELETE ${path}`],
  ]);
});

test("look-ups", async () => {
  await project().done("POST", "/zones", { name: "example.test", mode: "primary" });
  const look = (name: string, args: Values) =>
    hcloud.invokes?.[`hcloud:index/${name}:${name}`]?.(args, context) as Promise<Json>;
  await expect(look("getZone", { name: "example.test" })).resolves.toMatchObject({
    id: expect.any(Number),
    name: "example.test",
    authoritativeNameservers: { assigneds: expect.any(Array) },
  });
  await expect(look("getZone", { name: "other.test" })).rejects.toThrow(/not_found/);
  await expect(look("getServerType", { name: "ccx33" })).resolves.toMatchObject({
    disk: 240,
    locations: expect.arrayContaining([expect.objectContaining({ name: "fsn1", isDeprecated: false })]),
  });
  await expect(look("getServerType", { name: "no" })).rejects.toThrow('no server type "no" exists');
  const { id } = await makeServer(project());
  await expect(look("getServers", {})).resolves.toMatchObject({
    servers: [{ id, name: "min", serverType: "cx23", location: "fsn1", status: "running" }],
  });
  await expect(look("getLocation", { name: "hel1" })).resolves.toMatchObject({ name: "hel1" });
  await expect(look("getLocation", { name: "mars" })).rejects.toThrow('no location "mars" exists');
});

describe("images of the project", () => {
  const list = async (more: Values = {}) => {
    const wanted = { withSelector, withStatuses: ["available"], withArchitectures: ["x86"], ...more };
    const ask = hcloud.invokes?.["hcloud:index/getImages:getImages"];
    return ((await ask?.({ mostRecent: true, ...wanted }, context)) as Json).images;
  };
  const labels = { image: "bbb", release: "noble-40" };
  const withSelector = "image=bbb,release=noble-40";
  let server: number;
  const bake = async (): Promise<number> => {
    const path = `/servers/${server}/actions/create_image`;
    return (await project().done("POST", path, { description: "baked", labels })).image.id as number;
  };
  beforeEach(async () => {
    project().recorder.answer("createSnapshot", 2 * 1024 ** 3);
    server = (await makeServer(project(), { image: "ubuntu-24.04" })).id as number;
  });

  test("are listed by labels, the newest first; a list without any is no error", async () => {
    expect(await list()).toEqual([]);
    const [first, second] = [await bake(), await bake()];
    expect((await list()).map(({ id }: Json) => id)).toEqual([second, first]);
    expect((await list())[0]).toMatchObject({ labels });
    expect(await list({ withArchitectures: ["arm"] })).toEqual([]);
  });

  test("are none with other labels, or while they are made, if that is asked", async () => {
    project().recorder.hold("createSnapshot");
    await project().call("POST", `/servers/${server}/actions/create_image`, { labels });
    expect(await list({ withStatuses: [] })).toHaveLength(1);
    expect(await list()).toEqual([]);
    expect(await list({ withStatuses: [], withSelector: "image=turn" })).toEqual([]);
    project().recorder.hold("createSnapshot")();
  });

  test("a server is made of one by its id", async () => {
    const id = await bake();
    const made = await make("server", {
      name: "copy",
      serverType: "cx23",
      image: String(id),
      location: "fsn1",
    });
    expect(made.outputs).toMatchObject({ image: String(id), status: "running" });
    expect(project().recorder.last("createServer")?.[0]).toMatchObject({ snapshot: String(id) });
  });
});

describe("errors", () => {
  const fault = (body: object) => project().call("POST", "/_faults", body);
  const key = { name: "k", publicKey };
  const statuses = (method: string, path: string) =>
    project()
      .log()
      .filter((line) => line.method === method && line.path === `/v1${path}`)
      .map(({ status }) => status as number);

  test("a conflict is retried with growing waits, and so is a proxy's error", async () => {
    await fault({ match: { method: "POST" }, code: "conflict", times: 1 });
    const begun = Date.now();
    await make("sshKey", key);
    expect(statuses("POST", "/ssh_keys")).toEqual([409, 201]);
    expect(Date.now() - begun).toBeGreaterThan(950);
    await fault({ match: { method: "PUT" }, html: "<h1>Bad gateway</h1>", status: 502, times: 1 });
    const id = String((await project().call("GET", "/ssh_keys")).body.ssh_keys[0].id);
    await change("sshKey", { id, inputs: key, outputs: {} }, { name: "l" });
    expect(statuses("PUT", `/ssh_keys/${id}`)).toEqual([502, 200]);
  });

  test.each(["uniqueness_error", "resource_unavailable", "unavailable", "invalid_input", "locked"])(
    "%s is final",
    async (code) => {
      await fault({ match: { method: "POST" }, code, message: "so it is", times: 1 });
      await expect(make("sshKey", key)).rejects.toThrow(new RegExp(`so it is \\(${code}`));
      expect(statuses("POST", "/ssh_keys")).toHaveLength(1);
    },
  );

  test("a connection that was closed is no answer to a question, which is asked again; a change is not", async () => {
    let asked = 0;
    const server = createServer((request, response) => {
      if (++asked % 2 === 1) request.socket.resetAndDestroy();
      else response.setHeader("content-type", "application/json").end('{"servers": []}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const client = new Hcloud({ env: { HCLOUD_ENDPOINT: endpoint, HCLOUD_TOKEN: token }, config: {} });
    expect(await client.get("/servers")).toEqual({ servers: [] });
    await expect(client.post("/servers", {})).rejects.toThrow(`POST ${endpoint}/servers: `);
    expect(asked).toBe(3);
    await new Promise((resolve) => server.close(resolve));
  });

  test("a name that is taken is told in the API's words", async () => {
    const taken = { name: "ip4", type: "ipv4", location: "fsn1" };
    await make("primaryIp", taken);
    await expect(make("primaryIp", taken)).rejects.toThrow(/'ip4' is already used \(uniqueness_error/);
  });

  test("an attachment to a locked volume is tried again", async () => {
    const { server, ids } = await fullStack();
    await fault({ match: { method: "POST", path: "attach" }, code: "locked", times: 1 });
    await make("volumeAttachment", { volumeId: ids.volume, serverId: Number(server.id) });
    expect(statuses("POST", `/volumes/${ids.volume}/actions/attach`)).toEqual([423, 201]);
  });

  test("a create whose action fails leaves its server behind", async () => {
    await fault({ action: "start_server", code: "server_error", message: "no start" });
    const failed: unknown = await make("server", {
      name: "min",
      serverType: "cx23",
      image: "ubuntu-24.04",
      location: "fsn1",
    }).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(PartialCreate);
    expect((failed as PartialCreate).created.id).toMatch(/^\d+$/);
    expect((failed as PartialCreate).message).toMatch(/no start/);
  });

  test("an old image can no longer be ordered, an unknown one is named", async () => {
    const server = { name: "min", serverType: "cx23", location: "fsn1" };
    await expect(make("server", { ...server, image: "ubuntu-99.04" })).rejects.toThrow(
      'no image "ubuntu-99.04" exists',
    );
  });

  test("a token must have 64 characters", async () => {
    context = { ...context, env: { ...context.env, HCLOUD_TOKEN: "short" } };
    await expect(make("sshKey", key)).rejects.toThrow(
      "entered token is invalid (must be exactly 64 characters long)",
    );
  });
});

test("a replacement deletes first what only one can have the name of, but not what belongs to the newer half", () => {
  const first = (name: string) => kind(name).deleteBeforeReplace ?? false;
  expect(["server", "firewall", "volume"].map(first)).toEqual([true, true, true]);
  expect(["sshKey", "primaryIp"].map(first)).toEqual([false, false]);
});
