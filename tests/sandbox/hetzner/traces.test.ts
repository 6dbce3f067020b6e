/** Requests recorded of the real provider, in its order, and the parts of the answers that it relies on. */
import { makeServer, publicKey, useProject } from "./harness";

const project = useProject();

test("an SSH key is made, renamed, labelled and deleted", async () => {
  const p = project();
  const { ssh_key: key } = await p.done("POST", "/ssh_keys", {
    name: "key-a",
    public_key: publicKey,
    labels: { a: "1" },
  });
  expect(key).toMatchObject({ name: "key-a", public_key: publicKey, labels: { a: "1" } });
  expect(key.fingerprint).toBe("ec:d9:55:4b:0c:fc:a2:4e:ad:3c:b9:33:62:4b:05:13");

  const again = await p.call("POST", "/ssh_keys", { name: "key-a", public_key: publicKey, labels: {} });
  expect([again.status, again.body.error.code]).toEqual([409, "uniqueness_error"]);
  const sameKey = await p.call("POST", "/ssh_keys", { name: "key-z", public_key: publicKey, labels: {} });
  expect([sameKey.status, sameKey.body.error.message]).toEqual([
    409,
    "SSH key with the same fingerprint already exists",
  ]);

  expect((await p.done("PUT", `/ssh_keys/${key.id}`, { name: "key-b" })).ssh_key.name).toBe("key-b");
  expect((await p.done("PUT", `/ssh_keys/${key.id}`, { labels: { a: "2" } })).ssh_key.labels).toEqual({
    a: "2",
  });
  expect((await p.call("DELETE", `/ssh_keys/${key.id}`)).status).toBe(204);
  expect((await p.call("GET", `/ssh_keys/${key.id}`)).body.error.code).toBe("not_found");
});

test("a primary IP is made, protected, changed and deleted", async () => {
  const p = project();
  const wanted = { name: "ip4", type: "ipv4", labels: {}, auto_delete: false, location: "fsn1" };
  const { primary_ip: ip, action } = await p.done("POST", "/primary_ips", wanted);
  expect(action).toBeNull();
  expect(ip).toMatchObject({
    ip: "203.0.113.10",
    assignee_id: null,
    assignee_type: "unassigned",
    auto_delete: false,
    location: { name: "fsn1" },
    dns_ptr: [{ ip: "203.0.113.10", dns_ptr: "static.10.113.0.203.clients.your-server.de" }],
  });
  expect((await p.call("POST", "/primary_ips", wanted)).body.error.code).toBe("uniqueness_error");

  await p.done("POST", `/primary_ips/${ip.id}/actions/change_protection`, { delete: true });
  const refused = await p.call("DELETE", `/primary_ips/${ip.id}`);
  expect([refused.status, refused.body.error.code]).toEqual([423, "protected"]);
  const both = await p.call("PUT", `/primary_ips/${ip.id}`, { auto_delete: true });
  expect([both.status, both.body.error.code]).toEqual([422, "invalid_input"]);
  await p.done("POST", `/primary_ips/${ip.id}/actions/change_protection`, { delete: false });
  expect((await p.done("PUT", `/primary_ips/${ip.id}`, {})).primary_ip.name).toBe("ip4");
  expect((await p.call("DELETE", `/primary_ips/${ip.id}`)).status).toBe(204);

  const { primary_ip: v6 } = await p.done("POST", "/primary_ips", { ...wanted, type: "ipv6" });
  expect(v6).toMatchObject({ ip: "2001:db8:1::/64", dns_ptr: [] });
});

