import { execFileSync } from "node:child_process";

import {
  DEFAULT_GREETING,
  dialInKeys,
  dialInPaths,
  dialInPorts,
  renderDialInCheck,
  renderDialInRequest,
  renderDialplan,
  renderGateway,
} from "../../bigbluebutton/dialIn";
import { ownedKeysOf, textsFor } from "../../bigbluebutton/optionGroups";

const registering = { host: "sip.provider.example", port: 5060, register: true, user: "4930" };
const trunk = { host: "10.0.0.5", port: 5070, register: false };
const plan = { networks: ["198.51.100.0/24", "192.0.2.7/32"], ipv4: "203.0.113.10" };

test("a gateway that registers", () => {
  expect(renderGateway(registering, "Zq3vT8mW")).toBe(`<include>
  <gateway name="bbb-deploy">
    <param name="proxy" value="sip.provider.example"/>
    <param name="realm" value="sip.provider.example"/>
    <param name="username" value="4930"/>
    <param name="password" value="Zq3vT8mW"/>
    <param name="register" value="true"/>
    <param name="context" value="public"/>
  </gateway>
</include>
`);
});

test("a trunk by address has no account, is asked whether it is there, and may have another port", () => {
  expect(renderGateway(trunk)).toBe(`<include>
  <gateway name="bbb-deploy">
    <param name="proxy" value="10.0.0.5:5070"/>
    <param name="realm" value="10.0.0.5"/>
    <param name="username" value="not-used"/>
    <param name="password" value="not-used"/>
    <param name="register" value="false"/>
    <param name="ping" value="30"/>
    <param name="context" value="public"/>
  </gateway>
</include>
`);
});

/** Value of a parameter, read by another parser of XML. */
function valueOf(text: string, name: string): string {
  const code =
    "import sys; from xml.etree import ElementTree as e; r = e.fromstring(sys.stdin.buffer.read())";
  const find = `${code}; sys.stdout.buffer.write(r.find(".//param[@name='${name}']").get("value").encode())`;
  return execFileSync("/usr/bin/python3", ["-c", find], { input: text, encoding: "utf8" });
}

test.each([
  `a"b'c<d>&e`,
  "Grüße 👋 مرحبا",
  "$${local_ip_v4}",
  "${pin}",
  "<!--#include /etc/passwd-->",
  "&amp;$$&#36;&",
])("the password %j arrives as it is, and FreeSWITCH puts no value into it", (password) => {
  const text = renderGateway(registering, password);
  expect(valueOf(text, "password")).toBe(password);
  expect(text).not.toContain("$");
  expect(text).not.toContain("<!--");
});

const asks = (sound: string) =>
  `      <action application="set" data="pin="/>
      <action application="play_and_get_digits" data="5 11 3 20000 # conference/${sound}.wav ivr/ivr-that_was_an_invalid_entry.wav pin \\d+ 5000"/>
`;
const again = (attempt: number) => `  <extension name="bbb-deploy-again-${attempt}">
    <condition field="destination_number" expression="^bbb-deploy-(join|again)-${attempt}$">
${asks("conf-bad-pin")}      <action application="transfer" data="bbb-deploy-join-${attempt + 1} XML public"/>
    </condition>
  </extension>
`;
const conference = `  <extension name="bbb-deploy-conference">
    <condition field="destination_number" expression="^bbb-deploy-join-(\\d)$"/>
    <condition field="\${pin}" expression="^\\d{5,11}$"/>
    <condition field="\${conference(\${pin} list)}" expression="sofia/">
      <action application="set" data="bbb_authorized=true"/>
      <action application="transfer" data="\${pin} XML default"/>
    </condition>
  </extension>
`;
const livekit = `  <extension name="bbb-deploy-livekit">
    <condition field="\${pin}" expression="^\\d{5,11}$"/>
    <condition field="destination_number" expression="^bbb-deploy-join-(\\d)$">
      <action application="set" data="continue_on_fail=true"/>
      <action application="set" data="hangup_after_bridge=true"/>
      <action application="bridge" data="sofia/external/\${pin}@203.0.113.10:5062"/>
      <action application="transfer" data="bbb-deploy-again-$1 XML public"/>
    </condition>
  </extension>
`;
const rest = `${again(1)}${again(2)}  <extension name="bbb-deploy-give-up">
    <condition field="destination_number" expression="^bbb-deploy-(join|again)-\\d$">
      <action application="playback" data="ivr/ivr-that_was_an_invalid_entry.wav"/>
      <action application="hangup" data="NORMAL_CLEARING"/>
    </condition>
  </extension>
  <extension name="bbb-deploy-dial-in">
    <condition regex="any">
      <regex field="\${acl(\${network_addr} 198.51.100.0/24)}" expression="^true$"/>
      <regex field="\${acl(\${network_addr} 192.0.2.7/32)}" expression="^true$"/>
      <action application="answer"/>
      <action application="start_dtmf"/>
      <action application="sleep" data="1000"/>
${asks("conf-pin")}      <action application="transfer" data="bbb-deploy-join-1 XML public"/>
    </condition>
  </extension>
`;

