import { projectNow } from "../support/account";
import { identityOf, image, imageJson, images, testServer, type Image } from "../support/images";
import { must, onHost, outputs, sandbox } from "../support/sandbox";

/** Servers that are made from baked images, beside one that is not. */

/** The builder's type, for all: what is compared is the image. */
const SMALL = ["--set", "serverType=cx33"];
const STOCK = ["--set", "image=ubuntu-22.04", "--set", "turnImage=ubuntu-24.04"];

interface Made {
  readonly hosts: readonly [bbb: string, turn: string];
  /** Seconds from `up` to verified. */
  readonly all: number;
  /** Seconds of the step that installs BigBlueButton. */
  readonly install: number;
}

/** Makes a test server, with its update's output. */
async function make(name: string, ...more: string[]): Promise<Made> {
  const began = Date.now();
  const result = await sandbox([
    ...["operator", "testServer", "up", "--name", name, ...SMALL, ...more, "--json", "--sandbox"],
  ]);
  const all = (Date.now() - began) / 1000;
  if (result.code !== 0) throw new Error(`test-server up: ${result.code}\n${result.stdout}${result.stderr}`);
  const [, seconds] = /done in (\d+) s: Install BigBlueButton/.exec(result.stderr) ?? [];
  const { hosts } = JSON.parse(result.stdout) as Pick<Made, "hosts">;
  return { hosts, all, install: Number(seconds) };
}

let baked: readonly Image[];
let stock: Made;
let copies: readonly [Made, Made];

beforeAll(async () => {
  await must(["reset"]);
  await imageJson("bake", "--release", "jammy-30");
});

test("a bake leaves an image of each host, and nothing else", async () => {
  baked = await images();
  expect(baked).toHaveLength(2);
  expect(Object.fromEntries(baked.map(({ role, available, diskGb }) => [role, [available, diskGb]]))).toEqual(
    {
      bbb: [true, 80],
      turn: [true, 80],
    },
  );
  const left = Object.entries(projectNow()).filter(
    ([kind, objects]) =>
      ["servers", "primaryIps", "firewalls", "sshKeys", "volumes"].includes(kind) &&
      Object.keys(objects).length > 0,
  );
  expect(left).toEqual([]);
});

test("copies are deployed beside a server that is none, and their shares of its times are told", async () => {
  stock = await make("stock", ...STOCK);
  const first = await make("first");
  copies = [first, await make("second")];
  const share = (part: keyof Omit<Made, "hosts">) => first[part] / stock[part];
  const told = (part: keyof Omit<Made, "hosts">) =>
    `${first[part]} s of ${stock[part]} s, ${Math.round(share(part) * 100)} %`;
  process.stderr.write(`from an image: install ${told("install")}; up to verified ${told("all")}\n`);
  expect([share("install"), share("all")]).not.toContain(NaN);
});

test("two copies share no secret, with each other or with a server that is none", async () => {
  for (const host of [0, 1] as const) {
    const fqdns = [...copies, stock].map(({ hosts }) => hosts[host]);
    const [one, other, third] = await Promise.all(fqdns.map(identityOf));
    const things = Object.keys(one!);
    expect(things).toEqual(
      expect.arrayContaining(
        host === 0
          ? [
              "machine-id",
              "SSH key",
              "FreeSWITCH's password",
              "Hasura's secret",
              "Etherpad's key",
              "FreeSWITCH's TLS key",
            ]
          : ["machine-id", "SSH key"],
      ),
    );
    for (const thing of things) expect(new Set([one![thing], other![thing], third![thing]]).size).toBe(3);
  }
});

test("the check knows a copy, and has nothing to ask of another server", async () => {
  const check = (name: string) => sandbox(["operator", "check", `test-${name}`, "--json", "--sandbox"]);
  expect((await check("first")).stdout).toMatch(/"name": ?"identity"[^}]*"verdict": ?"ok"/);
  expect((await check("stock")).stdout).not.toContain('"identity"');
});

test("a secret in a forgotten place fails the bake, which names the file and makes no image", async () => {
  const [bbb] = copies[1].hosts;
  const { sharedSecret } = await outputs(["--stack", "test-second"]);
  await onHost(bbb, ["tee", "/srv/forgotten"], { input: `key=${sharedSecret}\n` });
  const { code, stderr } = await image("bake", "--name", "second", "--release", "jammy-30");
  expect(stderr).toContain("/srv/forgotten has the shared secret");
  expect(stderr).not.toContain(sharedSecret);
  expect(code).toBe(1);
  expect(await images()).toEqual(baked);
  await testServer("down", "second", "--yes");
});

test("images that are removed are none of a server's that was made from them", async () => {
  for (const { id } of baked) expect(await image("remove", id, "--yes")).toMatchObject({ code: 0 });
  expect(await images()).toEqual([]);
  const { hosts } = copies[0];
  const before = await identityOf(hosts[0]);
  await testServer("up", "--name", "first", ...SMALL);
  expect(await identityOf(hosts[0])).toEqual(before);
});