test("a firewall is made, renamed, given other rules and deleted", async () => {
  const p = project();
  const ssh = {
    direction: "in",
    source_ips: ["198.51.100.0/24"],
    protocol: "tcp",
    port: "22",
    description: "ssh",
  };
  const ping = { direction: "in", source_ips: ["0.0.0.0/0", "::0/0"], protocol: "icmp" };
  const { firewall, actions } = await p.done("POST", "/firewalls", { name: "fw", rules: [ssh, ping] });
  expect(actions).toHaveLength(1);
  const read = async (): Promise<unknown> => (await p.call("GET", `/firewalls/${firewall.id}`)).body.firewall;
  expect(await read()).toMatchObject({
    labels: {},
    applied_to: [],
    rules: [
      { ...ssh, destination_ips: [] },
      { direction: "in", protocol: "icmp", port: null, source_ips: ["0.0.0.0/0", "::/0"], description: null },
    ],
  });
  await p.done("PUT", `/firewalls/${firewall.id}`, { name: "wall" });
  await p.done("PUT", `/firewalls/${firewall.id}`, { labels: { a: "1" } });
  await p.done("POST", `/firewalls/${firewall.id}/actions/set_rules`, { rules: [ping] });
  expect(await read()).toMatchObject({ name: "wall", labels: { a: "1" }, rules: [{ protocol: "icmp" }] });
  expect((await p.call("DELETE", `/firewalls/${firewall.id}`)).status).toBe(204);
});

test("a minimal server: look-ups, creation with a chain of actions, refresh after it is gone", async () => {
  const p = project();
  const types = await p.call("GET", "/server_types?name=cx23");
  expect(types.body.server_types.map(({ name }: { name: string }) => name)).toEqual(["cx23"]);
  const images = await p.call("GET", "/images?architecture=x86&include_deprecated=true&name=ubuntu-24.04");
  expect(images.body.images.map(({ id }: { id: number }) => id)).toEqual([161547269]);

  const order = { name: "min", server_type: "cx23", image: 161547269, location: "fsn1" };
  const { status, body } = await p.call("POST", "/servers", order);
  expect(status).toBe(201);
  expect(body.server).toMatchObject({ status: "initializing", locked: true });
  expect(body.action).toMatchObject({
    command: "create_server",
    status: "running",
    progress: 0,
    error: null,
  });
  expect(body.next_actions).toMatchObject([{ command: "start_server", status: "running" }]);
  expect(typeof body.root_password).toBe("string");
  await p.wait([body.action.id]);
  await p.wait([body.next_actions[0].id]);

  const { server } = (await p.call("GET", `/servers/${body.server.id}`)).body;
  expect(server).toMatchObject({
    name: "min",
    status: "running",
    locked: false,
    server_type: { name: "cx23" },
    image: { id: 161547269, name: "ubuntu-24.04" },
    location: { name: "fsn1" },
    backup_window: null,
    protection: { delete: false, rebuild: false },
    primary_disk_size: 40,
    public_net: {
      ipv4: { ip: "203.0.113.10", dns_ptr: "static.10.113.0.203.clients.your-server.de" },
      ipv6: { ip: "2001:db8:1::/64", dns_ptr: [] },
      firewalls: [],
    },
  });
  expect(server).not.toHaveProperty("datacenter");

  await p.done("DELETE", `/servers/${server.id}`);
  expect((await p.call("GET", `/servers/${server.id}`)).status).toBe(404);
  expect((await p.call("GET", `/servers?name=${server.id}`)).body.servers).toEqual([]);
  const addresses = (await p.call("GET", "/primary_ips")).body.primary_ips;
  expect(addresses).toEqual([]);
});