test("3.0 has FreeSWITCH's conferences alone, 4.0 meetings in LiveKit beside them", () => {
  expect(renderDialplan({ line: "3.0", ...plan })).toBe(`<include>\n${conference}${rest}</include>\n`);
  expect(renderDialplan({ line: "4.0", ...plan })).toBe(
    `<include>\n${conference}${livekit}${rest}</include>\n`,
  );
});

test("the port of SIP is open to the provider's networks alone", () => {
  expect(dialInPorts(plan.networks)).toEqual([
    {
      ...{ protocol: "udp", from: 5060, to: 5060, sources: plan.networks },
      role: "SIP: calls from the telephone provider only",
    },
  ]);
});

test("keys of BigBlueButton's files, those that are set", () => {
  const number = "+49 30 123456";
  expect(dialInKeys({ number, livekit: false })).toEqual([
    { file: "web", key: "defaultDialAccessNumber", value: number, setting: "dialIn.number" },
  ]);
  expect(
    dialInKeys({ number, greeting: DEFAULT_GREETING, pinDigits: 9, livekit: true }).map(
      ({ file, key, value }) => [file, key, value],
    ),
  ).toEqual([
    ["web", "defaultDialAccessNumber", number],
    ["web", "defaultWelcomeMessageFooter", DEFAULT_GREETING],
    ["web", "defaultNumDigitsForTelVoice", "9"],
    ["sfu", "livekit.sip.enabled", true],
  ]);
});

test("they are owned like those of other settings, with a text for duringMeetings", () => {
  const dialIn = { number: "123", livekit: true };
  expect(ownedKeysOf({ dialIn })?.files.map(({ path }) => path)).toEqual([
    "/etc/bigbluebutton/bbb-webrtc-sfu/production.yml",
    "/etc/bigbluebutton/bbb-web.properties",
  ]);
  expect(textsFor({ dialIn })).toMatch(/^dialIn=dialIn-[0-9a-f]{8}$/);
});

test("the request has the files, and the check their digests without a password", () => {
  const args = { line: "4.0", ...plan, gateway: registering, password: "Zq3vT8mW" } as const;
  const request = renderDialInRequest(args);
  expect(request).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(request)).toEqual({
    ...{ gateway: "bbb-deploy", register: true, networks: plan.networks },
    files: [
      { path: dialInPaths.gateway, text: renderGateway(registering, "Zq3vT8mW") },
      { path: dialInPaths.dialplan, text: renderDialplan(args) },
    ],
  });
  const check = renderDialInCheck(args);
  expect(check).not.toContain("Zq3vT8mW");
  expect(JSON.parse(check)).toMatchObject({
    ...{ gateway: "bbb-deploy", host: registering.host, register: true, livekit: true },
    files: [
      { path: dialInPaths.gateway, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
      { path: dialInPaths.dialplan },
    ],
  });
  expect(renderDialInCheck({ ...args, password: "another" })).not.toBe(check);
});
