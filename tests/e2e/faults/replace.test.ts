import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { VOLUMES_DIR } from "../../../sandbox/paths";
import { accountObjects, protectedNames } from "../support/account";
import { backupSetting, publish, root } from "../support/backup";
import { meeting } from "../support/checks";
import { arm, disarm, expectDeployed, failingUp, until, up } from "../support/faults";
import { greenlightDatabase } from "../support/greenlight";
import { killWhen, startWatched } from "../support/kill";
import { AT_HETZNER } from "../support/places";
import { furnishedServer, replaceArguments, WEB, WITH_GREENLIGHT } from "../support/replace";
import { must, onHost, outputs, printed, type Outputs } from "../support/sandbox";
import { found, foundInHostLogs } from "../support/secrets";

/**
 * Faults of a replacement, and of its way back. One protected deployment of 3.0, which becomes one of 4.0: refusals first,
 * then a replacement that is killed at every phase and can't end, its way back, one with an API that fails, its way
 * back, and one without a volume.
 */

const { snapshots, names } = AT_HETZNER;
const { bbb: BBB } = names;
const { furnish, record, countRecordings, release, expectCarried, expectListed } =
  furnishedServer(AT_HETZNER);
const SETTINGS = [...WITH_GREENLIGHT, ...["--set", "protect=true", "--set", "protectRecordings=true"]];
const RELEASE = ["--set", "release=noble-40"];
const NEW = [...SETTINGS, ...RELEASE];
const object = async (kind: string, name: RegExp) =>
  (await accountObjects()).find((one) => one.kind === kind && name.test(one.name));
const server = () => object("servers", /^bbb\./);

let out: Outputs;
let before: {
  readonly release: string;
  readonly id?: string;
  readonly guarded: readonly string[];
};

/** Expects that server and volume are as protected as before, at the cloud and in the state. */
async function expectProtected(): Promise<void> {
  expect((await server())?.protection).toMatchObject({ delete: true, rebuild: true });
  expect((await object("volumes", /./))?.protection).toMatchObject({ delete: true });
  expect(protectedNames("sandbox")).toEqual(before.guarded);
}

let running: ReturnType<typeof startWatched> | undefined;
const begin = (...args: string[]) => (running = startWatched(replaceArguments("sandbox", ...args)));

/** Begins the command, and kills it as soon as it prints that. */
async function killAt(moment: RegExp, ...args: string[]): Promise<void> {
  const { update, kill, ended } = begin(...args);
  await until(() => {
    if (update.code !== undefined) throw new Error(`ended without ${String(moment)}:\n${update.printed}`);
    return moment.test(update.printed);
  }, 400);
  kill();
  await ended;
  expect(update.code).toBeNull();
}

/** Runs a command that must fail for these reasons. */
async function failing(args: readonly string[], ...reasons: readonly RegExp[]): Promise<void> {
  const { update, ended } = begin(...args);
  await ended;
  expect([0, null]).not.toContain(update.code);
  for (const reason of reasons) expect(update.printed).toMatch(reason);
}

/** Runs a command to its end. @returns what it printed */
async function succeeding(...args: string[]): Promise<string> {
  const { update, ended } = begin(...args);
  await ended;
  expect([update.code, update.printed]).toEqual([0, expect.anything()]);
  return update.printed;
}

/** Writes over the mark of the volume's file system, or puts it back. */
async function markFileSystem(mark: Buffer): Promise<void> {
  const { id = "" } = (await object("volumes", /./)) ?? {};
  const file = join(VOLUMES_DIR, id, "disk.img");
  const run = (command: string, args: string[], input?: Buffer) => {
    const { status, stdout, stderr } = spawnSync(command, args, { input });
    if (status !== 0) throw new Error(`${command}: ${String(stderr)}`);
    return String(stdout).trim();
  };
  // It has a device only while it is attached.
  const device = run("losetup", ["--noheadings", "-O", "NAME", "-j", file]);
  const place = ["bs=1", "seek=1080", "count=2", "conv=notrunc,fsync", "status=none"];
  run("dd", [`of=${device || file}`, ...place], mark);
}
const EXT4 = Buffer.from([0x53, 0xef]);

beforeAll(async () => {
  await must(["reset"]);
  await up(...SETTINGS);
  out = await outputs();
  await furnish();
  before = { release: await release(), id: (await server())?.id, guarded: protectedNames("sandbox") };
  expect(before.release).toMatch(/3\.0/);
});
afterEach(disarm);
afterAll(() => running?.kill());

