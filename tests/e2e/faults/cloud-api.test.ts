import { accountObjects, checkpointReferences, references } from "../support/account";
import { hetznerInventory } from "../support/clouds";
import { arm, disarm, expectDeployed, failingUp, freshSandbox, up, upInBackground } from "../support/faults";

/** Failures of Hetzner's API. A first deployment goes on from one case to the next. */

const NO_SERVER = { match: { method: "POST", path: "/v1/servers$" } } as const;
/** Number of requests at the same time: both servers, or two addresses for each. */
const BOTH = 2;
const ADDRESSES = 4;

const otherNetwork = (number: number) => [
  "--set",
  `sshNetworks=${JSON.stringify(["192.0.2.10/32", "2001:db8:fffe:1::10/128", `198.51.100.${number}/32`])}`,
];

const servers = async () => (await accountObjects()).filter(({ kind }) => kind === "servers").length;

beforeAll(freshSandbox);

afterEach(disarm);

describe("The cloud's API", () => {
  test("an expired token: one message that names it, and nothing is made", async () => {
    await arm("hetzner", { match: { path: "^/v1" }, code: "unauthorized", times: "every" });
    const { stdout, stderr } = await failingUp([], /hcloud:token/);
    expect((stdout + stderr).match(/token/g)?.length).toBeLessThan(8);
    await disarm();
    expect(await hetznerInventory()).toEqual({});
  });

  test("a primary IP's name taken by somebody else: named with what to do, and the next up goes on", async () => {
    await arm("hetzner", {
      match: { method: "POST", path: "/primary_ips$" },
      code: "uniqueness_error",
      message: "name is already used",
      times: ADDRESSES,
    });
    await failingUp([], /uniqueness_error/, /PrimaryIp/);
    expect(await servers()).toBe(0);
  });

  test("a server type sold out: named with what to do, and no server is left half made", async () => {
    const soldOut = { code: "resource_unavailable", message: "error during placement" };
    await arm("hetzner", { ...NO_SERVER, ...soldOut, times: BOTH });
    await failingUp([], /error during placement|resource_unavailable/, /Server/);
    expect(await servers()).toBe(0);
  });

  for (const status of [500, 503]) {
    test(`an answer of ${status}: the update fails by it, and the next one goes on`, async () => {
      await arm("hetzner", { ...NO_SERVER, status, times: BOTH });
      await failingUp([], /Server/);
      expect(await servers()).toBe(0);
    });
  }

  test("connections that are closed without an answer: asked again, or by the next up", async () => {
    await arm("hetzner", { ...NO_SERVER, closeConnection: true, times: BOTH });
    await failingUp([], /Server/);
    expect(await servers()).toBe(0);
  });

  test("an API that takes half a second for everything, and a volume that is locked: waited for", async () => {
    await arm(
      "hetzner",
      { match: { method: "POST", path: "/volumes/\\d+/actions/attach" }, code: "locked", times: 2 },
      { match: { path: "^/v1" }, delayMs: 500, times: "every" },
    );
    await up();
    await disarm();
    await expectDeployed();
    expect(references(await accountObjects())).toEqual(checkpointReferences("sandbox"));
  });

  test("too many requests, three times: asked again with pauses", async () => {
    await arm("hetzner", {
      match: { method: "POST", path: "/firewalls/" },
      code: "rate_limit_exceeded",
      times: 3,
    });
    expect((await up(...otherNetwork(101))).summary.updated).toBeGreaterThan(0);
    await expectDeployed(otherNetwork(101));
  });

  test("a conflict with another change: asked again with pauses", async () => {
    await arm("hetzner", { match: { method: "POST", path: "/firewalls/" }, code: "conflict", times: 2 });
    await up(...otherNetwork(102));
    await expectDeployed(otherNetwork(102));
  });

  test("an action that fails at the cloud: the update fails by it, and the next one carries it out", async () => {
    await arm("hetzner", { action: "set_firewall_rules", code: "action_failed", times: BOTH });
    await failingUp(otherNetwork(103), /Firewall/);
    await up(...otherNetwork(103));
    await expectDeployed(otherNetwork(103));
  });

  test("two updates at once: the second is refused by name, and the first comes to its end", async () => {
    const first = upInBackground("--set", "rotateTurnSecret=two-at-once");
    try {
      await first.prints(/Updating/, 30);
      await failingUp([], /another command is at work/);
      await first.ended;
      expect(first.update.code).toBe(0);
    } finally {
      first.kill();
    }
  });
});
