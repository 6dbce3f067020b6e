import { chmodSync, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { renderDialInCheck, renderDialInRequest, type DialInRequest } from "../../../bigbluebutton/dialIn";
import { check, type Record } from "./checks";
import { DIALPLAN_FILE, FreeswitchHost, GATEWAY_FILE } from "./freeswitch";

const PASSWORD = "Zq3vT8mW";
const OWN = "var/lib/bbb-deploy/dial-in";
const args: DialInRequest = {
  ...{ line: "3.0", networks: ["198.51.100.0/24", "192.0.2.7/32"], ipv4: "203.0.113.10" },
  gateway: { host: "sip.provider.example", port: 5060, register: true, user: "4930" },
  password: PASSWORD,
};
const RELOAD = ["reloadxml", "sofia profile external rescan"];

let host: FreeswitchHost;
beforeEach(async () => {
  host = await FreeswitchHost.make();
  host.fake("ufw", "echo Status: inactive");
  host.fake("systemctl", "echo active");
});
afterEach(() => host.remove());

const setUp = (more: Partial<DialInRequest> = {}, server = "7") =>
  host.script("dial-in.sh", ["--server", server], renderDialInRequest({ ...args, ...more }));
const remove = (server = "7") => host.script("dial-in.sh", ["--server", server, "--remove"]);
const there = (path: string) => existsSync(join(host.root, path));
const mode = (path: string) => (statSync(join(host.root, path)).mode & 0o777).toString(8);
const reloads = () => host.commands.filter((command) => !command.startsWith("sofia status"));

test("files are written for FreeSWITCH alone, which reads them without a restart", async () => {
  const { code, output } = await setUp();
  expect(output).toContain("the gateway is registered\n");
  expect(output).toContain("dial-in is set up\n");
  expect(code).toBe(0);
  expect(host.read(GATEWAY_FILE)).toContain(`<param name="password" value="${PASSWORD}"/>`);
  expect(host.read(DIALPLAN_FILE)).toContain("bbb-deploy-dial-in");
  expect([GATEWAY_FILE, DIALPLAN_FILE].map(mode)).toEqual(["640", "640"]);
  expect(mode(`${OWN}/record.json`)).toBe("600");
  expect(reloads()).toEqual(RELOAD);
  expect(output).not.toContain(PASSWORD);
  expect(output).not.toContain("ESLpassword");
  expect(host.called().join("\n")).not.toContain(PASSWORD);
  expect(host.called("systemctl")).toEqual([]);
});

test("a second run changes nothing, and asks FreeSWITCH for the gateway alone", async () => {
  await setUp();
  host.commands.length = 0;
  const { code, output } = await setUp();
  expect(code).toBe(0);
  expect(output).not.toContain("written");
  expect(new Set(host.commands)).toEqual(new Set(["sofia status gateway bbb-deploy"]));
});

test("another password goes to FreeSWITCH by a new gateway: it ignores one of a name that it has", async () => {
  await setUp();
  host.commands.length = 0;
  expect((await setUp({ password: "other" })).code).toBe(0);
  expect(reloads()).toEqual(["reloadxml", "sofia profile external killgw bbb-deploy", RELOAD[1]]);
});

test("after an upgrade that took the files away, or a restart without them, all is there again", async () => {
  await setUp();
  host.put(GATEWAY_FILE, "");
  host.known = false;
  expect((await setUp()).code).toBe(0);
  expect(host.read(GATEWAY_FILE)).toContain(PASSWORD);
  host.known = false;
  host.commands.length = 0;
  expect((await setUp()).code).toBe(0);
  expect(reloads()).toEqual(RELOAD);
});

test("a run that was cut off after the files is gone on with", async () => {
  host.lets = false;
  host.known = true;
  const { code, output } = await setUp();
  expect(code).toBe(1);
  expect(output).toMatch(/^FreeSWITCH does not let go of its gateway: see .*, then run pulumi up again/m);
  host.lets = true;
  host.commands.length = 0;
  expect((await setUp()).code).toBe(0);
  expect(reloads()).toEqual(["reloadxml", "sofia profile external killgw bbb-deploy", RELOAD[1]]);
  expect(there(`${OWN}/pending`)).toBe(false);
});

test.each([
  ["TRYING", "the gateway is not registered yet (TRYING)"],
  ["FAIL_WAIT", "the gateway is not registered yet (FAIL_WAIT)"],
])("a gateway that is %s is told of, and left to the check", async (state, told) => {
  host.state = state;
  const { code, output } = await setUp();
  expect(code).toBe(0);
  expect(output).toContain(told);
});

test("a trunk by address has no registration to wait for", async () => {
  host.state = "NOREG";
  const gateway = { host: "10.0.0.5", port: 5060, register: false };
  const { output } = await setUp({ gateway, password: undefined });
  expect(output).toContain("the gateway is there, without registration\n");
});

test("without FreeSWITCH the step fails with what to do", async () => {
  await host.stop();
  const { code, output } = await setUp();
  expect(code).toBe(1);
  expect(output).toMatch(
    /FreeSWITCH's event socket at port \d+ does not answer: Connection refused\. systemctl/,
  );
  expect(output).toContain("dial-in is not set up, for the reason above");
});

test("a refused password of the event socket is told, and not shown", async () => {
  host.remove();
  host = await FreeswitchHost.make("another");
  const { code, output } = await setUp();
  expect(code).toBe(1);
  expect(output).toContain("event socket refuses the password in /opt/freeswitch/etc/");
  expect(output).not.toContain("ESLpassword");
});

describe("ufw, where it filters", () => {
  const rule = (network: string) => `allow proto udp from ${network} to any port 5060`;
  const comment = " comment bbb-deploy: dial-in";
  beforeEach(() => host.fake("ufw", 'if [[ $1 == status ]]; then echo "Status: active"; fi'));

  test("lets in the networks, and those of before no longer", async () => {
    await setUp();
    expect(host.called("ufw")).toEqual([
      "ufw status",
      ...args.networks.map((network) => `ufw ${rule(network)}${comment}`),
    ]);
    host.forgetCalls();
    const { output } = await setUp({ networks: ["192.0.2.7/32"] });
    expect(host.called("ufw").slice(1)).toEqual([
      `ufw delete ${rule("198.51.100.0/24")}`,
      `ufw ${rule("192.0.2.7/32")}${comment}`,
    ]);
    expect(output).toContain("ufw lets calls in from 192.0.2.7/32\n");
    host.forgetCalls();
    await remove();
    expect(host.called("ufw").slice(1)).toEqual([`ufw delete ${rule("192.0.2.7/32")}`]);
  });

  test("fails the step with its words", async () => {
    host.fake("ufw", 'if [[ $1 == status ]]; then echo "Status: active"; else echo "ERROR: bad"; exit 1; fi');
    const { code, output } = await setUp();
    expect(code).toBe(1);
    expect(output).toMatch(/^ufw allow proto udp from \S+ to any port 5060 .* failed: ERROR: bad$/m);
  });
});

describe("the removal", () => {
  test("takes files and gateway away, and nothing beside them", async () => {
    await setUp();
    host.commands.length = 0;
    expect(await remove()).toMatchObject({
      code: 0,
      output: expect.stringContaining("dial-in is off\n") as string,
    });
    expect([GATEWAY_FILE, DIALPLAN_FILE, OWN].filter(there)).toEqual([]);
    expect(readdirSync(join(host.root, GATEWAY_FILE, ".."))).toEqual(["example.xml"]);
    expect(host.known).toBe(false);
    expect(reloads()).toEqual(["reloadxml", "sofia profile external killgw bbb-deploy"]);
    expect((await remove()).code).toBe(0);
  });

  test("for an old server leaves a newer one's alone", async () => {
    await setUp({}, "8");
    const { code, output } = await remove("7");
    expect(code).toBe(0);
    expect(output).toContain("that of a newer server");
    expect(there(GATEWAY_FILE)).toBe(true);
  });

  test("does not need FreeSWITCH, which forgets the gateway with its next start", async () => {
    await setUp();
    await host.stop();
    const { code, output } = await remove();
    expect(code).toBe(0);
    expect(output).toMatch(/does not answer: Connection refused: with its next start it forgets the gateway/);
    expect(there(GATEWAY_FILE)).toBe(false);
  });
});

describe("the check", () => {
  const ask = (more: Partial<DialInRequest> = {}): Promise<Record> =>
    check(
      host,
      "dial_in_check",
      "check_dial_in",
      host.root,
      JSON.parse(renderDialInCheck({ ...args, ...more })),
    );

  test("tells a registered gateway", async () => {
    await setUp();
    expect(await ask()).toMatchObject({ verdict: "ok", answer: "registered at sip.provider.example" });
  });

  test("tells drift by the file's name", async () => {
    await setUp();
    host.put(DIALPLAN_FILE, "<include/>\n");
    expect(await ask()).toMatchObject({
      verdict: "warn",
      answer:
        "/opt/freeswitch/etc/freeswitch/dialplan/public/bbb-deploy.xml is another than deployed; registered at sip.provider.example",
      remedy: "put it back: give the setting upgrade a new value, then pulumi up",
    });
  });

  test.each([
    ["FAIL_WAIT", "not registered at sip.provider.example: the registration failed, and is tried again"],
    ["TRYING", "not registered at sip.provider.example: it is registering"],
    ["STRANGE", "not registered at sip.provider.example: STRANGE"],
  ])("fails for a gateway that is %s, and says where to look", async (state, answer) => {
    await setUp();
    host.state = state;
    expect(await ask()).toMatchObject({
      ...{ verdict: "FAIL", answer },
      remedy: expect.stringContaining("dialIn.gateway.user and its password") as string,
    });
  });

  test("fails without gateway, files and livekit-sip, all at once", async () => {
    host.fake("systemctl", "echo failed");
    const { verdict, answer } = await ask({ line: "4.0" });
    expect(verdict).toBe("FAIL");
    expect(answer.split("; ")).toEqual([
      "/opt/freeswitch/etc/freeswitch/sip_profiles/external/bbb-deploy.xml is missing",
      "/opt/freeswitch/etc/freeswitch/dialplan/public/bbb-deploy.xml is missing",
      "FreeSWITCH has no gateway bbb-deploy",
      "livekit-sip is failed: callers reach no meeting",
    ]);
  });

  test("warns of a file that everybody can read", async () => {
    await setUp();
    chmodSync(join(host.root, GATEWAY_FILE), 0o644);
    expect(await ask()).toMatchObject({
      verdict: "warn",
      answer: expect.stringContaining("every user of this host can read") as string,
    });
  });

  test.each([
    ["UP", "ok", "10.0.0.5 answers, calls come by address"],
    ["DOWN", "warn", "10.0.0.5 does not answer FreeSWITCH's OPTIONS"],
  ])("asks a trunk whether it is there: %s", async (status, verdict, answer) => {
    const trunk = { gateway: { host: "10.0.0.5", port: 5060, register: false }, password: undefined };
    Object.assign(host, { state: "NOREG", status });
    await setUp(trunk);
    expect(await ask(trunk)).toMatchObject({ verdict, answer });
  });

  test("finds an ufw that stops the provider", async () => {
    await setUp();
    host.fake(
      "ufw",
      "printf '%s\\n' 'Status: active' '5060/udp   ALLOW   192.0.2.7   # bbb-deploy: dial-in'",
    );
    expect(await ask()).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringContaining("ufw on this host stops calls from 198.51.100.0/24;") as string,
      remedy: expect.stringContaining("ufw allow proto udp from 198.51.100.0/24 to any port 5060") as string,
    });
  });

  test("tells what it knows where another command does not answer", async () => {
    await setUp({ line: "4.0" });
    host.fake("systemctl", "exit 1");
    host.put(DIALPLAN_FILE, "<include/>\n");
    const { verdict, answer } = await ask({ line: "4.0" });
    expect(verdict).toBe("warn");
    expect(answer).toContain("bbb-deploy.xml is another than deployed; systemctl is-active said nothing");
    expect(answer).toContain("registered at sip.provider.example");
  });

  test("fails where FreeSWITCH can't be asked", async () => {
    await setUp();
    await host.stop();
    expect(await ask()).toMatchObject({
      verdict: "FAIL",
      answer: expect.stringMatching(/^nobody knows whether calls come: FreeSWITCH's event socket/) as string,
    });
  });
});
