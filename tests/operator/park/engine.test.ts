/** Parking and waking with the engine and the emulated cloud: a volume, and all of it protected. */
import { park } from "../../../operator/park/park";
import { wake } from "../../../operator/park/wake";
import type { World } from "../../../operator/park/world";
import { useProject } from "../../sandbox/hetzner/harness";
import { ServerBench } from "./serverBench";

const project = useProject();
let made: ServerBench;

beforeEach(async () => (made = await ServerBench.deployed(project())));
afterEach(() => made.bench.close());

const world = (): World => ({ ...made.world, servers: { bbb: made.servers, turn: made.servers } });
const parks = () => park(world(), { withTurn: false, endMeetings: false, confirm: async () => true });
const wakes = () => wake(world(), { confirm: async () => true });

test("parked, updates are refused; woken, it is protected again, on the same address, with the same volume; three times", async () => {
  const [ip] = await made.listed("primary_ips");
  const [volume] = await made.listed("volumes");
  for (let time = 0; time < 3; time++) {
    await parks();
    expect(await made.listed("servers")).toEqual([]);
    expect(made.bench.resource("server")).toBeUndefined();
    expect(await made.snapshots()).toHaveLength(1);
    const { errors } = await made.bench.up();
    expect(errors.join()).toMatch(/stack dev is parked, as the snapshot \d+: \.\/scripts\/wake dev/);
    expect(await made.listed("servers")).toEqual([]);
    await wakes();
    expect(await made.snapshots()).toEqual([]);
  }
  const [server] = await made.listed("servers");
  expect(server).toMatchObject({ protection: { delete: true, rebuild: true }, volumes: [volume.id] });
  expect(server.public_net.ipv4.id).toBe(ip.id);
  expect((await made.bench.up()).summary).toMatchObject({ unchanged: 5 });
});
