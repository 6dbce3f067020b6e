/** Refusals of the API, and their form. */
import { type Json, makeServer, Project, publicKey, token, useProject } from "./harness";

const project = useProject({ clock: () => new Date("2026-11-21T12:00:00Z") });

/** Code and status of a refusal. */
async function refusal(p: Project, method: string, path: string, body?: unknown): Promise<[number, string]> {
  const answer = await p.call(method, path, body);
  return [answer.status, answer.body?.error?.code];
}

describe("transport", () => {
  test("without the right token: 401", async () => {
    const url = await project().url();
    for (const authorization of ["", "Bearer wrong", `Basic ${token}`]) {
      const response = await fetch(`${url}/v1/servers`, { headers: { authorization } });
      expect([response.status, await response.json()]).toEqual([
        401,
        { error: { code: "unauthorized", message: "unable to authenticate", details: null } },
      ]);
    }
  });

  test("a token of another length is refused at the start", () => {
    const { stateFile, requestLog, recorder } = project();
    expect(() => new Project({ token: "short", stateFile, requestLog, runtime: recorder.runtime })).toThrow(
      "the API token has 5 characters; Hetzner's have 64",
    );
  });

  test("unknown endpoints: 404 not_found, and the log says so", async () => {
    const p = project();
    for (const [method, path] of [
      ["GET", "/load_balancers"],
      ["PATCH", "/servers"],
      ["POST", "/zones/1/actions/import_zonefile"],
    ] as const) {
      const { status, body } = await p.call(method, path);
      expect([status, body.error.code, body.error.details]).toEqual([404, "not_found", null]);
    }
    expect(p.log().map(({ note }: Json) => note)).toEqual(Array(3).fill("not emulated"));
    expect((await p.call("GET", "/_requests")).body).toMatchObject({ total: 3, notEmulated: 3 });
    expect(await refusal(p, "GET", "/datacenters")).toEqual([410, "deprecated_api_endpoint"]);
  });

  test("each answer has a correlation id", async () => {
    const { headers } = await project().call("GET", "/locations");
    expect(headers.get("x-correlation-id")).toBeTruthy();
  });

  test("bodies: bad JSON, unknown fields, missing fields and wrong types are named", async () => {
    const p = project();
    expect(await refusal(p, "POST", "/ssh_keys", "{")).toEqual([400, "json_error"]);
    const { status, body } = await p.call("POST", "/servers", {
      name: "no_good",
      image: true,
      datacenter: "fsn1-dc14",
      public_net: { ipv4: "x" },
    });
    expect(status).toBe(422);
    expect(body.error.code).toBe("invalid_input");
    const fields = Object.fromEntries(
      (body.error.details.fields as Json[]).map(({ name, messages }) => [name, messages]),
    );
    expect(Object.keys(fields).sort()).toEqual([
      "datacenter",
      "image",
      "name",
      "public_net.ipv4",
      "server_type",
    ]);
    expect(fields.datacenter).toEqual(["Unknown field."]);
    expect(fields.server_type).toEqual(["Missing data for required field."]);
  });

  test("pages: meta, upper bound, order", async () => {
    const p = project();
    for (let number = 1; number <= 53; number += 1) {
      await p.done("POST", "/firewalls", { name: `g${number}` });
    }
    const first = await p.call("GET", "/firewalls");
    expect(first.body.firewalls).toHaveLength(25);
    expect(first.body.meta.pagination).toEqual({
      page: 1,
      per_page: 25,
      previous_page: null,
      next_page: 2,
      last_page: 3,
      total_entries: 53,
    });
    const last = await p.call("GET", "/firewalls?page=2&per_page=100&sort=name:desc");
    expect(last.body.meta.pagination).toMatchObject({ per_page: 50, next_page: null, previous_page: 1 });
    expect(last.body.firewalls.map(({ name }: Json) => name)).toEqual(["g11", "g10", "g1"]);
    expect(await refusal(p, "GET", "/firewalls?page=0")).toEqual([422, "invalid_input"]);
    expect(await refusal(p, "GET", "/firewalls?sort=price")).toEqual([422, "invalid_input"]);
  });
});

