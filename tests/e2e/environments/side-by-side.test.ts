import {
  accountObjects,
  checkpointReferences,
  protectedNames,
  references,
  type CloudObject,
} from "../support/account";
import { expectService, getMeetings, MEDIA_PORT, page } from "../support/checks";
import { hetzner } from "../support/clouds";
import { identity, serviceStarts } from "../support/hosts";
import { plantRecordings, recordingSums } from "../support/recordings";
import { must, OF_PROD, OF_STAGING, onHost, outputs, outside, tryUpdate, update } from "../support/sandbox";
import type { Names, Outputs } from "../support/sandbox";
import { turn, WAYS_IN } from "../support/turn";

/** The stacks of Pulumi.staging.yaml and Pulumi.prod.yaml, in one account and one zone. */

const STAGING = ["--stack", "staging"];
const PROD = ["--stack", "prod"];

let staging: Outputs;
let prod: Outputs;
let recordings: string;

const ofStack = (objects: readonly CloudObject[], stack: string): CloudObject[] =>
  objects.filter(({ labels }) => labels.stack === stack);

/** Facts by which a deployment's servers would show a change. */
async function untouched(names: Names): Promise<unknown> {
  const boot = (fqdn: string) => onHost(fqdn, ["cat", "/proc/sys/kernel/random/boot_id"]);
  return {
    hosts: await Promise.all([identity(names.bbb), identity(names.turn), boot(names.bbb), boot(names.turn)]),
    services: await serviceStarts(names),
  };
}

async function countByKind(stack: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of ofStack(await accountObjects(), stack)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", STAGING);
  await update("up", "embedded", PROD);
  staging = await outputs(STAGING);
  prod = await outputs(PROD);
  recordings = await plantRecordings(OF_PROD.bbb);
});

