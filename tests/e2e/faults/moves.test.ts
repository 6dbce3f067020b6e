import { hetzner } from "../support/clouds";
import { expectDeployed, up } from "../support/faults";
import { IN_HETZNER_DNS, must, onHost, outputs } from "../support/sandbox";

/** Changes of a deployment around its recordings volume, on one unprotected deployment. */

const MOVED = ["--set", "location=nbg1"];
const WITHOUT = [...MOVED, "--set", "recordingsGb=0"];
const { bbb: BBB } = IN_HETZNER_DNS;

/** Device of /var/bigbluebutton. */
const device = () => onHost(BBB, ["findmnt", "-no", "SOURCE", "-T", "/var/bigbluebutton"]);

beforeAll(async () => void (await must(["reset"])));

describe("Other places for recordings", () => {
  test("another location: server, volume and addresses are new there, and no server that is gone is waited for", async () => {
    await up();
    const before = await outputs();
    const { stdout } = await up(...MOVED);
    expect(stdout).not.toContain("Dial ");
    expect((await outputs()).addresses).not.toEqual(before.addresses);
    expect(await device()).toContain("HC_Volume");
    await expectDeployed(MOVED);
  });

  test("no volume any more: it is unmounted before it is taken away, and BigBlueButton goes on without", async () => {
    const { stdout } = await up(...WITHOUT);
    expect(stdout).toContain("the recordings volume is unmounted");
    expect(await device()).not.toContain("HC_Volume");
    expect(await hetzner(["GET", "/volumes"])).toMatchObject([{ body: { volumes: [] } }]);
    await expectDeployed(WITHOUT);
  });
});