describe("labels", () => {
  test.each([
    ["env=prod", ["a"]],
    ["env==prod", ["a"]],
    ["env in (prod, test)", ["a", "b"]],
    ["env=test,role=turn", ["b"]],
  ])("selector %s", async (selector, names) => {
    const p = project();
    const groups: [string, object][] = [
      ["a", { env: "prod", role: "bbb" }],
      ["b", { env: "test", role: "turn" }],
      ["c", {}],
    ];
    for (const [name, labels] of groups) await p.done("POST", "/firewalls", { name, labels });
    const { body } = await p.call("GET", `/firewalls?label_selector=${encodeURIComponent(selector)}`);
    expect(body.firewalls.map(({ name }: Json) => name)).toEqual(names);
  });

  test.each([
    [{ "-x": "1" }],
    [{ x: "-" }],
    [{ ["k".repeat(64)]: "1" }],
    [{ x: "v".repeat(64) }],
    [{ "hetzner.cloud/x": "1" }],
    [{ "a/b/c": "1" }],
  ])("%j is refused", async (labels) => {
    const p = project();
    const body = { name: "g", labels };
    expect(await refusal(p, "POST", "/firewalls", body)).toEqual([422, "invalid_input"]);
    expect((await p.call("GET", "/firewalls")).body.firewalls).toEqual([]);
  });

  test("a selector that can't be read is refused", async () => {
    expect(await refusal(project(), "GET", "/servers?label_selector=a%3D%3D%3Db")).toEqual([
      422,
      "invalid_input",
    ]);
  });
});

