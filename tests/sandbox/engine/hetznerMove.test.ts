/** Host of the project's own at Hetzner, moved to another location by the engine against the emulated API. */
import { join } from "node:path";

import { token, useProject, type Json } from "../hetzner/harness";
import { root, Workbench } from "./support";

jest.setTimeout(240_000);

const project = useProject();
let bench: Workbench;

const program = (location: string) => `
  require(${JSON.stringify(join(root, "node_modules/tsx/dist/cjs/index.cjs"))});
  const { newOperatorKey } = require(${JSON.stringify(join(root, "clouds/operatorKey.ts"))});
  const { hetznerHosts } = require(${JSON.stringify(join(root, "clouds/hetzner/host.ts"))});
  const labels = { project: "demo", stack: "dev" };
  const host = hetznerHosts(labels, newOperatorKey(labels, {}), new Map(), {})("bbb-host", {
    role: "bbb", fqdn: "bbb.example.org", serverType: "ccx23", location: "${location}", image: "ubuntu-22.04",
    ports: [], sshNetworks: ["198.51.100.0/24"], sshPublicKeys: [], volume: { sizeGb: 10, protected: false },
    protected: false, backups: false, snapshotDays: 0, labels: { ...labels, role: "bbb" },
  });
  host.attachVolume(host.server);
`;

beforeEach(async () => {
  bench = new Workbench(program("fsn1"));
  bench.config = { "hcloud:pollInterval": "30ms", "hcloud:pollFunction": "constant" };
  bench.env = { HCLOUD_ENDPOINT: `${await project().url()}/v1`, HCLOUD_TOKEN: token };
  expect((await bench.up()).errors).toEqual([]);
  bench.program(program("nbg1"));
});
afterEach(() => bench.close());

/** Requests since then that changed something at the cloud, without numbers. */
function changes(since: number): string[] {
  return project()
    .log()
    .slice(since)
    .filter(({ mutating }: Json) => mutating)
    .map(({ method, path }: Json) => `${method} ${path.replace("/v1", "").replaceAll(/\d{2,}/g, "N")}`);
}

async function locations(): Promise<Record<string, string[]>> {
  const all = ["servers", "volumes", "primary_ips"].map(async (collection) => {
    const found = (await project().call("GET", `/${collection}`)).body[collection] as Json[];
    return [collection, found.map(({ location }) => location.name as string)] as const;
  });
  return Object.fromEntries(await Promise.all(all));
}

const THERE = { servers: ["nbg1"], volumes: ["nbg1"], primary_ips: ["nbg1", "nbg1"] };

test("new addresses first; then the server is shut down and deleted, and with it out of the way the volume", async () => {
  const before = project().log().length;
  const { errors } = await bench.up();
  expect(errors).toEqual([]);
  expect(await locations()).toEqual(THERE);
  const made = changes(before).filter((call) => !call.includes("change_dns_ptr"));
  expect(made.slice(0, 2)).toEqual(["POST /primary_ips", "POST /primary_ips"]);
  expect(made.slice(2, -2)).toEqual([
    "POST /servers/N/actions/shutdown",
    "DELETE /servers/N",
    "POST /servers",
    "DELETE /volumes/N",
    "POST /volumes",
    "POST /volumes/N/actions/attach",
  ]);
  expect(made.slice(-2)).toEqual(["DELETE /primary_ips/N", "DELETE /primary_ips/N"]);
  expect((await bench.up()).summary).toMatchObject({ replaced: 0, created: 0, updated: 0 });
});

test.each([
  ["the second address", { match: { method: "POST", path: "/primary_ips" }, skip: 1 }, ["fsn1"]],
  ["the server", { match: { method: "POST", path: "/servers$" } }, []],
  ["the volume", { match: { method: "POST", path: "/volumes$" } }, ["nbg1"]],
])("refused %s, the next update goes on", async (_, fault, servers) => {
  const refusal = { code: "resource_unavailable", message: "sold out", times: 1, ...fault };
  await project().call("POST", "/_faults", refusal);
  const { errors } = await bench.up();
  expect(errors.join()).toContain("sold out");
  expect((await locations()).servers).toEqual(servers);
  expect((await bench.up()).errors).toEqual([]);
  expect(await locations()).toEqual(THERE);
});

test("another deletion of the same stack finds nothing left", async () => {
  await project().call("POST", "/_faults", {
    match: { method: "POST", path: "/servers$" },
    code: "resource_unavailable",
    message: "sold out",
    times: 1,
  });
  await bench.up();
  expect((await bench.destroy()).errors).toEqual([]);
  expect(await locations()).toEqual({ servers: [], volumes: [], primary_ips: [] });
});