describe("both at once", () => {
  test("each answers under its own name", async () => {
    expect([staging.url, prod.url]).toEqual([`https://${OF_STAGING.bbb}`, `https://${OF_PROD.bbb}`]);
    await expectService(staging, OF_STAGING.turn);
    await expectService(prod, OF_PROD.turn);
  });

  test("neither takes the other's secrets, nor relays to the other's server", async () => {
    const refused = await getMeetings(staging.apiUrl, prod.sharedSecret);
    expect(refused).toContain("checksumError");
    const peer = ({ addresses }: Outputs) => [addresses.bbb.ipv4, MEDIA_PORT] as const;
    for (const [own, other, { turn: server }] of [
      [staging, prod, OF_STAGING],
      [prod, staging, OF_PROD],
    ] as const) {
      const wish = { server, ...WAYS_IN[0] };
      expect(await turn({ ...wish, secret: other.turnSecret })).toEqual({ allocate: 401 });
      const result = await turn({ ...wish, secret: own.turnSecret, permissions: [peer(own), peer(other)] });
      expect(result.permissions).toEqual({ [peer(own).join(" ")]: "ok", [peer(other).join(" ")]: 403 });
    }
  });

  test("they share nothing: each object is in one checkpoint, and bears its stack's label", async () => {
    const objects = await accountObjects();
    const held = { staging: checkpointReferences("staging"), prod: checkpointReferences("prod") };
    expect(held.staging.length).toBeGreaterThan(10);
    expect(references(objects)).toEqual([...held.staging, ...held.prod].sort());
    for (const stack of ["staging", "prod"] as const) {
      expect(references(ofStack(objects, stack))).toEqual(held[stack]);
    }
    const named = objects.map(
      ({ kind, name, type }) => `${kind} ${name} ${kind === "rrsets" ? String(type) : ""}`,
    );
    expect(new Set(named).size).toBe(objects.length);
    const secrets = [staging, prod].flatMap((out) => [out.sharedSecret, out.turnSecret, out.privateKey]);
    expect(new Set(secrets).size).toBe(6);
  });

  test("the cloud's own protection is on for prod's servers, addresses and recordings, and staging's recordings", async () => {
    const objects = await accountObjects();
    const guarded = (stack: string) =>
      ofStack(objects, stack)
        .filter(({ protection }) => protection && Object.values(protection).every(Boolean))
        .map(({ kind }) => kind)
        .sort();
    expect(guarded("staging")).toEqual(["volumes"]);
    expect(guarded("prod")).toEqual([
      ...Array<string>(4).fill("primary_ips"),
      "servers",
      "servers",
      "volumes",
    ]);
    const backedUp = objects.filter(({ backup_window: window }) => typeof window === "string");
    expect(backedUp.map(({ name }) => name)).toEqual([OF_PROD.bbb]);
  });

  test("the API refuses to delete what of prod is protected", async () => {
    const objects = ofStack(await accountObjects(), "prod");
    const guarded = objects.filter(({ protection }) => protection?.delete);
    const answers = await hetzner(...guarded.map(({ kind, id }) => ["DELETE", `/${kind}/${id}`] as const));
    expect(answers.map(({ body }) => (body as { error?: { code: string } } | null)?.error?.code)).toEqual(
      guarded.map(() => "protected"),
    );
  });

  test("a server of prod is not replaced, and the refusal changes nothing", async () => {
    const before = ofStack(await accountObjects(), "prod");
    const { code, stdout } = await tryUpdate("up", "embedded", [...PROD, "--replace", "bbb-host-server"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/unable to replace resource .*bbb-host-server.* as it is protected/);
    expect(ofStack(await accountObjects(), "prod")).toEqual(before);
  });
});

describe("staging is destroyed", () => {
  test("prod keeps its addresses, servers, records and uptime, and answers", async () => {
    const state = async () => ({
      objects: ofStack(await accountObjects(), "prod"),
      checkpoint: checkpointReferences("prod"),
      outputs: await outputs(PROD),
      hosts: await untouched(OF_PROD),
    });
    const before = await state();
    const destroyed = await update("destroy", "embedded", STAGING);
    expect(destroyed.stdout).toContain("bbb-host-volume is protected and was kept");
    expect(await state()).toEqual(before);
    await expectService(prod, OF_PROD.turn);
  });

  test("nothing of staging is left but its recordings", async () => {
    expect(await countByKind("staging")).toEqual({ volumes: 1 });
    expect((await page(staging.url)).code).not.toBe(0);
  });
});

describe("prod is destroyed", () => {
  let servers: unknown;

  test("what is protected is named and stays, with all that it needs: no half of a server goes", async () => {
    servers = await untouched(OF_PROD);
    const kept = protectedNames("prod");
    const destroyed = await update("destroy", "embedded", PROD);
    const named = [...destroyed.stdout.matchAll(/^ *(\S+) is protected and was kept$/gm)];
    expect(named.map(([, name]) => name).sort()).toEqual(kept);
    expect(kept).toEqual(
      expect.arrayContaining(["bbb-host-server", "turn-host-ipv6", "bbb-host-volume-attachment"]),
    );

    expect(await countByKind("prod")).toEqual({
      firewalls: 2,
      primary_ips: 4,
      servers: 2,
      ssh_keys: 1,
      volumes: 1,
    });
    expect(references(ofStack(await accountObjects(), "prod"))).toEqual(checkpointReferences("prod"));
  });

  test("its servers go on, recordings included, and only their names are gone", async () => {
    expect(await untouched(OF_PROD)).toEqual(servers);
    expect(await recordingSums(OF_PROD.bbb)).toBe(recordings);
    const { ipv4 } = prod.addresses.bbb;
    const known = await outside([
      ...["curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}"],
      ...["--resolve", `${OF_PROD.bbb}:443:${ipv4}`, prod.url],
    ]);
    expect(known).toMatchObject({ code: 0, stdout: "200" });
    expect((await page(prod.url)).code).not.toBe(0);
  });

  test("the next up takes all of it over: the same servers and addresses, recordings byte for byte", async () => {
    const before = references(ofStack(await accountObjects(), "prod"));
    const { summary } = await update("up", "embedded", PROD);
    expect(Object.keys(summary)).toEqual(["created", "unchanged"]);
    const now = await outputs(PROD);
    expect(now.addresses).toEqual(prod.addresses);
    expect(references(ofStack(await accountObjects(), "prod"))).toEqual(expect.arrayContaining(before));
    expect(await Promise.all([identity(OF_PROD.bbb), identity(OF_PROD.turn)])).toEqual(
      (servers as { hosts: string[] }).hosts.slice(0, 2),
    );
    expect(await recordingSums(OF_PROD.bbb)).toBe(recordings);
    await expectService(now, OF_PROD.turn);
  });

  test("on purpose: without its protection, destroy leaves nothing", async () => {
    await update("up", "embedded", [...PROD, "--set", "environment=test"]);
    expect(protectedNames("prod")).toEqual([]);
    await update("destroy", "embedded", PROD);
    expect(await countByKind("prod")).toEqual({});
    expect(checkpointReferences("prod")).toEqual([]);
  });
});
