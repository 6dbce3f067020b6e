import { delegate, expectDeployed, freshSandbox, upInBackground } from "../support/faults";
import { makeRecord } from "../support/clouds";
import { IN_HETZNER_DNS, sandbox } from "../support/sandbox";

/** Names that do not lead to the hosts, or not yet. */

const { bbb: BBB, turn: TURN } = IN_HETZNER_DNS;
const MANUAL = ["--set", "dns=manual", "--set", "recordingsGb=0"];

beforeAll(freshSandbox);

afterAll(() => delegate("example.test", true));

describe("Names", () => {
  test("a zone that its parent does not refer to: named, with what to do at the registrar", async () => {
    await delegate("example.test", false);
    const waiting = upInBackground(...MANUAL);
    await waiting.prints(/waiting for DNS .*name servers of test refer to no name servers for example\.test/);
    expect(waiting.update.printed).toMatch(/At the registrar of example\.test, set the name servers/);
    waiting.kill();
    await waiting.ended;
    await delegate("example.test", true);
  });

  test("a record that leads elsewhere, one that is missing: both named with the values they must have", async () => {
    await makeRecord("bbb", "A", ["203.0.113.200"]);
    const waiting = upInBackground(...MANUAL);
    await waiting.prints(/says of bbb\.example\.test: 203\.0\.113\.200; it should be 203\.0\.113\.\d+/);
    await waiting.prints(/says of turn\.example\.test: no A+ record; it should be/);
    waiting.kill();
    await waiting.ended;
  });

  test("records that appear late, and one that is mended late: waited for", async () => {
    const late = upInBackground(...MANUAL);
    await late.prints(/waiting for DNS.*\[bbb 2\/\d\]/);
    const address = (host: string, type: string) =>
      new RegExp(`${host.replaceAll(".", "\\.")}\\. 300 IN ${type} (\\S+)`).exec(late.update.printed)?.[1] ??
      "";
    await makeRecord("bbb", "A", [address(BBB, "A")]);
    await makeRecord("turn", "A", [address(TURN, "A")]);
    await makeRecord("turn", "AAAA", [address(TURN, "AAAA")]);
    await late.ended;
    expect([late.update.code, late.update.printed]).toEqual([0, expect.stringContaining("created")]);
    await expectDeployed(MANUAL);
  });

  test("a record that never comes: the host's check ends after its time, with all that is wrong", async () => {
    const flags = [
      "--zone",
      "example.test",
      "--hostname",
      "never.example.test",
      "--ipv4",
      "203.0.113.9",
      "--wait",
      "12",
    ];
    const script = `python3 /usr/local/lib/bbb-deploy/dns_check.py ${flags.join(" ")}`;
    const result = await sandbox(["exec", "--at", BBB, "--", "bash", "-c", script]);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(
      /never\.example\.test: no A record; it should be 203\.0\.113\.9\. Set the A record.*\(waited \d+ s\)/,
    );
  });

  test("an alias in the place of a record: told, since it would be another host's, and waited for", async () => {
    await makeRecord("bbb", "A", []);
    await makeRecord("bbb", "CNAME", ["turn.example.test."]);
    const waiting = upInBackground(
      ...MANUAL,
      ...["--set", "email=other@example.test", "--replace", "bbb-preflight"],
    );
    await waiting.prints(/is an alias \(CNAME\) of turn\.example\.test/);
    waiting.kill();
    await waiting.ended;
  });
});