describe("servers", () => {
  test("names are unique host names", async () => {
    const p = project();
    const s = await makeServer(p);
    const order = { name: "min", server_type: "cx23", image: "ubuntu-24.04", location: "fsn1" };
    expect(await refusal(p, "POST", "/servers", order)).toEqual([409, "uniqueness_error"]);
    const other = await makeServer(p, { name: "other" });
    expect(await refusal(p, "PUT", `/servers/${other.id}`, { name: "min" })).toEqual([
      409,
      "uniqueness_error",
    ]);
    expect((await p.call("PUT", `/servers/${s.id}`, { name: "min" })).status).toBe(200);
  });

  test.each<[string, object, number, string]>([
    ["an unknown type", { server_type: "cx99" }, 422, "invalid_input"],
    ["a retired type", { server_type: "cx22" }, 422, "invalid_input"],
    ["a type not sold there", { server_type: "cx23", location: "ash" }, 422, "invalid_input"],
    ["a type that is sold out", { server_type: "cax11", image: 161547270 }, 412, "resource_unavailable"],
    ["an image for another architecture", { image: 161547270 }, 422, "invalid_input"],
    ["an image past its time", { image: "ubuntu-20.04" }, 422, "invalid_input"],
    ["an image that the sandbox can't boot", { image: "debian-13" }, 422, "unsupported_error"],
    ["an unknown location", { location: "mars" }, 422, "invalid_input"],
    ["an unknown key", { ssh_keys: ["none"] }, 422, "invalid_input"],
    ["an unknown firewall", { firewalls: [{ firewall: 1 }] }, 404, "not_found"],
    ["too much user data", { user_data: "x".repeat(32769) }, 422, "invalid_input"],
    ["no public address", { public_net: { enable_ipv4: false, enable_ipv6: false } }, 422, "invalid_input"],
  ])("%s is refused, and nothing is left of the order", async (_what, more, status, code) => {
    const p = project();
    const order = { name: "s", server_type: "cx23", image: "ubuntu-24.04", location: "fsn1", ...more };
    expect(await refusal(p, "POST", "/servers", order)).toEqual([status, code]);
    expect((await p.call("GET", "/primary_ips")).body.primary_ips).toEqual([]);
    expect(p.recorder.calls).toEqual([]);
  });

  test("primary IPs have to be free, of the right version, and there", async () => {
    const p = project();
    const s = await makeServer(p);
    const make = async (type: string, location: string): Promise<number> =>
      (await p.done("POST", "/primary_ips", { name: `${type}-${location}`, type, location })).primary_ip
        .id as number;
    const order = (ipv4: number): object => ({
      name: "other",
      server_type: "cx23",
      image: "ubuntu-24.04",
      location: "fsn1",
      public_net: { ipv4 },
    });
    const post = (ipv4: number): Promise<[number, string]> => refusal(p, "POST", "/servers", order(ipv4));
    expect(await post(s.public_net.ipv4.id)).toEqual([422, "primary_ip_assigned"]);
    expect(await post(await make("ipv6", "fsn1"))).toEqual([422, "primary_ip_version_mismatch"]);
    expect(await post(await make("ipv4", "nbg1"))).toEqual([422, "primary_ip_datacenter_mismatch"]);
    const second = await make("ipv4", "fsn1");
    await p.done("POST", `/servers/${s.id}/actions/poweroff`);
    expect(await refusal(p, "POST", `/primary_ips/${second}/actions/assign`, { assignee_id: s.id })).toEqual([
      422,
      "server_has_ipv4",
    ]);
  });

  test("IPv6 only: ipv4 is null", async () => {
    const s = await makeServer(project(), { public_net: { enable_ipv4: false, enable_ipv6: true } });
    expect(s.public_net).toMatchObject({ ipv4: null, ipv6: { ip: "2001:db8:1::/64" } });
    expect(project().recorder.of("createServer")[0]).toMatchObject([
      { addresses: { ipv4: undefined, ipv6Network: "2001:db8:1::/64" } },
    ]);
  });

  test("locked while an action runs", async () => {
    const p = project();
    const release = p.recorder.hold("createServer");
    const order = { name: "s", server_type: "cx23", image: "ubuntu-24.04", location: "fsn1" };
    const { body } = await p.call("POST", "/servers", order);
    const path = `/servers/${body.server.id}`;
    expect((await p.call("GET", path)).body.server.locked).toBe(true);
    for (const action of ["poweroff", "enable_backup", "change_protection"]) {
      const body = action === "change_protection" ? {} : undefined;
      expect(await refusal(p, "POST", `${path}/actions/${action}`, body)).toEqual([423, "locked"]);
    }
    expect(await refusal(p, "DELETE", path)).toEqual([423, "locked"]);
    const { volume } = await p.done("POST", "/volumes", { name: "v", size: 10, location: "fsn1" });
    const attach = [`/volumes/${volume.id}/actions/attach`, { server: body.server.id }] as const;
    expect(await refusal(p, "POST", ...attach)).toEqual([423, "locked"]);
    expect((await p.call("GET", `/actions/${body.action.id}`)).body.action.status).toBe("running");
    release();
    await p.wait([body.action.id, body.next_actions[0].id]);
    expect((await p.call("GET", path)).body.server).toMatchObject({ locked: false, status: "running" });
    await p.done("POST", ...attach);
  });

  test("change of type: stopped, another type, a disk that is large enough", async () => {
    const p = project();
    const s = await makeServer(p, { server_type: "cx33" });
    const change = (server_type: string): Promise<[number, string]> =>
      refusal(p, "POST", `/servers/${s.id}/actions/change_type`, { server_type, upgrade_disk: true });
    expect(await change("cx43")).toEqual([422, "server_not_stopped"]);
    await p.done("POST", `/servers/${s.id}/actions/poweroff`);
    expect(await change("cx33")).toEqual([422, "invalid_server_type"]);
    expect(await change("cx23")).toEqual([422, "invalid_server_type"]);
    expect(await change("cax31")).toEqual([422, "invalid_server_type"]);
    expect(await change("cx42")).toEqual([422, "invalid_input"]);
    await p.done("POST", `/servers/${s.id}/actions/change_type`, { server_type: "cx43", upgrade_disk: true });
    expect((await p.call("GET", `/servers/${s.id}`)).body.server.primary_disk_size).toBe(160);
  });

  test("a placement group takes ten servers, one that is there only while it is off", async () => {
    const p = project();
    const group = async (name: string) =>
      (await p.done("POST", "/placement_groups", { name, type: "spread" })).placement_group.id as number;
    const [full, other] = [await group("full"), await group("other")];
    const loner = await makeServer(p, { name: "loner" });
    const join = ["POST", `/servers/${loner.id}/actions/add_to_placement_group`] as const;
    expect(await refusal(p, ...join, { placement_group: full })).toEqual([422, "server_not_stopped"]);
    for (let number = 1; number <= 10; number++)
      await makeServer(p, { name: `s${number}`, placement_group: full });
    const order = { name: "s11", server_type: "cx23", image: "ubuntu-24.04", location: "fsn1" };
    expect(await refusal(p, "POST", "/servers", { ...order, placement_group: full })).toEqual([
      422,
      "placement_error",
    ]);
    expect(await refusal(p, "POST", "/servers", { ...order, placement_group: 1 })).toEqual([
      404,
      "not_found",
    ]);
    await p.done("POST", `/servers/${loner.id}/actions/poweroff`);
    expect(await refusal(p, ...join, { placement_group: full })).toEqual([422, "placement_error"]);
    await p.done(...join, { placement_group: other });
    expect((await p.call("GET", `/servers/${loner.id}`)).body.server.placement_group).toMatchObject({
      name: "other",
    });
    expect(await refusal(p, "DELETE", `/placement_groups/${other}`)).toEqual([422, "resource_in_use"]);
    await p.done("DELETE", `/servers/${loner.id}`);
    expect((await p.call("DELETE", `/placement_groups/${other}`)).status).toBe(204);
  });

  test("delete and rebuild protection are one", async () => {
    const p = project();
    const s = await makeServer(p);
    expect(await refusal(p, "POST", `/servers/${s.id}/actions/change_protection`, { delete: true })).toEqual([
      422,
      "invalid_input",
    ]);
  });

  test("deletion detaches volumes, firewalls and kept addresses, and takes the automatic ones along", async () => {
    const p = project();
    const { firewall } = await p.done("POST", "/firewalls", { name: "fw" });
    const { primary_ip: kept } = await p.done("POST", "/primary_ips", {
      name: "kept",
      type: "ipv4",
      location: "fsn1",
    });
    const { volume } = await p.done("POST", "/volumes", { name: "v", size: 10, location: "fsn1" });
    const s = await makeServer(p, {
      firewalls: [{ firewall: firewall.id }],
      public_net: { ipv4: kept.id },
    });
    await p.done("POST", `/volumes/${volume.id}/actions/attach`, { server: s.id });
    await p.done("DELETE", `/servers/${s.id}`);
    expect((await p.call("GET", "/primary_ips")).body.primary_ips).toMatchObject([
      { id: kept.id, assignee_id: null, assignee_type: "unassigned" },
    ]);
    expect((await p.call("GET", `/volumes/${volume.id}`)).body.volume.server).toBeNull();
    expect((await p.call("DELETE", `/firewalls/${firewall.id}`)).status).toBe(204);
    const methods = p.recorder.calls.map(([method]) => method);
    expect(methods.indexOf("detachVolume")).toBeLessThan(methods.indexOf("deleteServer"));
    expect(methods).toContain("detachVolume");
  });

  test("started only on demand", async () => {
    const s = await makeServer(project(), { start_after_create: false });
    expect(s.status).toBe("off");
    expect(project().recorder.last("powerOff")).toEqual([String(s.id), false]);
  });
});

