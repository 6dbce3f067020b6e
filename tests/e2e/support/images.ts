import { expectNothingOnDisk } from "./disks";
import { until } from "./faults";
import { startWatched } from "./kill";
import type { Place } from "./places";
import { must, onHost, outputs, sandbox, type Outputs, type Result } from "./sandbox";
import { outputSecrets } from "./secrets";

/** scripts/image and scripts/test-server, as their shims start them. */

const operator = (name: string, args: readonly string[]) => ["operator", name, ...args, "--sandbox"];

export const image = (...args: string[]): Promise<Result> => sandbox(operator("image", args));
export const imageArguments = (...args: string[]): string[] => operator("image", args);

/** `scripts/test-server ARGS…`, which must succeed. */
export const testServer = (...args: string[]): Promise<string> => must(operator("testServer", args));

export interface Image {
  readonly id: string;
  readonly role: "bbb" | "turn";
  readonly release: string | null;
  readonly bbb: string | null;
  readonly diskGb: number;
  readonly available: boolean;
}

/** Runs one of its actions that prints a document. @throws with the whole output, for any exit code but 0 */
export async function imageJson<T>(...args: string[]): Promise<T> {
  return JSON.parse(await must(imageArguments(...args, "--json"))) as T;
}

export const images = (...args: readonly string[]): Promise<readonly Image[]> =>
  imageJson<Image[]>("list", ...args);

/** Digests of what no two servers may share. */
export async function identityOf(fqdn: string): Promise<Readonly<Record<string, string>>> {
  const command = ["/usr/bin/python3", "-B", "/usr/local/lib/bbb-deploy/identity_check.py"];
  return JSON.parse(await onHost(fqdn, command)) as Record<string, string>;
}

/** Servers that are made from baked images, at either cloud. */
export function imageTests(place: Place): void {
  const { first: at, small } = place;
  let baked: readonly Image[];
  let builder: Outputs;
  let copies: readonly (readonly string[])[];

  /** Makes a test server of images, or goes on with it. @returns its hosts' names */
  async function make(name: string): Promise<readonly string[]> {
    const made = await testServer("up", "--name", name, ...at, ...small, "--json");
    return (JSON.parse(made) as { hosts: string[] }).hosts;
  }

  beforeAll(async () => {
    await must(["reset"]);
    const { update, ended, kill } = startWatched(imageArguments("bake", "--release", "jammy-30", ...at));
    try {
      // What the builder had nobody knows afterwards.
      await until(() => update.code !== undefined || update.printed.includes("stopping all services"), 900);
      if (update.code === undefined) builder = await outputs(["--stack", "test-image-jammy-30"]);
      await until(() => update.code !== undefined, 300);
    } finally {
      kill();
      await ended;
    }
    if (update.code !== 0) throw new Error(`bake: exit code ${update.code}\n${update.printed}`);
  });

  test("a bake leaves an image of each host, and nothing else", async () => {
    baked = await images(...at);
    expect(
      Object.fromEntries(baked.map(({ role, available, diskGb }) => [role, [available, diskGb]])),
    ).toEqual({ bbb: [true, place.imageGb], turn: [true, place.imageGb] });
    const kept = await place.snapshots();
    expect(kept.map(({ id }) => id).sort()).toEqual(baked.map(({ id }) => id).sort());
    expect(Object.keys(await place.inventory()).sort()).toEqual([...place.imageKinds]);
  });

  test("none of the builder's secrets and names is in a file of the disks", async () => {
    const names = [
      builder.url.replace("https://", ""),
      builder.addresses.bbb.ipv4,
      builder.addresses.turn.ipv4,
    ];
    for (const { disk } of await place.snapshots())
      expectNothingOnDisk(disk, [...outputSecrets(builder), ...names.map((name) => [name, name] as const)]);
  });

  test("two copies share no secret", async () => {
    copies = [await make("first"), await make("second")];
    for (const host of [0, 1])
      await expectDifferent(
        copies.map((hosts) => hosts[host]!),
        host === 0,
      );
  });

  test("the check knows a copy", async () => {
    const { stdout } = await sandbox(["operator", "check", "test-first", "--json", "--sandbox"]);
    expect(stdout).toMatch(/"name": ?"identity"[^}]*"verdict": ?"ok"/);
  });

  test("a secret in a forgotten place fails the bake, which names the file and makes no image", async () => {
    const { sharedSecret } = await outputs(["--stack", "test-second"]);
    await onHost(copies[1]![0]!, ["tee", "/srv/forgotten"], { input: `key=${sharedSecret}\n` });
    const { code, stderr } = await image("bake", "--name", "second", "--release", "jammy-30", ...at);
    expect(stderr).toContain("/srv/forgotten has the shared secret");
    expect(stderr).not.toContain(sharedSecret);
    expect(code).toBe(1);
    expect(await images(...at)).toEqual(baked);
    await testServer("down", "second", "--yes");
  });

  test("a prune keeps the newest of each", async () => {
    expect((await image("prune", "--keep", "1", "--yes", ...at)).stdout).toContain("No image to remove.");
    expect(await images(...at)).toEqual(baked);
  });

  test("images that are removed are none of a server's that was made from them", async () => {
    for (const { id } of baked) expect(await image("remove", id, "--yes", ...at)).toMatchObject({ code: 0 });
    expect(await images(...at)).toEqual([]);
    expect(await place.snapshots()).toEqual([]);
    const [fqdn] = copies[0]!;
    const before = await identityOf(fqdn!);
    await make("first");
    expect(await identityOf(fqdn!)).toEqual(before);
  });
}

/** Expects that servers have nothing in common that no two may share. */
export async function expectDifferent(fqdns: readonly string[], isBbb: boolean): Promise<void> {
  const found = await Promise.all(fqdns.map(identityOf));
  const things = Object.keys(found[0]!);
  const ofBbb = ["FreeSWITCH's password", "Hasura's secret", "Etherpad's key", "FreeSWITCH's TLS key"];
  expect(things).toEqual(expect.arrayContaining(["machine-id", "SSH key", ...(isBbb ? ofBbb : [])]));
  for (const thing of things) expect(new Set(found.map((one) => one[thing])).size).toBe(fqdns.length);
}
