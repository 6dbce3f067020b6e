import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Failure, Mistake } from "../../../cli/mistake";
import { back } from "../../../operator/replace/back";
import { recordsIn } from "../../../operator/replace/journal";
import { replace, type ReplaceOptions } from "../../../operator/replace/replace";
import type { Wanted } from "../../../operator/replace/wanted";
import type { World } from "../../../operator/replace/world";
import { FakeCloud, Killed } from "../park/fakes";

let cloud: FakeCloud;
let folder: string;
let time: Date;

beforeEach(() => {
  cloud = new FakeCloud();
  folder = mkdtempSync(join(tmpdir(), "replaced-"));
  time = new Date("2026-11-29T21:00:00Z");
});
afterEach(() => rmSync(folder, { recursive: true }));

const wanted: Wanted = {
  ...{ set: { release: "noble-40" }, former: { release: null } },
  ...{ serverType: "ccx33", location: "fsn1", backup: false },
};
const options: ReplaceOptions = { wanted, endMeetings: false, confirm: async () => true };

function world(): World {
  const inner = cloud.world();
  const configure = async (_: string, changed: object) => cloud.act(`configure ${JSON.stringify(changed)}`);
  return {
    ...inner,
    servers: { bbb: cloud.taking, turn: cloud.taking },
    stacks: { ...inner.stacks, configure },
    records: recordsIn(join(folder, "prod")),
    now: () => time,
  };
}
const replaces = (more: Partial<ReplaceOptions> = {}) => replace(world(), { ...options, ...more });
const goesBack = (endMeetings = false) => back(world(), { endMeetings, confirm: async () => true });
const kept = () => [...cloud.snapshots.values()].map(({ labels }) => labels.purpose);

const FORWARD = [
  "export",
  "release",
  "stop 1",
  "take 1",
  "available 100",
  'configure {"release":"noble-40"}',
  "let go 1",
  "refresh",
  "up {}",
  "import state of 1",
  "answers",
];

test("the state is read, the disk kept, the server deleted; the new one gets the state, and works before it is done", async () => {
  expect(await replaces()).toBe(true);
  expect(cloud.done).toEqual(FORWARD);
  expect([...cloud.snapshots.values()]).toMatchObject([
    {
      labels: {
        purpose: "replaced",
        role: "bbb",
        server: "1",
        keep: String(time.getTime() / 1000 + 14 * 86_400),
      },
    },
  ]);
  expect(cloud.said.at(-1)).toContain("./scripts/replace prod --back brings it back");
});

test("back: the new server goes, the settings of before come, and the old disk, which is not kept after it", async () => {
  await replaces();
  cloud.done.length = 0;
  expect(await goesBack()).toBe(true);
  expect(cloud.done).toEqual([
    "configure {}",
    "release",
    "stop 11",
    "let go 11",
    "refresh",
    'up {"image":"100"}',
    "answers",
    "remove 100",
  ]);
  await expect(goesBack()).rejects.toThrow("there is nothing to go back to");
});

test("recordings that are on no volume need a backup, which is made before and brought back after", async () => {
  cloud.volume = false;
  await expect(replaces()).rejects.toThrow(
    /on the server's own disk and in no backup.*set recordingsGb or backup/,
  );
  expect(cloud.done).toEqual([]);
  await replaces({ wanted: { ...wanted, backup: true } });
  expect(cloud.done[0]).toBe("back up");
  expect(cloud.done.slice(-2)).toEqual(["restore recordings", "answers"]);
});

