/** Updates that are killed half-way, by the engine's own process against the emulated API. */
import { token, useProject, type Json, type Project } from "../hetzner/harness";
import { Workbench } from "./support";

const project = useProject();
let bench: Workbench;

const PROGRAM = `
  import * as hcloud from "@pulumi/hcloud";
  import * as tls from "@pulumi/tls";
  const labels = { stack: "dev" };
  const key = new tls.PrivateKey("key", { algorithm: "ED25519" });
  const sshKey = new hcloud.SshKey("ssh", { name: "ssh", publicKey: key.publicKeyOpenssh.apply((k) => k.trim()), labels }, { deleteBeforeReplace: true });
  const ip = new hcloud.PrimaryIp("ip", { name: "ip", type: "ipv4", location: "fsn1", labels }, { deleteBeforeReplace: true });
  const server = new hcloud.Server("server", {
    name: "bbb", serverType: "ccx33", image: "ubuntu-22.04", location: "fsn1", sshKeys: [sshKey.id], labels,
    userData: pulumi.secret("#cloud-config"), backups: true,
    publicNets: [{ ipv4: ip.id.apply(Number), ipv6Enabled: false }],
  }, { ignoreChanges: ["userData", "sshKeys", "image"] });
  const volume = new hcloud.Volume("volume", { name: "data", size: 10, location: "fsn1", labels });
  new hcloud.VolumeAttachment("attachment", { volumeId: volume.id.apply(Number), serverId: server.id.apply(Number) }, { deleteBeforeReplace: true });
  export const address = server.ipv4Address;
  export const device = volume.linuxDevice;
`;

beforeEach(async () => {
  bench = new Workbench(PROGRAM);
  bench.config = { "hcloud:pollInterval": "30ms", "hcloud:pollFunction": "constant" };
  bench.env = { HCLOUD_ENDPOINT: `${await project().url()}/v1`, HCLOUD_TOKEN: token };
});
afterEach(() => bench.close());

const killed = (action: "up" | "destroy", when: () => boolean) => bench.killed(action, when);

const posts = (p: Project) => p.log().filter(({ method }: Json) => method === "POST").length;
const count = async (p: Project, collection: string): Promise<number> =>
  (await p.call("GET", `/${collection}`)).body[collection].length;

test("a whole deployment, a second up without any change at the cloud, a replacement, and its end", async () => {
  expect((await bench.up()).summary).toMatchObject({ created: 7 });
  await expect(bench.outputs()).resolves.toMatchObject({ address: "203.0.113.10" });
  expect(bench.text()).not.toContain("#cloud-config");
  expect(bench.text()).not.toContain(token);
  const before = project().log().length;
  expect((await bench.up()).summary).toMatchObject({ unchanged: 7 });
  expect(project().log()).toHaveLength(before);

  bench.program(PROGRAM.replace('location: "fsn1", sshKeys', 'location: "nbg1", sshKeys'));
  const { errors } = await bench.up();
  expect(errors).toHaveLength(1); // the address is in fsn1
  bench.program(PROGRAM.replace("labels,\n    userData", 'labels: { ...labels, more: "1" },\n    userData'));
  await bench.up();
  bench.program(PROGRAM.replace("ubuntu-22.04", "ubuntu-24.04"));
  expect((await bench.up()).summary).toMatchObject({ replaced: 0 });
  bench.program(
    PROGRAM.replace('["userData", "sshKeys", "image"]', '["userData", "sshKeys"]').replace("22.04", "24.04"),
  );
  const { summary } = await bench.up();
  expect(summary).toMatchObject({ replaced: 2, unchanged: 5 });
  const calls = project()
    .log()
    .filter(({ mutating }: Json) => mutating)
    .slice(-5)
    .map(({ method, path }: Json) => `${method} ${path.replaceAll(/\d{4,}/g, "N")}`);
  expect(calls).toEqual([
    "POST /v1/volumes/N/actions/detach",
    "DELETE /v1/servers/N",
    "POST /v1/servers",
    "POST /v1/servers/N/actions/enable_backup",
    "POST /v1/volumes/N/actions/attach",
  ]);
  expect((await bench.destroy()).summary).toMatchObject({ deleted: 7 });
  for (const left of ["servers", "volumes", "primary_ips", "ssh_keys"])
    expect(await count(project(), left)).toBe(0);
});

test("an up that is killed while a server is made goes on with that server", async () => {
  const release = project().recorder.hold("createServer");
  await killed("up", () => project().recorder.of("createServer").length > 0);
  // The volume is made beside it, and may be under way as well.
  const server = { type: "creating", resource: { type: "hcloud:index/server:Server" } };
  expect(JSON.parse(bench.text()).deployment.pending_operations).toContainEqual(
    expect.objectContaining({ ...server, resource: expect.objectContaining(server.resource) }),
  );
  setTimeout(release, 1500);
  const { errors, output } = await bench.up();
  expect(errors).toEqual([]);
  expect(output).toMatch(/server: found what the killed update had created, \d+; going on with it/);
  expect(await count(project(), "servers")).toBe(1);
  const { servers } = (await project().call("GET", "/servers")).body;
  expect(servers[0]).toMatchObject({ backup_window: expect.any(String), volumes: [expect.any(Number)] });
  expect((await bench.up()).summary).toMatchObject({ unchanged: 7 });
  expect(JSON.parse(bench.text()).deployment.pending_operations).toEqual([]);
});

test("killed again and again, it still comes to the same end", async () => {
  for (const wanted of [1, 3, 4, 6]) {
    await killed("up", () => posts(project()) >= wanted).catch(() => undefined);
    await new Promise((done) => setTimeout(done, 300));
  }
  expect((await bench.up()).errors).toEqual([]);
  for (const made of ["servers", "volumes", "primary_ips", "ssh_keys"])
    expect(await count(project(), made)).toBe(1);
  expect((await bench.up()).summary).toMatchObject({ unchanged: 7 });
});

test("a server of that name that is not ours is named, with the command that removes it", async () => {
  const release = project().recorder.hold("createServer");
  await killed("up", () => project().recorder.of("createServer").length > 0);
  release();
  const { servers } = (await project().call("GET", "/servers")).body;
  await project().call("DELETE", `/_objects/servers/${servers[0].id}`);
  await project().done("POST", "/servers", {
    name: "bbb",
    server_type: "cx23",
    image: 161547269,
    location: "fsn1",
    labels: { stack: "another" },
  });
  const { errors } = await bench.up();
  expect(errors).toEqual([
    expect.stringMatching(
      /^server "bbb" \(\d+\) exists, but has not this stack's labels.*`hcloud server delete \d+`/,
    ),
  ]);
  expect(errors[0]).not.toContain("\n");
});

test("a destroy that is killed while it deletes goes on", async () => {
  await bench.up();
  const release = project().recorder.hold("deleteServer");
  await killed("destroy", () => project().recorder.of("deleteServer").length > 0);
  release();
  await new Promise((done) => setTimeout(done, 500));
  expect((await bench.destroy()).errors).toEqual([]);
  expect(bench.resources()).toEqual([]);
  expect(await count(project(), "servers")).toBe(0);
});