describe("A replacement, refused before anything is touched", () => {
  afterEach(async () => {
    expect((await server())?.id).toBe(before.id);
    expect(await snapshots()).toEqual([]);
  });

  test("a meeting runs: said, with the option that ends it", async () => {
    await meeting("create", out);
    await failing(RELEASE, /1 meeting runs on bbb\.example\.test; nothing was changed.*--end-meetings/);
    await meeting("end", out);
  });

  test("the server type is sold out: said with its place, and the old server runs on", async () => {
    await failing(
      ["--set", "serverType=cx42"],
      /there is no cx42 to be had in fsn1 at this moment; nothing was changed\. Try again later, or with --set serverType/,
    );
    await expectDeployed(SETTINGS);
  });

  test("the way back where nothing was replaced: said", () =>
    failing(["--back"], /there is nothing to go back to/));

  test("an update to a release of another Ubuntu: refused, with the command", async () => {
    await failingUp(NEW, /\.\/scripts\/replace STACK/);
    await up(...SETTINGS);
  });
});

describe("A replacement that is killed, and can't end", () => {
  test("somebody works in the recordings: named with what to do, nobody can meet, and the same command goes on", async () => {
    await root(
      BBB,
      "systemd-run --unit=holder sh -c 'exec 9</var/bigbluebutton/published/video/e2e-2/video.webm; sleep 900'",
    );
    await failing(RELEASE, /is still in use: fuser -vm .* shows by what\. End that, then run this again/);
    expect([(await server())?.id, await snapshots()]).toEqual([before.id, []]);
    await expect(meeting("create", out)).rejects.toThrow();
    await root(BBB, "systemctl stop holder");
  });

  for (const [what, moment] of [
    ["the old server's state is read", /state: \d+ files and folders/],
    ["its BigBlueButton stops", /stopping BigBlueButton/],
    ["it shuts down", /shutting bbb\.example\.test down/],
    ["its disk becomes a snapshot", /making a snapshot of the server's disk/],
    ["the snapshot is there", /the snapshot \d+ has/],
    ["the old server is deleted", /deleting the old server/],
    ["the new one is ordered", /making the new server/],
  ] as const) {
    test(`killed as ${what}: the same command goes on`, () => killAt(moment));
  }

  test("the volume can't be mounted: said, and it is left as it is, byte for byte", async () => {
    await markFileSystem(Buffer.alloc(2));
    await failing([], /holds data of an unknown kind, and is left as it is/);
    await markFileSystem(EXT4);
    expect(await snapshots()).toMatchObject([{ labels: { purpose: "replaced", server: before.id } }]);
  });

  for (const [what, moment] of [
    ["the new server shuts down", /shutting bbb\.example\.test down/],
    ["the old disk is ordered", /bringing bbb\.example\.test back, from the snapshot \d+/],
    ["the old server is wired", /bbb-wire: .*: started/],
  ] as const) {
    test(`the way back, killed as ${what}: the same command goes on, and nothing else is begun`, async () => {
      await killAt(moment, "--back");
      await failing(RELEASE, /the way back of sandbox was begun: .* --back brings it to its end/);
    });
  }

  test("after all of these: the old server as it was, with recordings, users and rooms, protected, and no disk kept", async () => {
    expect(await succeeding("--back")).toContain("sandbox is as it was before");
    expect(await release()).toBe(before.release);
    await expectCarried();
    await expectProtected();
    expect(await snapshots()).toEqual([]);
    await expectDeployed(SETTINGS);
  });
});

describe("A replacement at a cloud that fails", () => {
  const SMALL = [...RELEASE, "--set", "serverType=ccx13"];
  const LARGER = [...NEW, "--set", "serverType=ccx23"];

  beforeAll(async () => void (before = { ...before, id: (await server())?.id }));

  test("no snapshot can be made: said, and the old server is there", async () => {
    await arm("hetzner", {
      ...{ match: { method: "POST", path: "/actions/create_image$" }, code: "invalid_input" },
      message: "no more snapshots",
    });
    await failing(SMALL, /no more snapshots/);
    expect((await server())?.id).toBe(before.id);
  });

  test("the volume can't be detached: asked again while it is locked, else said, and the old server is there", async () => {
    const path = "/volumes/\\d+/actions/detach$";
    await arm("hetzner", { match: { method: "POST", path }, code: "locked", times: 2 });
    await arm("hetzner", { action: "detach_volume", code: "action_failed", message: "device is busy" });
    await failing([], /device is busy/);
    expect((await server())?.id).toBe(before.id);
  });

  test("the DNS does not answer while there is no server: said, and no server is ordered", async () => {
    await arm("hetzner", { match: { path: "/zones" }, status: 500, times: "every" });
    await failing([], /500|server_error/);
    await disarm();
    expect(await server()).toBeUndefined();
  });

  test("the server type is sold out once the old server is gone: said, and its disk is kept", async () => {
    const soldOut = { code: "resource_unavailable", message: "error during placement" };
    await arm("hetzner", { match: { method: "POST", path: "/v1/servers$" }, ...soldOut });
    await failing([], /error during placement/);
    expect(await snapshots()).toMatchObject([{ labels: { purpose: "replaced", server: before.id } }]);
  });

  test("the volume can't be attached: said", async () => {
    await arm("hetzner", { action: "attach_volume", code: "action_failed", message: "no such device" });
    await failing([], /no such device/);
  });

  test("the new server does not pass its check: said with what to do, before anything is installed", () =>
    failing(
      [],
      /bbb\.example\.test is not fit/,
      /2 cores, less than the 4 it needs\. Choose a larger serverType/,
    ));

  test("killed while BigBlueButton is installed on one that was made larger: the same command goes on", async () => {
    await killWhen(["up", "--engine", "embedded", ...LARGER], (output) =>
      /bbb-install: .*: started/.test(output),
    );
  });

  test("killed as the state comes over, and Greenlight's database is down at the next run: said, with where all of it is", async () => {
    await killAt(/bringing over what was set by hand/);
    await greenlightDatabase(BBB, "stop");
    await failing([], /is not running/, /the state did not come to bbb\.example\.test/);
    await greenlightDatabase(BBB, "start");
  });

  test("after all of these: 4.0 with recordings, users, rooms and files of before, protected; what it does not have is listed", async () => {
    const printed = await succeeding();
    expect(printed).toContain("sandbox has a new server");
    await expectListed(printed);
    expect(await release()).toMatch(/4\.0/);
    await expectCarried();
    await expectProtected();
    expect(await snapshots()).toMatchObject([{ labels: { purpose: "replaced", server: before.id } }]);
    await expectDeployed(LARGER);
  });

  test("back after a recording was made: the old server as it was, with the new recording on the volume", async () => {
    await record();
    expect(await succeeding("--back")).toContain("sandbox is as it was before");
    expect(await release()).toBe(before.release);
    await expectCarried();
    await expectProtected();
    expect(await onHost(BBB, ["cat", WEB])).toMatch(/^lockSettingsDisableNote=true$/m);
    expect(await snapshots()).toEqual([]);
    await expectDeployed(SETTINGS);
  });
});

describe("A replacement without a volume", () => {
  const WITHOUT = [...SETTINGS, "--set", "protectRecordings=false", "--set", "recordingsGb=0"];
  const SAVED = [...WITHOUT, "--set", `backup=${backupSetting("replaced")}`];

  test("recordings that are in no backup: refused before anything is touched, with the settings that mend it", async () => {
    await up(...SETTINGS, "--set", "protectRecordings=false");
    await up(...WITHOUT);
    await publish(BBB);
    await countRecordings();
    before = { ...before, id: (await server())?.id, guarded: protectedNames("sandbox") };
    await failing(
      [],
      /are on the server's own disk and in no backup, and would be lost: set recordingsGb or backup before/,
    );
    expect((await server())?.id).toBe(before.id);
  });

  test("recordings that are in a backup: there again, with Greenlight's users and rooms", async () => {
    await up(...SAVED);
    expect(await succeeding()).toContain("sandbox has a new server");
    expect((await server())?.id).not.toBe(before.id);
    await expectCarried();
    await expectDeployed(SAVED);
  });

  test("after all of these: no secret is in a log, or in what was printed", async () => {
    const secrets = [
      ["sharedSecret", out.sharedSecret],
      ["turnSecret", out.turnSecret],
    ] as const;
    expect(found(secrets, printed.join("\n"))).toEqual([]);
    expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
  });
});