describe("addresses", () => {
  test("freed ones come back only when there are no fresh ones", async () => {
    const p = project();
    const make = async (name: string): Promise<{ id: number; ip: string }> =>
      (await p.done("POST", "/primary_ips", { name, type: "ipv4", location: "fsn1" })).primary_ip;
    const first = await make("first");
    await p.call("DELETE", `/primary_ips/${first.id}`);
    const rest: string[] = [];
    for (let number = 0; number < 190; number += 1) rest.push((await make(`ip${number}`)).ip);
    expect(rest[0]).toBe("203.0.113.11");
    expect(rest.at(-2)).toBe("203.0.113.199");
    expect(rest.at(-1)).toBe("203.0.113.10");
    const over = { name: "over", type: "ipv4", location: "fsn1" };
    expect(await refusal(p, "POST", "/primary_ips", over)).toEqual([403, "resource_limit_exceeded"]);
  });

  test("a reverse name is for an address of one's own, and must be a name", async () => {
    const p = project();
    const { primary_ip: ip } = await p.done("POST", "/primary_ips", {
      name: "v6",
      type: "ipv6",
      location: "fsn1",
    });
    const path = `/primary_ips/${ip.id}/actions/change_dns_ptr`;
    const wrong = { ip: "2001:db8:2::1", dns_ptr: "a.example.com" };
    expect(await refusal(p, "POST", path, wrong)).toEqual([422, "invalid_input"]);
    expect(await refusal(p, "POST", path, { ip: "2001:db8:1::1", dns_ptr: "a b" })).toEqual([
      422,
      "invalid_input",
    ]);
  });
});

