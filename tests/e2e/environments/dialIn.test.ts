import { setTimeout as sleep } from "node:timers/promises";

import { signedApiUrl } from "../../../bigbluebutton/api";
import type { Finding } from "../../../operator/check/finding";
import { foundInExecs, watchExecs, watchMissing } from "../support/execWatch";
import { found, foundInHostLogs, type Secret } from "../support/secrets";
import { answering, call, caller, registrar, trunk, type Answering } from "../support/sip";
import {
  IN_HETZNER_DNS as NAMES,
  must,
  onHost,
  outputs,
  outside,
  printed,
  sandbox,
  tryUpdate,
  update,
  type Outputs,
} from "../support/sandbox";

/**
 * Dial-in from the setting to a caller in a meeting. The provider, and its callers, are SIPp in the outside client
 * `internet`; the other client, `operator`, has an address that is none of the provider's.
 */

const PROVIDER = "192.0.2.20";
const STRANGER = "192.0.2.10";
const PASSWORD = "Zq3v8mWtLp9xRw4k";
const WRONG = "Xk7vWrongPassw0rd";
const SECRETS: readonly Secret[] = [
  ["password", PASSWORD],
  ["wrong password", WRONG],
];
const GATEWAY_FILE = "/opt/freeswitch/etc/freeswitch/sip_profiles/external/bbb-deploy.xml";
const DIALPLAN_FILE = "/opt/freeswitch/etc/freeswitch/dialplan/public/bbb-deploy.xml";
const internet = { as: "internet", address: PROVIDER } as const;
const stranger = { as: "operator", address: STRANGER } as const;

let out: Outputs;
let provider: Answering | undefined;

const server = () => ({ number: "7700", address: out.addresses.bbb.ipv4 });
const root = (script: string) => onHost(NAMES.bbb, ["bash", "-c", `set -euo pipefail; ${script}`]);
const status = () => root("fs_clibbb -x 'sofia status gateway bbb-deploy'");
const log = () => root("journalctl -u freeswitch -o cat --no-pager");
const ask = async (name: string, parameters: Record<string, string>) => {
  const url = signedApiUrl(out.apiUrl, name, parameters, out.sharedSecret);
  return (await outside(["curl", "-sS", url])).stdout;
};

/** Makes a meeting of a number, and has somebody in it. */
async function meet(number: string): Promise<string> {
  const ROOM = { meetingID: `room-${number}`, name: "Mathe 7b" };
  expect(await ask("create", { ...ROOM, voiceBridge: number })).toContain("<returncode>SUCCESS</returncode>");
  const parameters = {
    ...{ meetingID: ROOM.meetingID, fullName: "L" },
    role: "MODERATOR",
    redirect: "false",
  };
  const join = signedApiUrl(out.apiUrl, "join", parameters, out.sharedSecret);
  const script = `set -euo pipefail
jar=$(mktemp)
token=$(curl -sS -c "$jar" "$1" | sed -n 's|.*<session_token>\\(.*\\)</session_token>.*|\\1|p')
curl -sS -b "$jar" "$2/enter?sessionToken=$token"`;
  const { stdout } = await outside(["bash", "-c", script, "bash", join, out.apiUrl]);
  return (JSON.parse(stdout) as { response: { welcome: string } }).response.welcome;
}

async function findings(): Promise<readonly Finding[]> {
  const { stdout } = await sandbox(["operator", "check", "--json", "--sandbox"]);
  const { checks } = JSON.parse(stdout) as { checks: readonly Finding[] };
  return checks.filter(({ name }) => name === "dial-in");
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await holds()); await sleep(500)) {
    if (Date.now() > end) throw new Error(`never came:\n${await log()}`);
  }
}

const given = (release: string, dialIn: object | undefined, more: Record<string, string> = {}) =>
  Object.entries({ release, ...(dialIn && { dialIn: JSON.stringify(dialIn) }), ...more }).flatMap(
    ([key, value]) => ["--set", `${key}=${value}`],
  );

