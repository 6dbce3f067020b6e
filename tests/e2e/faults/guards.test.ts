import { setTimeout as sleep } from "node:timers/promises";

import { signedApiUrl } from "../../../bigbluebutton/api";
import { expectService, getMeetings } from "../support/checks";
import { serviceStarts, turnFiles } from "../support/hosts";
import {
  IN_HETZNER_DNS as NAMES,
  must,
  onHost,
  outputs,
  outside,
  tryUpdate,
  update,
  type Outputs,
} from "../support/sandbox";

/** Refusals of changes that would end a running meeting, and restarts of hosts by an upgrade. One deployment. */

const both = [NAMES.bbb, NAMES.turn];

let out: Outputs;
/** Settings of the updates so far: each test adds its own. */
let settings: string[] = [];

const given = (...more: string[]) => more.flatMap((setting) => ["--set", setting]);
const up = (...more: string[]) => update("up", "embedded", (settings = [...settings, ...given(...more)]));
const tryUp = (...more: string[]) => tryUpdate("up", "embedded", [...settings, ...given(...more)]);

const bootOf = (fqdn: string) => onHost(fqdn, ["cat", "/proc/sys/kernel/random/boot_id"]);
const boots = () => Promise.all(both.map(bootOf));
/** Everything that a refused update must not have touched. */
const touched = async () => [await boots(), await turnFiles(NAMES), await serviceStarts(NAMES)];

const ONE_MEETING = { meetingID: "guards", name: "Guards", attendeePW: "attendee", moderatorPW: "moderator" };

/** Waits for the server's answer, which comes some time after an update that powered it off. */
async function answered(): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const answer = await getMeetings(out.apiUrl, out.sharedSecret);
    if (attempt === 60 || answer.includes("<returncode>")) return answer;
    await sleep(1000);
  }
}

/** Makes sure that one meeting runs, or none. */
async function meetings(wanted: "one" | "none"): Promise<void> {
  const running = (await answered()).includes("<meetingID>guards</meetingID>");
  if (running !== (wanted === "one")) await meeting(running ? "end" : "create");
}

async function meeting(call: "create" | "end"): Promise<void> {
  const parameters = call === "create" ? ONE_MEETING : { meetingID: "guards", password: "moderator" };
  const { stdout } = await outside([
    "curl",
    "-sS",
    signedApiUrl(out.apiUrl, call, parameters, out.sharedSecret),
  ]);
  expect(stdout).toContain("<returncode>SUCCESS</returncode>");
}

async function expectRefused(why: RegExp, ...more: string[]): Promise<void> {
  const before = await touched();
  const refused = await tryUp(...more);
  expect(refused.code).not.toBe(0);
  const output = refused.stdout + refused.stderr;
  expect(output).toMatch(why);
  expect(output).toContain("duringMeetings");
  expect(await touched()).toEqual(before);
  expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("<meetingID>guards</meetingID>");
}

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded");
  out = await outputs();
});

describe("Meetings", () => {
  test("a kernel that wants a restart after an upgrade: the host restarts, and the same update goes on and verifies; on the TURN host, where nothing is installed, it is told", async () => {
    const before = await boots();
    for (const fqdn of both) {
      await onHost(fqdn, [
        "bash",
        "-c",
        "touch /run/reboot-required && echo linux-base >/run/reboot-required.pkgs",
      ]);
    }
    const { stdout } = await up("upgrade=kernel");
    expect(stdout).toMatch(/the host asks for a restart, for linux-base \[bbb\b/);
    expect(stdout).toMatch(/the host has restarted; going on \[bbb\b/);
    expect(stdout).toMatch(/a reboot is pending since .*, for linux-base;.* \[turn\b/);
    const after = await boots();
    expect(after[0]).not.toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    await onHost(NAMES.bbb, ["test", "!", "-e", "/run/reboot-required"]);
    await expectService(out, NAMES.turn);
    expect(Object.keys((await up()).summary)).toEqual(["unchanged"]);
  });

  test("an upgrade while a meeting runs: refused before anything is touched", async () => {
    await meetings("one");
    await expectRefused(/1 meeting\(s\) run/, "upgrade=two");
  });

  test.each([
    ["serverType", "ccx33"],
    ["turnServerType", "cpx32"],
  ])("so is another %s, for which the cloud would power the server off", async (setting, value) => {
    await expectRefused(
      /changing serverType of \S+ powers it off, and 1 meeting runs on/,
      `${setting}=${value}`,
    );
  });

  test("an upgrade that is told to, while a meeting runs: goes on, and restarts the host where that is asked for", async () => {
    const before = await bootOf(NAMES.bbb);
    await onHost(NAMES.bbb, ["touch", "/run/reboot-required"]);
    const { stdout } = await up("upgrade=two", "duringMeetings=two");
    expect(stdout).toMatch(
      /1 meeting\(s\) run, which the installation ends, as the setting duringMeetings allows/,
    );
    expect(await bootOf(NAMES.bbb)).not.toBe(before);
    await expectService(out, NAMES.turn);
  });

  test("the permission is used up by that upgrade, and to take it back or give it again runs nothing", async () => {
    expect(await onHost(NAMES.bbb, ["cat", "/var/lib/bbb-deploy/during-meetings"])).toBe("two");
    expect(Object.keys((await up("duringMeetings=")).summary)).toEqual(["unchanged"]);
    await meetings("one");
    expect(Object.keys((await up("duringMeetings=two")).summary)).toEqual(["unchanged"]);
    await expectRefused(/the value of rotateSharedSecret \(one\)/, "rotateSharedSecret=one");
    await expectRefused(/1 meeting\(s\) run.*give upgrade a new text/, "greenlight=true");
    await meetings("none");
    // A refused rotation has made a new secret all the same.
    await up();
    out = await outputs();
  });

  test("another server type while a meeting runs: allowed by its name, and without meetings needs no permission", async () => {
    await meetings("one");
    const allowed = await up("serverType=ccx33", "duringMeetings=ccx33");
    expect(allowed.stdout + allowed.stderr).toContain("1 meeting runs");
    expect(await onHost(NAMES.bbb, ["nproc", "--all"])).toBe("8\n");
    await meetings("none");
    await up("serverType=ccx23");
    expect(await onHost(NAMES.bbb, ["nproc", "--all"])).toBe("4\n");
  });

  test("rotateSharedSecret while a meeting runs: refused; without one, the next update goes through", async () => {
    await meetings("one");
    await expectRefused(/1 meeting\(s\) run on/, "rotateSharedSecret=two");
    await meetings("none");
    // A refused rotation has made a new secret all the same: the hosts get one now.
    await up();
    out = await outputs();
    await expectService(out, NAMES.turn);
  });

  test("rotateTurnSecret while a meeting runs: refused by BigBlueButton, whose clients TURN goes on to serve; without one, the next update goes through", async () => {
    await meetings("one");
    const starts = await serviceStarts(NAMES);
    const { code, stdout, stderr } = await tryUp("rotateTurnSecret=two");
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/1 meeting\(s\) run on[^]*duringMeetings/);
    await expectService(out, NAMES.turn);
    await meetings("none");
    await up("rotateTurnSecret=two");
    expect((await serviceStarts(NAMES)).coturn).toBe(starts.coturn);
    expect((await outputs()).turnSecret).not.toBe(out.turnSecret);
    await expectService(await outputs(), NAMES.turn);
  });
});