describe("refused before anything is touched", () => {
  afterEach(() => expect([cloud.done, kept()]).toEqual([[], []]));

  test("while a meeting runs", async () => {
    cloud.meetings = 1;
    await expect(replaces()).rejects.toThrow("1 meeting runs on bbb.example.org; nothing was changed");
  });
  test("where the type is sold out", async () => {
    cloud.offered = false;
    await expect(replaces()).rejects.toThrow(
      "there is no ccx33 to be had in fsn1 at this moment; nothing was changed",
    );
  });
  test("where there is no server, or one that is off", async () => {
    cloud.servers.delete("1");
    await expect(replaces()).rejects.toThrow(Mistake);
    cloud.add("bbb", "1", { status: "off" });
    await expect(replaces()).rejects.toThrow(Failure);
  });
  test("by whoever is asked", async () => {
    expect(await replaces({ confirm: async () => false })).toBe(false);
  });
  test("back, where nothing was replaced", async () => {
    await expect(goesBack()).rejects.toThrow("there is nothing to go back to");
  });
});

describe.each(FORWARD.map((name, index) => [name, index] as const))("killed before %s", (_, index) => {
  beforeEach(async () => {
    cloud.killAfter = index;
    await expect(replaces()).rejects.toThrow(Killed);
    cloud.killAfter = Infinity;
  });

  test("the same command goes on, without --set, to one new server and one kept disk", async () => {
    await replaces({ wanted: { ...wanted, set: {} } });
    expect([cloud.bbbServer(), kept()]).toEqual(["11", ["replaced"]]);
    expect(cloud.done.filter((one) => one === 'configure {"release":"noble-40"}').length).toBeGreaterThan(0);
    expect(cloud.done.at(-2)).toBe("import state of 1");
    expect(await goesBack()).toBe(true);
  });

  test("the way back is open", async () => {
    await goesBack();
    expect(kept()).toEqual([]);
    const [one] = [...cloud.servers.values()].filter(({ labels }) => labels.role === "bbb");
    expect(one).toMatchObject(one!.id === "1" ? { status: "running" } : { image: "100" });
  });
});

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  "the way back killed after %i actions is brought to its end, and nothing else is begun",
  async (index) => {
    await replaces();
    cloud.killAfter = cloud.done.length + index;
    await expect(goesBack()).rejects.toThrow(Killed);
    cloud.killAfter = Infinity;
    await expect(replaces()).rejects.toThrow("the way back of prod was begun");
    await goesBack();
    expect([...cloud.servers.values()].find(({ labels }) => labels.role === "bbb")).toMatchObject({
      image: "100",
    });
    expect(kept()).toEqual([]);
  },
);

test("a new server that does not work: told, and both ways go on", async () => {
  cloud.failing = "bbb-preflight: bbb.example.org is not fit";
  await expect(replaces()).rejects.toThrow("is not fit");
  await expect(replaces({ wanted: { ...wanted, set: { release: "jammy-30" } } })).rejects.toThrow(
    "a replacement of prod was begun with release=noble-40: without --set it goes on, and with --back it is taken back",
  );
  cloud.failing = undefined;
  cloud.meetings = new Error("ECONNREFUSED");
  await goesBack();
  expect([...cloud.servers.values()].find(({ labels }) => labels.role === "bbb")).toMatchObject({
    image: "100",
  });
});

test("back is refused while a meeting runs on the new server", async () => {
  await replaces();
  cloud.meetings = 1;
  await expect(goesBack()).rejects.toThrow("1 meeting runs on bbb.example.org; nothing was changed");
  expect(await goesBack(true)).toBe(true);
});

test("the disk of an earlier replacement stays till its day, and then the next one removes it", async () => {
  const until = (day: string) => String(new Date(day).getTime() / 1000);
  cloud.put("7", { purpose: "replaced", server: "0", keep: until("2026-12-01") }, true);
  cloud.put("8", { purpose: "replaced", server: "0", keep: until("2026-11-29T20:59:00Z") }, true);
  await replaces();
  expect([...cloud.snapshots.keys()]).toEqual(["7", "100"]);
});

test("the state of the old server is for the operator alone, and goes when it is not needed", async () => {
  const records = recordsIn(join(folder, "prod"));
  records.writeState("secret");
  expect(statSync(join(folder, "prod")).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, "prod", "state")).mode & 0o777).toBe(0o600);
  await replaces();
  expect(records.state()).toBeUndefined();
});
