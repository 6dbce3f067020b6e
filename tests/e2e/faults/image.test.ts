import { accountObjects } from "../support/account";
import { expectService } from "../support/checks";
import { hetzner } from "../support/clouds";
import { booted } from "../support/copies";
import { arm, disarm, expectDeployed, failingUp, freshSandbox, until, up } from "../support/faults";
import { identityOf, image, imageArguments, imageJson, images, testServer } from "../support/images";
import { killWhen } from "../support/kill";
import { must, onHost, outputs, outside, sandbox } from "../support/sandbox";

/** Faults around images: while they are made, and on their copies. The copies' BigBlueButton has the builder's name. */

const MAKING = { match: { method: "POST", path: "/actions/create_image$" } } as const;
const BAKE = ["--release", "jammy-30"];
const BUILDER = "test-image-jammy-30";
const BAKED = ["--set", "image=baked", "--set", "turnImage=baked", "--set", "serverType=cx33"];

interface ApiImage {
  readonly id: number;
  readonly labels: Readonly<Record<string, string>>;
}

interface ApiServer {
  readonly id: number;
  readonly status: string;
  readonly image: { readonly id: number };
  readonly public_net: { readonly ipv4: { readonly ip: string } };
}

async function api<T>(method: "GET" | "DELETE" | "POST", path: string, body?: object): Promise<T> {
  const [answer] = await hetzner([method, path, body]);
  if (!answer || answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.body as T;
}

const servers = async () => (await accountObjects()).filter(({ kind }) => kind === "servers");
const serverNow = async (id: number) => (await api<{ server: ApiServer }>("GET", `/servers/${id}`)).server;

/** Orders a server beside the deployment. */
async function order(image: string, more: object = {}): Promise<ApiServer> {
  const what = { name: "nobody", server_type: "cx33", image, location: "fsn1", ...more };
  return (await api<{ server: ApiServer }>("POST", "/servers", what)).server;
}

/** Image of BigBlueButton's host that the bake has made. */
let made: string;
/** Settings of the deployment of copies. */
let copies: readonly string[];
let bbb: string;
let turn: string;

const bash = (script: string) => onHost(bbb, ["bash", "-euc", script]);
const secretKeyBase = async (fqdn: string) =>
  (await onHost(fqdn, ["sed", "-n", "s/^SECRET_KEY_BASE=//p", "/root/greenlight-v3/.env"])).trim();

beforeAll(freshSandbox);

afterEach(disarm);

describe("Images", () => {
  test("none of the release: refused before anything is made, with the command that makes one", async () => {
    await failingUp(
      BAKED,
      /image is baked, and there is no image of jammy-30/,
      /scripts\/image bake --release jammy-30/,
    );
    expect(await accountObjects()).toEqual([]);
  });

  test("a secret in a forgotten place of the builder: its file is named, and there is no image", async () => {
    await testServer("up", "--name", "planted", ...BAKE, "--set", "serverType=cx33");
    const { url, sharedSecret } = await outputs(["--stack", "test-planted"]);
    await onHost(new URL(url).hostname, ["tee", "/srv/forgotten"], { input: `key=${sharedSecret}\n` });
    const { code, stderr } = await image("bake", "--name", "planted", ...BAKE);
    expect([code, stderr]).toEqual([1, expect.stringContaining("/srv/forgotten has the shared secret")]);
    expect(stderr).not.toContain(sharedSecret);
    expect(await images()).toEqual([]);
    await testServer("down", "planted", "--yes");
  });

  test("the cloud refuses to make one: no image, and the builder stays until its expiry", async () => {
    await arm("hetzner", { ...MAKING, code: "invalid_input", message: "no more snapshots", times: 1 });
    const { code, stderr } = await image("bake", ...BAKE, "--role", "bbb");
    expect(code).toBe(1);
    expect(stderr).toContain("no more snapshots");
    expect(stderr).toContain(`${BUILDER} stays until its expiry`);
    expect(await images()).toEqual([]);
    expect((await servers()).every(({ labels }) => Number(labels.expires) > Date.now() / 1000)).toBe(true);
  });

  test("too many requests, a time-out and a cut connection at the cloud, then killed before the builder is gone: the next run ends it, and makes no second image", async () => {
    await arm("hetzner", { ...MAKING, code: "rate_limit_exceeded", times: 2 });
    await arm("hetzner", { ...MAKING, status: 504, code: "timeout", times: 1 });
    await arm("hetzner", {
      match: { method: "GET", path: "/images/\\d+$" },
      closeConnection: true,
      times: 1,
    });
    await killWhen(
      imageArguments("bake", ...BAKE),
      (output) => (output.match(/image \d+ is there/g) ?? []).length === 2,
    );
    const before = (await images()).map(({ id }) => id);
    expect((await servers()).length).toBeGreaterThan(0);
    const { url } = await outputs(["--stack", BUILDER]);
    const again = await imageJson<{ id: string; role: string }[]>("bake", ...BAKE);
    expect(again.map(({ id }) => id).sort()).toEqual([...before].sort());
    expect(await images()).toHaveLength(2);
    expect(await servers()).toEqual([]);
    made = again.find(({ role }) => role === "bbb")!.id;
    bbb = new URL(url).hostname;
    turn = "turn.example.test";
    copies = [...BAKED, "--set", `hostname=${bbb}`, "--set", "greenlight=true"];
  });

  test("a server type whose disk is too small: refused before anything is made, with both sizes", async () => {
    await failingUp(
      [...copies, "--set", "serverType=cx23"],
      new RegExp(`the image ${made}, which needs a disk of 80 GB, and cx23 has 40 GB`),
    );
    expect(await servers()).toEqual([]);
  });

  test("a copy that no update has reached yet, restarted: nothing serves there, and no Greenlight is in it", async () => {
    const { id, public_net: net } = await order(made);
    await booted("nobody");
    await api("POST", `/servers/${id}/actions/reboot`);
    await booted("nobody");
    const open = async (port: number) =>
      (await outside(["bash", "-c", `timeout 5 bash -c '</dev/tcp/${net.ipv4.ip}/${port}'`])).code === 0;
    await until(() => open(22), 60);
    for (const port of [80, 443, 8021, 5060, 5066, 7880])
      expect([port, await open(port)]).toEqual([port, false]);
    expect(await onHost("nobody", ["bash", "-c", "ls /root/greenlight-v3 2>&1 || true"])).toContain(
      "No such file",
    );
    await api("DELETE", `/servers/${id}`);
  });

  test("an update killed while a copy gets its secrets, of several images: it is of the newest that is ready and this project's", async () => {
    const { id } = await order(made, { start_after_create: false });
    const { labels } = (await api<{ image: ApiImage }>("GET", `/images/${made}`)).image;
    const again = async (more: object) => {
      const { image } = await api<{ image: ApiImage }>("POST", `/servers/${id}/actions/create_image`, {
        ...{ type: "snapshot", description: "a copy", labels: { ...labels, server: String(id), ...more } },
      });
      return image.id;
    };
    const settled = () => until(async () => (await images()).every(({ available }) => available), 60);
    const newest = await again({});
    await settled();
    await again({ project: "another" });
    await arm("hetzner", { action: "create_image", delayMs: 180_000 });
    await until(
      () =>
        again({}).then(
          () => true,
          () => false,
        ),
      30,
    );
    await killWhen(["up", "--engine", "embedded", ...copies], (output) =>
      output.includes("this host is a copy of an image"),
    );
    const server = (await servers()).find(({ name }) => name === bbb)!;
    expect((await serverNow(Number(server.id))).image.id).toBe(newest);
  });

  test("the installer fails on a copy, whose disk is full: named as such, and the next update goes on", async () => {
    const lists = "/var/lib/apt/lists";
    await bash(
      `mount -t tmpfs -o size=64k full ${lists} && mkdir ${lists}/partial && { dd if=/dev/zero of=${lists}/full bs=1k 2>/dev/null || true; }`,
    );
    await failingUp(copies, /the disk is full: look for what fills it/);
    await bash(`umount ${lists}`);
  });

  test("an image older than the kernel, on a copy with its builder's name: the copy restarts, and the same update goes on", async () => {
    await bash("touch /run/reboot-required && echo linux-base >/run/reboot-required.pkgs");
    const { stdout } = await up(...copies);
    expect(stdout).toMatch(/the host asks for a restart, for linux-base \[bbb\b/);
    expect(stdout).toMatch(/the host has restarted; going on \[bbb\b/);
    await expectDeployed(copies);
  });

  test("the copies after all of these: servers of their own, and Greenlight's SECRET_KEY_BASE is the copy's own", async () => {
    expect(await identityOf(bbb)).toHaveProperty("Hasura's secret");
    expect(await secretKeyBase(bbb)).toMatch(/^[0-9a-f]{64,}$/);
    const { stdout } = await sandbox(["operator", "check", "sandbox", "--json", "--sandbox"]);
    expect(stdout).toMatch(/"name": ?"identity"[^}]*"verdict": ?"ok"/);
  });

  test("a copy of the TURN server: it relays, with an SSH key and a machine-id of its own", async () => {
    await expectService(await outputs(), turn);
    expect(Object.keys(await identityOf(turn))).toEqual(expect.arrayContaining(["machine-id", "SSH key"]));
  });

  test("pruned: what is newest of each host stays, and another project's", async () => {
    await until(async () => (await images()).every(({ available }) => available), 240);
    const before = await images();
    await must(imageArguments("prune", "--keep", "1", "--yes"));
    const newest = (role: string) => before.find((one) => one.role === role)!.id;
    expect((await images()).map(({ id }) => id).sort()).toEqual([newest("bbb"), newest("turn")].sort());
    const { images: all } = await api<{ images: ApiImage[] }>("GET", "/images?type=snapshot");
    expect(all.filter(({ labels }) => labels.project === "another")).toHaveLength(1);
  });

  test("removed while servers made from them run: nothing happens to the servers", async () => {
    const before = await identityOf(bbb);
    for (const { id } of await images()) await must(imageArguments("remove", id, "--yes"));
    await expectDeployed(copies);
    expect(await identityOf(bbb)).toEqual(before);
  });
});