describe("firewalls", () => {
  test.each<[string, object]>([
    ["a port missing", { protocol: "tcp", port: undefined }],
    ["a port too many", { protocol: "icmp", port: "22" }],
    ["a range backwards", { port: "90-80" }],
    ["a port out of range", { port: "65536" }],
    ["no source", { source_ips: [] }],
    ["a source without length", { source_ips: ["198.51.100.1"] }],
    ["a length out of range", { source_ips: ["198.51.100.0/33"] }],
  ])("%s is refused", async (_what, change) => {
    const rule = { direction: "in", protocol: "tcp", port: "22", source_ips: ["0.0.0.0/0"], ...change };
    expect(await refusal(project(), "POST", "/firewalls", { name: "fw", rules: [rule] })).toEqual([
      422,
      "invalid_input",
    ]);
  });

  test("outbound rules are refused, not ignored", async () => {
    const rule = { direction: "out", protocol: "tcp", port: "22", destination_ips: ["0.0.0.0/0"] };
    expect(await refusal(project(), "POST", "/firewalls", { name: "fw", rules: [rule] })).toEqual([
      422,
      "unsupported_error",
    ]);
  });

  test("rules of all firewalls on a server are merged; no rules closes it, no firewall opens it", async () => {
    const p = project();
    const s = await makeServer(p);
    expect(p.recorder.last("setFirewall")).toEqual([String(s.id), undefined]);
    const make = async (name: string, port?: string): Promise<number> => {
      const rules = port ? [{ direction: "in", protocol: "tcp", port, source_ips: ["0.0.0.0/0"] }] : [];
      const { firewall } = await p.done("POST", "/firewalls", { name, rules });
      const to = [{ type: "server", server: { id: s.id } }];
      await p.done("POST", `/firewalls/${firewall.id}/actions/apply_to_resources`, { apply_to: to });
      return firewall.id as number;
    };
    const empty = await make("empty");
    expect(p.recorder.last("setFirewall")).toEqual([String(s.id), []]);
    const web = await make("web", "443");
    await make("ssh", "22");
    const rule = (ports: string): object => ({ protocol: "tcp", ports, sources: ["0.0.0.0/0"] });
    expect(p.recorder.last("setFirewall")).toEqual([String(s.id), [rule("443"), rule("22")]]);
    await p.done("POST", `/firewalls/${web}/actions/set_rules`, { rules: [] });
    expect(p.recorder.last("setFirewall")).toEqual([String(s.id), [rule("22")]]);

    expect(await refusal(p, "DELETE", `/firewalls/${empty}`)).toEqual([422, "resource_in_use"]);
    const target = [{ type: "server", server: { id: s.id } }];
    const path = `/firewalls/${empty}/actions`;
    expect(await refusal(p, "POST", `${path}/apply_to_resources`, { apply_to: target })).toEqual([
      422,
      "firewall_already_applied",
    ]);
    await p.done("POST", `${path}/remove_from_resources`, { remove_from: target });
    expect(await refusal(p, "POST", `${path}/remove_from_resources`, { remove_from: target })).toEqual([
      422,
      "firewall_resource_not_found",
    ]);
  });
});

describe("volumes", () => {
  test("sizes grow only, attached ones stay", async () => {
    const p = project();
    const s = await makeServer(p);
    const body = { name: "v", size: 20, server: s.id, format: "ext4" };
    const made = await p.done("POST", "/volumes", body);
    expect(made.next_actions).toMatchObject([{ command: "attach_volume" }]);
    const path = `/volumes/${made.volume.id}`;
    expect(await refusal(p, "DELETE", path)).toEqual([422, "resource_in_use"]);
    expect(await refusal(p, "POST", `${path}/actions/resize`, { size: 20 })).toEqual([422, "invalid_input"]);
    expect(await refusal(p, "POST", `${path}/actions/attach`, { server: s.id })).toEqual([
      422,
      "volume_already_attached",
    ]);
    await p.done("POST", `${path}/actions/resize`, { size: 30 });
    expect(p.recorder.last("resizeVolume")).toEqual([String(made.volume.id), 30]);
    expect((await p.call("GET", path)).body.volume.size).toBe(30);
    await p.done("POST", `${path}/actions/detach`);
    expect((await p.call("DELETE", path)).status).toBe(204);
  });

  test.each<[object]>([
    [{ size: 9 }],
    [{ size: 10241 }],
    [{ location: undefined }],
    [{ server: 1 }],
    [{ name: "-v" }],
    [{ format: "zfs" }],
  ])("%j is refused", async (change) => {
    const p = project();
    const answer = await p.call("POST", "/volumes", { name: "v", size: 10, location: "fsn1", ...change });
    expect([404, 422]).toContain(answer.status);
    expect(p.recorder.calls).toEqual([]);
  });
});