test("a full server, its updates, its replacement and its end", async () => {
  const p = project();
  const { ssh_key: key } = await p.done("POST", "/ssh_keys", {
    name: "k",
    public_key: publicKey,
    labels: {},
  });
  const { volume } = await p.done("POST", "/volumes", {
    name: "vol",
    size: 10,
    location: "fsn1",
    labels: { r: "bbb" },
    format: "ext4",
  });
  await p.done("POST", `/volumes/${volume.id}/actions/change_protection`, { delete: true });
  expect((await p.call("GET", `/volumes/${volume.id}`)).body.volume).toMatchObject({
    status: "available",
    format: "ext4",
    server: null,
    protection: { delete: true },
    linux_device: `/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`,
  });
  const web = { direction: "in", protocol: "tcp", port: "443", source_ips: ["0.0.0.0/0", "::/0"] };
  const { firewall } = await p.done("POST", "/firewalls", { name: "fw", rules: [web] });
  const ip = { labels: {}, auto_delete: false, location: "fsn1" };
  const { primary_ip: v6 } = await p.done("POST", "/primary_ips", { name: "v6", type: "ipv6", ...ip });
  const { primary_ip: v4 } = await p.done("POST", "/primary_ips", { name: "v4", type: "ipv4", ...ip });
  const rdns = (id: number, address: string, name: string | null): Promise<unknown> =>
    p.done("POST", `/primary_ips/${id}/actions/change_dns_ptr`, { ip: address, dns_ptr: name });
  await rdns(v4.id, "203.0.113.10", "bbb.example.com");

  const order = {
    name: "bbb-a",
    server_type: "ccx23",
    image: 67794396,
    ssh_keys: [key.id],
    location: "fsn1",
    user_data: "#cloud-config\n{}\n",
    labels: { role: "bbb" },
    firewalls: [{ firewall: firewall.id }],
    public_net: { enable_ipv4: true, enable_ipv6: true, ipv4: v4.id, ipv6: v6.id },
  };
  const created = await p.done("POST", "/servers", order);
  expect(created.root_password).toBeNull();
  const s = created.server.id as number;
  await p.done("POST", `/servers/${s}/actions/enable_backup`);
  await p.done("POST", `/servers/${s}/actions/change_protection`, { rebuild: true, delete: true });
  await rdns(v6.id, "2001:db8:1:0::1", "bbb.example.com");
  await p.done("POST", `/volumes/${volume.id}/actions/attach`, { server: s });

  const rules = [{ protocol: "tcp", ports: "443", sources: ["0.0.0.0/0", "::/0"] }];
  expect(p.recorder.of("createServer")).toEqual([
    [
      {
        id: String(s),
        name: "bbb-a",
        ubuntu: "22.04",
        cores: 4,
        memoryGb: 16,
        diskGb: 160,
        userData: "#cloud-config\n{}\n",
        sshPublicKeys: [publicKey],
        addresses: { ipv4: "203.0.113.10", ipv6Network: "2001:db8:1::/64" },
        rules,
      },
    ],
  ]);
  expect(p.recorder.of("setFirewall")).toEqual([[String(s), rules]]);
  expect(p.recorder.of("attachVolume")).toEqual([
    [String(volume.id), String(s), `/dev/disk/by-id/scsi-0HC_Volume_${volume.id}`],
  ]);
  expect(p.recorder.of("setReverseDns")).toEqual([
    ["203.0.113.10", "bbb.example.com"],
    ["2001:db8:1::1", "bbb.example.com"],
  ]);
  const read = async (): Promise<{ [key: string]: unknown }> =>
    (await p.call("GET", `/servers/${s}`)).body.server;
  expect(await read()).toMatchObject({
    status: "running",
    backup_window: "22-02",
    protection: { delete: true, rebuild: true },
    labels: { role: "bbb" },
    volumes: [volume.id],
    placement_group: null,
    public_net: {
      ipv4: { id: v4.id, ip: "203.0.113.10", dns_ptr: "bbb.example.com" },
      ipv6: { id: v6.id, dns_ptr: [{ ip: "2001:db8:1::1", dns_ptr: "bbb.example.com" }] },
      firewalls: [{ id: firewall.id, status: "applied" }],
    },
  });

  await p.done("PUT", `/servers/${s}`, { name: "bbb-b" });
  await p.done("PUT", `/servers/${s}`, { labels: { role: "bbb", more: "" } });
  await p.done("POST", `/servers/${s}/actions/disable_backup`);
  await p.done("POST", `/servers/${s}/actions/poweroff`);
  await p.done("POST", `/servers/${s}/actions/change_type`, { server_type: "ccx33", upgrade_disk: false });
  expect(p.recorder.last("resizeServer")).toEqual([String(s), 8, 32]);
  expect(await read()).toMatchObject({
    name: "bbb-b",
    status: "running",
    server_type: { name: "ccx33" },
    primary_disk_size: 160,
    backup_window: null,
  });
  expect(p.recorder.of("resizeDisk")).toEqual([]);
  await p.done("POST", `/servers/${s}/actions/poweroff`);
  await p.done("POST", `/servers/${s}/actions/change_type`, { server_type: "ccx43", upgrade_disk: true });
  expect(p.recorder.of("resizeDisk")).toEqual([[String(s), 360]]);

  await p.done("POST", `/firewalls/${firewall.id}/actions/remove_from_resources`, {
    remove_from: [{ type: "server", server: { id: s } }],
  });
  expect(p.recorder.last("setFirewall")).toEqual([String(s), undefined]);
  await p.done("POST", `/firewalls/${firewall.id}/actions/apply_to_resources`, {
    apply_to: [{ type: "server", server: { id: s } }],
  });
  expect(p.recorder.last("setFirewall")).toEqual([String(s), rules]);

  // Destroy with protection on: the volume and the names go, the server does not.
  await p.done("POST", `/volumes/${volume.id}/actions/detach`, {});
  const refused = await p.call("DELETE", `/servers/${s}`);
  expect([refused.status, refused.body.error.code]).toEqual([423, "protected"]);
  await p.done("POST", `/servers/${s}/actions/change_protection`, { rebuild: false, delete: false });

  // Replacement: the addresses, the volume and the names outlive the server.
  await p.done("DELETE", `/servers/${s}`);
  const second = (await p.done("POST", "/servers", order)).server.id as number;
  await p.done("POST", `/volumes/${volume.id}/actions/attach`, { server: second });
  expect((await p.call("GET", `/servers/${second}`)).body.server.public_net.ipv4).toMatchObject({
    id: v4.id,
    dns_ptr: "bbb.example.com",
  });

  await p.done("POST", `/volumes/${volume.id}/actions/change_protection`, { delete: false });
  await p.done("POST", `/volumes/${volume.id}/actions/detach`, {});
  await rdns(v6.id, "2001:db8:1::1", null);
  await rdns(v4.id, "203.0.113.10", null);
  expect(p.recorder.last("setReverseDns")).toEqual(["203.0.113.10", undefined]);
  await p.done("DELETE", `/servers/${second}`);
  for (const path of [
    `/volumes/${volume.id}`,
    `/primary_ips/${v6.id}`,
    `/firewalls/${firewall.id}`,
    `/primary_ips/${v4.id}`,
    `/ssh_keys/${key.id}`,
  ]) {
    expect([path, (await p.call("DELETE", path)).status]).toEqual([path, 204]);
  }
  expect(p.recorder.of("deleteServer")).toEqual([[String(s)], [String(second)]]);
  expect(p.recorder.of("deleteVolume")).toEqual([[String(volume.id)]]);
});

