/** Deletions and changes at the cloud behind the engine's back. */
import { token, useProject } from "../hetzner/harness";
import { Workbench } from "./support";

const project = useProject();
let bench: Workbench;

const PROGRAM = `
  import * as hcloud from "@pulumi/hcloud";
  const labels = { stack: "dev" };
  const ip = new hcloud.PrimaryIp("ip", { name: "ip", type: "ipv4", location: "fsn1", labels }, { deleteBeforeReplace: true });
  new hcloud.Rdns("rdns", { primaryIpId: ip.id.apply(Number), ipAddress: ip.ipAddress, dnsPtr: "bbb.example.test" });
  const firewall = new hcloud.Firewall("firewall", { name: "firewall", labels, rules: [
    { direction: "in", protocol: "tcp", port: "22", sourceIps: ["198.51.100.7/32"] },
  ] });
  const server = new hcloud.Server("server", {
    name: "bbb", serverType: "ccx33", image: "ubuntu-22.04", location: "fsn1", labels, backups: true,
    userData: pulumi.secret("#cloud-config"), firewallIds: [firewall.id.apply(Number)],
    publicNets: [{ ipv4: ip.id.apply(Number), ipv6Enabled: false }],
  }, { deleteBeforeReplace: true });
  const volume = new hcloud.Volume("volume", { name: "data", size: 10, location: "fsn1", labels });
  new hcloud.VolumeAttachment("attachment", { volumeId: volume.id.apply(Number), serverId: server.id.apply(Number) }, { deleteBeforeReplace: true });
  new hcloud.ZoneRrset("record", { zone: "example.test", name: "bbb", type: "A", ttl: 60, labels, records: [{ value: ip.ipAddress }] });
`;

beforeEach(async () => {
  bench = new Workbench(PROGRAM);
  bench.config = { "hcloud:pollInterval": "30ms", "hcloud:pollFunction": "constant" };
  bench.env = { HCLOUD_ENDPOINT: `${await project().url()}/v1`, HCLOUD_TOKEN: token };
  await project().done("POST", "/zones", { name: "example.test", mode: "primary" });
});
afterEach(() => bench.close());

const deleteServer = async (): Promise<void> => {
  const { servers } = (await project().call("GET", "/servers")).body;
  await project().done("DELETE", `/servers/${servers[0].id}`);
};

test("a refresh without a difference changes nothing, nor does the update after it", async () => {
  await bench.up();
  const before = bench.resources();
  expect((await bench.refresh()).summary).toMatchObject({ unchanged: 8, updated: 0, deleted: 0 });
  expect(bench.resources().map(({ inputs }) => inputs)).toEqual(before.map(({ inputs }) => inputs));
  expect((await bench.up()).summary).toMatchObject({ unchanged: 8 });
});

test("a server that is gone is forgotten with what hung on it, and made anew by the next update", async () => {
  await bench.up();
  await deleteServer();
  const { summary, errors } = await bench.refresh();
  expect(errors).toEqual([]);
  expect(summary).toMatchObject({ deleted: 2, unchanged: 6 });
  expect(bench.resource("server")).toBeUndefined();
  expect(bench.resource("attachment")).toBeUndefined();
  expect((await bench.up()).summary).toMatchObject({ created: 2, unchanged: 6 });
});

test("what was changed at the cloud is changed back by the next update", async () => {
  await bench.up();
  const [server] = (await project().call("GET", "/servers")).body.servers;
  await project().done("PUT", `/servers/${server.id}`, { labels: { stack: "dev", by: "hand" } });
  await project().done("POST", `/servers/${server.id}/actions/disable_backup`);
  await project().done("POST", "/zones/example.test/rrsets/bbb/A/actions/set_records", {
    records: [{ value: "203.0.113.99" }],
  });
  expect((await bench.refresh()).summary).toMatchObject({ updated: 2 });
  expect((await bench.up()).summary).toMatchObject({ updated: 2 });
  const [again] = (await project().call("GET", "/servers")).body.servers;
  expect(again).toMatchObject({ labels: { stack: "dev" }, backup_window: expect.any(String) });
  const rrset = (await project().call("GET", "/zones/example.test/rrsets/bbb/A")).body.rrset;
  expect(rrset.records[0].value).toBe("203.0.113.10");
});

test("a destroy stops at a server that is gone, as the real provider does; one that refreshes first does not", async () => {
  await bench.up();
  await deleteServer();
  expect((await bench.destroy()).errors).not.toEqual([]);
  expect((await bench.destroy(true)).errors).toEqual([]);
  expect(bench.resources()).toEqual([]);
  for (const left of ["servers", "volumes", "primary_ips", "firewalls"])
    expect((await project().call("GET", `/${left}`)).body[left]).toEqual([]);
});

test("a refresh that the cloud refuses leaves the state as it was, and says why", async () => {
  await bench.up();
  const before = bench.text();
  bench.env = { ...bench.env, HCLOUD_TOKEN: "x".repeat(64) };
  const { errors } = await bench.refresh();
  expect(errors[0]).toMatch(/unauthorized|authenticate/i);
  expect(JSON.parse(bench.text()).deployment.resources).toHaveLength(
    JSON.parse(before).deployment.resources.length,
  );
});