describe("zones", () => {
  test.each(["bbb.example.com", "com", "Example.com", "example.com."])(
    "%s is not a zone name",
    async (name) => {
      expect(await refusal(project(), "POST", "/zones", { name, mode: "primary" })).toEqual([
        422,
        "invalid_input",
      ]);
    },
  );

  test.each<[string, string, string, boolean]>([
    ["a", "A", "203.0.113.1", true],
    ["a", "A", "203.0.113.256", false],
    ["a", "A", "2001:db8::1", false],
    ["a", "AAAA", "2001:db8::1", true],
    ["a", "AAAA", "203.0.113.1", false],
    ["a", "CNAME", "b.example.org.", true],
    ["a", "CNAME", "not a name", false],
    ["@", "CNAME", "b.example.org.", false],
    ["@", "TXT", '"v=spf1 -all"', true],
    ["@", "TXT", "v=spf1 -all", false],
    ["@", "TXT", `"${"x".repeat(256)}"`, false],
    ["@", "TXT", `"${"x".repeat(255)}" "y"`, true],
    ["@", "TXT", '"a "quoted" word"', false],
    ["@", "TXT", '"a \\"quoted\\" word"', true],
    ["@", "MX", "10 mail.example.com.", true],
    ["@", "MX", "mail.example.com.", false],
    ["_sip._tcp", "SRV", "0 5 5061 sip.example.com.", true],
    ["@", "CAA", '0 issue "letsencrypt.org"', true],
    ["*.a", "A", "203.0.113.1", true],
    ["A", "A", "203.0.113.1", false],
    ["a.example.com", "A", "203.0.113.1", false],
    ["a.", "A", "203.0.113.1", false],
    ["a", "LOC", "x", false],
  ])("%s %s %s: accepted %p", async (name, type, value, accepted) => {
    const p = project();
    await p.done("POST", "/zones", { name: "example.com", mode: "primary" });
    const answer = await p.call("POST", "/zones/example.com/rrsets", { name, type, records: [{ value }] });
    expect([answer.status, answer.body.error?.code]).toEqual(
      accepted ? [201, undefined] : [422, "invalid_input"],
    );
  });

  test("record sets: unique, alone with a CNAME, TTL from 60", async () => {
    const p = project();
    await p.done("POST", "/zones", { name: "example.com", mode: "primary" });
    const post = (body: object): Promise<[number, string]> =>
      refusal(p, "POST", "/zones/example.com/rrsets", body);
    const a = { name: "a", type: "A", records: [{ value: "203.0.113.1" }] };
    await p.done("POST", "/zones/example.com/rrsets", a);
    expect(await post(a)).toEqual([409, "uniqueness_error"]);
    const alias = { name: "a", type: "CNAME", records: [{ value: "b" }] };
    expect(await post(alias)).toEqual([422, "invalid_input"]);
    expect(await post({ ...a, name: "b", ttl: 59 })).toEqual([422, "invalid_input"]);
    expect(await post({ ...a, name: "b", records: [] })).toEqual([422, "invalid_input"]);
    expect(await post({ ...a, name: "b", records: [...a.records, ...a.records] })).toEqual([
      422,
      "invalid_input",
    ]);
  });

  test("a new zone has an SOA and NS, which the name server is left to make itself", async () => {
    const p = project();
    await p.done("POST", "/zones", { name: "example.com", mode: "primary" });
    const { rrsets } = (await p.call("GET", "/zones/example.com/rrsets")).body;
    expect(rrsets.map(({ id }: Json) => id)).toEqual(["@/SOA", "@/NS"]);
    expect(p.recorder.of("setZone")).toEqual([["example.com", []]]);
  });
});

test("SSH keys have to be public keys", async () => {
  for (const key of ["nonsense", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----"]) {
    const body = { name: "k", public_key: key };
    expect(await refusal(project(), "POST", "/ssh_keys", body)).toEqual([422, "invalid_input"]);
  }
  expect(
    (await project().call("POST", "/ssh_keys", { name: "k", public_key: `${publicKey}\n` })).status,
  ).toBe(201);
});