test("another IPv6 network: power off, unassign and assign every address, power on", async () => {
  const p = project();
  const s = await makeServer(p);
  const { ipv4, ipv6 } = s.public_net;
  const { primary_ip: v6 } = await p.done("POST", "/primary_ips", {
    name: "v6",
    type: "ipv6",
    labels: {},
    auto_delete: false,
    location: "fsn1",
  });
  const unassign = (id: number): Promise<unknown> => p.done("POST", `/primary_ips/${id}/actions/unassign`);
  const assign = (id: number): Promise<unknown> =>
    p.done("POST", `/primary_ips/${id}/actions/assign`, { assignee_id: s.id, assignee_type: "server" });

  const running = await p.call("POST", `/primary_ips/${ipv4.id}/actions/unassign`);
  expect([running.status, running.body.error.code]).toEqual([422, "server_not_stopped"]);
  await p.done("POST", `/servers/${s.id}/actions/poweroff`);
  await unassign(ipv4.id);
  await assign(ipv4.id);
  const assigned = await p.call("DELETE", `/primary_ips/${ipv6.id}`);
  expect([assigned.status, assigned.body.error.code]).toEqual([422, "must_be_unassigned"]);
  await unassign(ipv6.id);
  expect((await p.call("DELETE", `/primary_ips/${ipv6.id}`)).status).toBe(204);
  await assign(v6.id);
  await p.done("POST", `/servers/${s.id}/actions/poweron`);
  expect(p.recorder.last("setAddresses")).toEqual([
    String(s.id),
    { ipv4: "203.0.113.10", ipv6Network: "2001:db8:2::/64" },
  ]);
  expect((await p.call("GET", `/servers/${s.id}`)).body.server).toMatchObject({
    status: "running",
    public_net: { ipv4: { id: ipv4.id }, ipv6: { id: v6.id } },
  });
});

