/** Hosts that are switched off, and copies of hosts, by Hetzner's emulated API alone: no deployment, no Pulumi. */
import { hetzner } from "../support/clouds";
import { booted, FIRST_BOOTS, linesOf, marking, ownOf, type Own } from "../support/copies";
import { freshSandbox, until } from "../support/faults";
import { must } from "../support/sandbox";

interface CloudObject {
  readonly id: number;
  readonly status: string;
  readonly image_size?: number;
}

async function get<T>(path: string): Promise<T> {
  const [answer] = await hetzner(["GET", path]);
  if (answer?.status !== 200) throw new Error(`GET ${path}: ${JSON.stringify(answer)}`);
  return answer.body as T;
}

/** Makes a call and waits for all actions that it began. @throws for a refusal, and for an action that failed */
async function done<T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> {
  const [answer] = await hetzner([method, path, body]);
  if (!answer || answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
  const told = (answer.body ?? {}) as { action?: CloudObject; next_actions?: CloudObject[] };
  for (const begun of [...(told.action ? [told.action] : []), ...(told.next_actions ?? [])]) {
    let now = begun;
    await until(async () => {
      now = (await get<{ action: CloudObject }>(`/actions/${begun.id}`)).action;
      return now.status !== "running";
    }, 60);
    if (now.status !== "success") throw new Error(`${method} ${path}: ${JSON.stringify(now)}`);
  }
  return told as T;
}

/** Orders a server, and waits until cloud-init has ended there. */
async function order(name: string, image: number | string): Promise<number> {
  const { server } = await done<{ server: CloudObject }>("POST", "/servers", {
    ...{ name, image, server_type: "cx23", location: "fsn1" },
    user_data: marking(name),
  });
  await booted(name);
  return server.id;
}

let model: number, image: number;
let models: Own;

beforeAll(freshSandbox, 300_000);
afterAll(() => must(["reset"]), 60_000);

test("a server that was switched off comes back with its disk, its addresses and its volume", async () => {
  model = await order("model", "ubuntu-22.04");
  const { volume } = await done<{ volume: CloudObject }>("POST", "/volumes", {
    ...{ name: "data", size: 10, format: "ext4", server: model },
  });
  const mount = `mkdir -p /mnt/data; mount /dev/disk/by-id/scsi-0HC_Volume_${volume.id} /mnt/data`;
  await linesOf("model", `echo kept >/srv/note; ${mount}; echo data >/mnt/data/x`);
  const addresses = await linesOf("model", "hostname -I");
  for (const off of ["shutdown", "poweroff"]) {
    await done("POST", `/servers/${model}/actions/${off}`);
    expect((await get<{ server: CloudObject }>(`/servers/${model}`)).server.status).toBe("off");
    await expect(linesOf("model", "true")).rejects.toThrow("switched off");
    await done("POST", `/servers/${model}/actions/poweron`);
    await booted("model");
    expect(await linesOf("model", `cat /srv/note; ${mount}; cat /mnt/data/x`)).toEqual(["kept", "data"]);
    expect(await linesOf("model", "hostname -I")).toEqual(addresses);
  }
}, 180_000);

test("an image of a running server is its root disk at that moment, and outlives it", async () => {
  await linesOf("model", "rm /etc/debian_version; echo first >/srv/note");
  models = await ownOf("model");
  const made = await done<{ image: CloudObject }>("POST", `/servers/${model}/actions/create_image`, {
    ...{ description: "a copy", labels: { image: "test" } },
  });
  image = made.image.id;
  const { status, image_size: size = 0 } = (await get<{ image: CloudObject }>(`/images/${image}`)).image;
  expect([status, size > 0 && size < 1]).toEqual(["available", true]);
  await linesOf("model", "echo second >/srv/note");
  await done("DELETE", `/servers/${model}`);
}, 60_000);

test("a server of that image has the model's files, and is a machine of its own", async () => {
  await order("copy", image);
  expect(await linesOf("copy", `cat /srv/note ${FIRST_BOOTS}`)).toEqual(["first", "model", "copy"]);
  // What was deleted is so, and the volume is not there.
  expect(
    await linesOf("copy", "[ ! -e /etc/debian_version ]; ls /mnt/data; ls /dev/disk/by-id || true"),
  ).toEqual([""]);
  expect(await linesOf("copy", ". /etc/os-release; echo $VERSION_ID")).toEqual(["22.04"]);
  const own = await ownOf("copy");
  expect(own.hostname).toBe("copy");
  expect(own.instance).not.toBe(models.instance);
  expect(own.sshKey).not.toBe(models.sshKey);
}, 120_000);

test("two copies of one image are two machines, and go on without it", async () => {
  const twin = await order("twin", image);
  await done("DELETE", `/images/${image}`);
  const [one, other] = [await ownOf("copy"), await ownOf("twin")];
  expect(other.instance).not.toBe(one.instance);
  expect(other.sshKey).not.toBe(one.sshKey);
  await done("POST", `/servers/${twin}/actions/reboot`);
  await booted("twin");
  // The same instance as before: nothing of its first boot happens again.
  expect(await linesOf("twin", `cat ${FIRST_BOOTS}`)).toEqual(["model", "twin"]);
  expect(await ownOf("twin")).toEqual(other);
}, 120_000);
