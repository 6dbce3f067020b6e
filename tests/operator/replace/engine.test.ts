/** A replacement and its way back with the engine and the emulated cloud: a volume, and all of it protected. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { back } from "../../../operator/replace/back";
import { recordsIn } from "../../../operator/replace/journal";
import { replace } from "../../../operator/replace/replace";
import type { World } from "../../../operator/replace/world";
import { useProject } from "../../sandbox/hetzner/harness";
import { ServerBench } from "../park/serverBench";

const project = useProject();
const folder = mkdtempSync(join(tmpdir(), "replaced-"));
let made: ServerBench;

beforeEach(async () => (made = await ServerBench.deployed(project())));
afterEach(() => made.bench.close());
afterAll(() => rmSync(folder, { recursive: true }));

function world(): World {
  const { bench } = made;
  return {
    ...made.world,
    servers: { bbb: made.servers, turn: made.servers },
    stacks: {
      ...made.world.stacks,
      configure: async (_, changed) => void (bench.config = { ...bench.config, ...changed }),
    },
    records: recordsIn(join(folder, "dev")),
    now: () => new Date(),
  };
}

const NEW = {
  ...{ set: { release: "noble-40" }, former: { release: null } },
  ...{ serverType: "ccx33", location: "fsn1", backup: false },
};

test("another Ubuntu on the same address with the same volume, protected again; and the old disk in its place", async () => {
  const [before] = await made.listed("servers");
  const kept = () =>
    made.listed("servers").then(([{ volumes, public_net }]) => [volumes, public_net.ipv4.id]);
  const same = await kept();
  await replace(world(), { wanted: NEW, endMeetings: false, confirm: async () => true });
  const [server] = await made.listed("servers");
  expect(server).toMatchObject({
    protection: { delete: true, rebuild: true },
    image: { name: "ubuntu-24.04" },
  });
  expect(await kept()).toEqual(same);
  expect(made.said).toContain("import state");
  expect(await made.snapshots()).toMatchObject([
    { labels: { purpose: "replaced", server: String(before.id) } },
  ]);
  expect((await made.bench.up()).summary).toMatchObject({ unchanged: 5 });

  const [{ id }] = await made.snapshots();
  await back(world(), { endMeetings: false, confirm: async () => true });
  expect(await made.listed("servers")).toMatchObject([{ image: { id }, protection: { delete: true } }]);
  expect(await kept()).toEqual(same);
  expect(await made.snapshots()).toEqual([]);
  expect((await made.bench.up()).summary).toMatchObject({ unchanged: 5 });
});