test("a zone is made, and found by name and by id", async () => {
  const p = project();
  const absent = await p.call("GET", "/zones/example.com");
  expect([absent.status, absent.body.error.code]).toEqual([404, "not_found"]);
  const { zone } = await p.done("POST", "/zones", {
    name: "example.com",
    mode: "primary",
    ttl: 3600,
    labels: { a: "1" },
  });
  expect((await p.call("GET", "/zones/example.com")).body.zone).toMatchObject({
    id: zone.id,
    ttl: 3600,
    mode: "primary",
    labels: { a: "1" },
    protection: { delete: false },
    authoritative_nameservers: { assigned: ["ns1.sandbox.test.", "ns2.sandbox.test."] },
  });
  expect((await p.call("GET", "/zones?label_selector=a%3D1&page=1&per_page=50")).body.zones).toHaveLength(1);
  expect((await p.call("GET", `/zones/${zone.id}`)).body.zone.name).toBe("example.com");
});

test("record sets are made, changed and deleted, and each change publishes the whole zone", async () => {
  const p = project();
  await p.done("POST", "/zones", { name: "example.com", mode: "primary", ttl: 3600 });
  const { rrset } = await p.done("POST", "/zones/example.com/rrsets", {
    name: "bbb",
    type: "A",
    ttl: 60,
    labels: {},
    records: [{ value: "203.0.113.10" }],
  });
  expect(rrset).toMatchObject({ id: "bbb/A", ttl: 60, records: [{ value: "203.0.113.10" }] });
  await p.done("POST", "/zones/example.com/rrsets", {
    name: "bbb",
    type: "AAAA",
    labels: {},
    records: [{ value: "2001:db8:1::1" }],
  });
  expect(p.recorder.last("setZone")).toEqual([
    "example.com",
    [
      { name: "bbb", type: "A", ttl: 60, value: "203.0.113.10" },
      { name: "bbb", type: "AAAA", ttl: 3600, value: "2001:db8:1::1" },
    ],
  ]);
  const path = "/zones/example.com/rrsets/bbb/A";
  expect((await p.call("GET", path)).body.rrset.zone).toEqual(expect.any(Number));
  await p.done("POST", `${path}/actions/set_records`, { records: [{ value: "203.0.113.11" }] });
  await p.done("PUT", path, {});
  await p.done("POST", `${path}/actions/change_ttl`, { ttl: 300 });
  expect((p.recorder.last("setZone") as [string, object[]])[1][0]).toEqual({
    name: "bbb",
    type: "A",
    ttl: 300,
    value: "203.0.113.11",
  });
  const deleted = await p.call("DELETE", path);
  expect([deleted.status, deleted.body.action.status]).toEqual([201, "running"]);
  await p.wait([deleted.body.action.id]);
  expect((await p.call("GET", path)).body.error.code).toBe("not_found");
  expect((p.recorder.last("setZone") as [string, object[]])[1]).toHaveLength(1);
});