afterAll(() => provider?.stop());

describe("3.0, at a provider where the server registers", () => {
  const dialIn = (password = PASSWORD) => ({
    ...{ number: "+49 30 123456", networks: [PROVIDER], pinDigits: 7 },
    gateway: { host: PROVIDER, user: "4930", password: { secure: password } },
  });
  const up = (value: object | undefined, more: Record<string, string> = {}) =>
    update("up", "embedded", given("jammy-30", value, more));

  beforeAll(async () => {
    await must(["reset"]);
    await up(undefined);
    out = await outputs();
    provider = await answering(registrar("4930", PASSWORD), PROVIDER);
  });

  test("without the setting there is no gateway, and a call from the provider does not arrive", async () => {
    expect(await status()).toBe("Invalid Gateway!\n");
    const { code } = await call(caller(["12345#"], "caller"), internet, server(), 10);
    expect(code).not.toBe(0);
    expect(await log()).not.toContain("INVITE from");
  });

  test("the setting registers the server, restarts no FreeSWITCH, and shows its password to nobody", async () => {
    const watch = watchMissing() === undefined ? await watchExecs() : undefined;
    const started = "systemctl show -P InvocationID freeswitch";
    const before = await root(started);
    await up(dialIn());
    // The test's own commands have it as a setting, and the engine hands that to the program as PULUMI_CONFIG.
    const execs = ((await watch?.stop()) ?? []).filter(
      ({ argv, env }) => ![...argv, ...env].some((word) => /^(dialIn|PULUMI_CONFIG)=/.test(word)),
    );
    expect(foundInExecs(SECRETS, execs)).toEqual([]);
    expect(await root(started)).toBe(before);
    await until(async () => /State\s+REGED/.test(await status()));
    expect(await root(`stat -c '%U:%G %a' ${GATEWAY_FILE} ${DIALPLAN_FILE}`)).toBe(
      "freeswitch:daemon 640\nfreeswitch:daemon 640\n",
    );
    expect(await findings()).toEqual([
      expect.objectContaining({
        verdict: "ok",
        answer: expect.stringContaining(`registered at ${PROVIDER}`),
      }),
    ]);
    expect(found(SECRETS, printed.join("\n"))).toEqual([]);
    expect(await foundInHostLogs(NAMES.bbb, SECRETS)).toEqual([]);
  });

  test("a second update changes nothing", async () => {
    const { summary } = await up(dialIn());
    expect(summary.updated ?? 0).toBe(0);
    expect(summary.created ?? 0).toBe(0);
  });

  test("a caller is asked for the number, and is in the meeting, whose welcome text says how", async () => {
    const welcome = await meet("12345");
    expect(welcome).toContain("call +49 30 123456, then enter 12345 and the # key");
    const calling = call(caller(["54321#", "12345#"], "caller"), internet, server());
    await until(async () =>
      (await root("fs_clibbb -x 'conference 12345 list'")).includes(`sofia/external/${PROVIDER}`),
    );
    const { code, stdout, stderr } = await calling;
    expect({ code, told: code === 0 ? "" : `${stdout}${stderr}` }).toEqual({ code: 0, told: "" });
    const said = await log();
    expect(said).toContain("hears conference/conf-pin.wav");
    expect(said).toContain("hears conference/conf-bad-pin.wav");
    expect(said).toContain("is in the conference 12345");
  });

  test("meetings get numbers of the digits that the setting says", async () => {
    expect(await ask("create", { meetingID: "digits", name: "Bio" })).toMatch(
      /<voiceBridge>\d{7}<\/voiceBridge>/,
    );
  });

  test("three wrong numbers end a call", async () => {
    const { code } = await call(caller(["11111#", "22222#", "33333#"], "server"), internet, server());
    expect(code).toBe(0);
  });

  test("no packet of another address arrives", async () => {
    const { code } = await call(caller(["12345#"], "caller"), stranger, server(), 10);
    expect(code).not.toBe(0);
    expect(await log()).not.toContain(`INVITE from ${STRANGER}`);
  });

  test("a wrong password fails the update, with where to look; the right one mends it, and no meeting ends", async () => {
    const wrong = await tryUpdate("up", "embedded", given("jammy-30", dialIn(WRONG)));
    expect(wrong.code).not.toBe(0);
    expect(wrong.stdout + wrong.stderr).toContain(`not registered at ${PROVIDER}: the registration failed`);
    await up(dialIn());
    await until(async () => /State\s+REGED/.test(await status()));
    expect(await ask("getMeetings", {})).toContain("room-12345");
  });

  test("drift is told by the file's name, and an upgrade puts it back", async () => {
    await root(`echo '<include/>' > ${DIALPLAN_FILE}; rm ${GATEWAY_FILE}`);
    const [finding] = await findings();
    expect(finding!.verdict).toBe("FAIL");
    expect(finding!.answer).toContain(
      `${GATEWAY_FILE} is missing; ${DIALPLAN_FILE} is another than deployed`,
    );
    await up(dialIn(), { upgrade: "again", duringMeetings: "again" });
    await until(async () => /State\s+REGED/.test(await status()));
    expect((await findings()).map(({ verdict }) => verdict)).toEqual(["ok"]);
  });

  test("the setting taken back takes files, gateway, words and the open port away", async () => {
    await up(undefined, { upgrade: "again" });
    expect(await status()).toBe("Invalid Gateway!\n");
    expect(await root(`ls ${GATEWAY_FILE} ${DIALPLAN_FILE} 2>&1 || true`)).toMatch(
      /No such file[^]*No such file/,
    );
    expect(await root("grep -c defaultDialAccessNumber /etc/bigbluebutton/bbb-web.properties || true")).toBe(
      "0\n",
    );
    const { code } = await call(caller(["12345#"], "caller"), internet, server(), 10);
    expect(code).not.toBe(0);
    expect(await findings()).toEqual([]);
  });
});

