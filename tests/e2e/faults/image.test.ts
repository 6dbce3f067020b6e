import { accountObjects } from "../support/account";
import { hetzner } from "../support/clouds";
import { arm, disarm, expectDeployed, failingUp, freshSandbox, until, up } from "../support/faults";
import { identityOf, image, imageArguments, imageJson, images } from "../support/images";
import { killWhen } from "../support/kill";
import { IN_HETZNER_DNS, must, outside, sandbox } from "../support/sandbox";

/** What goes wrong with images: while they are made, and on their copies. */

const MAKING = { match: { method: "POST", path: "/actions/create_image$" } } as const;
const ONE = ["--release", "jammy-30", "--role", "bbb"];
const BAKED = ["--set", "image=baked", "--set", "serverType=cx33"];

const servers = async () => (await accountObjects()).filter(({ kind }) => kind === "servers");

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

  test("the cloud refuses to make one: no image, and the builder stays until its expiry", async () => {
    await arm("hetzner", { ...MAKING, code: "invalid_input", message: "no more snapshots", times: 1 });
    const { code, stderr } = await image("bake", ...ONE);
    expect(code).toBe(1);
    expect(stderr).toContain("no more snapshots");
    expect(stderr).toContain("test-image-jammy-30 stays until its expiry");
    expect(await images()).toEqual([]);
    expect((await servers()).every(({ labels }) => Number(labels.expires) > Date.now() / 1000)).toBe(true);
  });

  test("killed between the image and the end of its builder: the next run ends it, and makes no second image", async () => {
    await arm("hetzner", { ...MAKING, code: "rate_limit_exceeded", times: 2 });
    await killWhen(imageArguments("bake", ...ONE), (output) => /image \d+ is there/.test(output));
    const [made] = await images();
    expect((await servers()).length).toBeGreaterThan(0);
    const [again] = await imageJson<{ id: string }[]>("bake", ...ONE);
    expect(again!.id).toBe(made!.id);
    expect(await images()).toHaveLength(1);
    expect(await servers()).toEqual([]);
  });

  test("a copy that no update has reached yet: it boots, and nothing serves there", async () => {
    const id = (await images())[0]!.id;
    const order = { name: "nobody", server_type: "cx33", image: id, location: "fsn1" };
    const [answer] = await hetzner(["POST", "/servers", order]);
    const { server } = answer!.body as { server: { id: number; public_net: { ipv4: { ip: string } } } };
    const { ip } = server.public_net.ipv4;
    const open = async (port: number) =>
      (await outside(["bash", "-c", `timeout 5 bash -c '</dev/tcp/${ip}/${port}'`])).code === 0;
    await until(() => open(22), 60);
    for (const port of [80, 443, 8021, 5060, 5066, 7880])
      expect([port, await open(port)]).toEqual([port, false]);
    await hetzner(["DELETE", `/servers/${server.id}`]);
  });

  test("an update killed while a copy gets its secrets: the next one goes on, and the copy is a server of its own", async () => {
    const args = ["up", "--engine", "embedded", ...BAKED];
    await killWhen(args, (output) => output.includes("this host is a copy of an image"));
    await up(...BAKED);
    await expectDeployed(BAKED);
    const own = await identityOf(IN_HETZNER_DNS.bbb);
    expect(own).toHaveProperty("Hasura's secret");
    const { stdout } = await sandbox(["operator", "check", "sandbox", "--json", "--sandbox"]);
    expect(stdout).toMatch(/"name": ?"identity"[^}]*"verdict": ?"ok"/);
  });

  test("removed while a server made from it runs: nothing happens to the server", async () => {
    const id = (await images())[0]!.id;
    await must(imageArguments("remove", id, "--yes"));
    await expectDeployed(BAKED);
  });
});