describe("4.0, with a trunk by address", () => {
  const dialIn = {
    ...{ number: "7700", networks: [`${PROVIDER}/32`], greeting: "Telefon: %%DIALNUM%%, Nummer %%CONFNUM%%" },
    gateway: { host: PROVIDER, register: false },
  };

  beforeAll(async () => {
    provider?.stop();
    await must(["reset"]);
    // SIPp needs the network of the sandbox, which is there once something is deployed.
    await update("up", "embedded", given("noble-40", undefined));
    provider = await answering(trunk, PROVIDER);
    await update("up", "embedded", given("noble-40", dialIn));
    out = await outputs();
  });

  test("the trunk answers, and is not registered", async () => {
    expect(await status()).toMatch(/State\s+NOREG\nStatus\s+UP/);
    expect(await findings()).toEqual([
      expect.objectContaining({
        verdict: "ok",
        answer: expect.stringContaining(`${PROVIDER} answers, calls come by address`),
      }),
    ]);
  });

  test("a caller reaches a meeting in LiveKit by livekit-sip", async () => {
    expect(await meet("12345")).toContain("Telefon: 7700, Nummer 12345");
    const { code } = await call(caller(["12345#"], "caller"), internet, server());
    expect(code).toBe(0);
    expect(await log()).toContain(
      `is handed on to sofia/external/12345@${out.addresses.bbb.ipv4}:5062: SIP/2.0 200 OK`,
    );
    expect(await root("journalctl -u livekit-sip -o cat --no-pager")).toContain("call to 12345: taken");
  });

  test("no packet of another address arrives", async () => {
    const { code } = await call(caller(["12345#"], "caller"), stranger, server(), 10);
    expect(code).not.toBe(0);
    expect(await log()).not.toContain(`INVITE from ${STRANGER}`);
  });
});
