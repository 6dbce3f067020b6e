import * as pulumi from "@pulumi/pulumi";

import { DEFAULT_GREETING } from "../../bigbluebutton/dialIn";
import { parseSettings, type Settings } from "../../settings";
import { SettingsError } from "../../settings/problems";
import { asArguments } from "../../settings/remedies";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const at = { project: "bigbluebutton", stack: "test" };
const gateway = { host: "sip.provider.example", user: "4930", password: "Zq3vT8mW" };
const dialIn = { number: "+49 30 123456", networks: ["198.51.100.0/24"], gateway };

const settings = (value: unknown, more: object = {}): Settings =>
  parseSettings({ ...required, ...more, dialIn: value }, at);

function problemsOf(value: unknown, more: object = {}): string[] {
  try {
    settings(value, more);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason, remedy }) => `${key} ${reason} → ${remedy}`);
  }
  return [];
}

test.each([undefined, "", {}, "{}"])("there is none without the setting: %j", (value) => {
  const read = settings(value);
  expect(read.dialIn).toBeUndefined();
  expect(read.groups).toEqual({});
});

test("defaults are filled in, and the password is a secret", async () => {
  const { dialIn: read, groups } = settings(JSON.stringify(dialIn));
  const { password, ...plain } = read!;
  expect(plain).toEqual({
    networks: ["198.51.100.0/24"],
    gateway: { host: "sip.provider.example", port: 5060, register: true, user: "4930" },
  });
  expect(await pulumi.isSecret(password!)).toBe(true);
  expect(await new Promise((resolve) => password!.apply(resolve))).toBe("Zq3vT8mW");
  expect(groups).toEqual({
    dialIn: { number: "+49 30 123456", greeting: DEFAULT_GREETING, livekit: false },
  });
});

test("all entries, in the forms that the CLI stores", () => {
  const { dialIn: read, groups } = settings(
    {
      ...{ number: 7700, networks: "192.0.2.7", pinDigits: 9, greeting: "Grüß: %%DIALNUM%%" },
      gateway: { host: "10.0.0.5", port: 5070, register: false },
    },
    { release: "noble-40" },
  );
  expect(read).toEqual({
    ...{ networks: ["192.0.2.7/32"], gateway: { host: "10.0.0.5", port: 5070, register: false } },
  });
  expect(groups.dialIn).toEqual({
    ...{ number: "7700", greeting: "Grüß: %%DIALNUM%%", pinDigits: 9, livekit: true },
  });
});

test("a private telephone system is good, addresses become networks, and none is named twice", () => {
  const networks = ["10.0.0.0/8", "192.0.2.7", "192.0.2.7/32"];
  expect(settings({ ...dialIn, networks }).dialIn?.networks).toEqual(["10.0.0.0/8", "192.0.2.7/32"]);
});

test("all mistakes at once, each at its place, and no password in them", () => {
  const wrong = {
    number: "<b>call</b>",
    networks: ["0.0.0.0/0", "2001:db8::/32", "198.51.100.1/24", "provider", 7],
    gateway: {
      host: "sip:x.example",
      prt: 1,
      port: 99999,
      register: "yes",
      user: "",
      password: "Zq3\nvT8mW",
    },
    pinDigits: 4,
    greeting: "x".repeat(1001),
    numbr: 1,
  };
  expect(problemsOf(wrong)).toEqual([
    `dialIn.number "<b>call</b>" must have 3 to 40 letters, digits, blanks and + ( ) . / - → pulumi config set --path 'dialIn.number' "+49 30 123456"`,
    `dialIn.networks[0] "0.0.0.0/0" is larger than a /8: everybody in there could try out numbers of meetings → pulumi config set --path 'dialIn.networks[0]' PROVIDER-ADDRESS`,
    `dialIn.networks[1] "2001:db8::/32" is IPv6; BigBlueButton's FreeSWITCH takes calls over IPv4 → pulumi config set --path 'dialIn.networks[1]' PROVIDER-ADDRESS`,
    `dialIn.networks[2] "198.51.100.1/24" has bits set behind its prefix → pulumi config set --path 'dialIn.networks[2]' 198.51.100.0/24`,
    `dialIn.networks[3] "provider" is not a network in CIDR form → pulumi config set --path 'dialIn.networks[3]' PROVIDER-ADDRESS`,
    "dialIn.networks[4] must be a text → pulumi config set --path 'dialIn.networks[4]' PROVIDER-ADDRESS",
    `dialIn.gateway.host "sip:x.example" is not a DNS name: "sip:x" must be 1 to 63 letters, digits and inner hyphens → pulumi config set --path 'dialIn.gateway.host' sip.provider.example`,
    "dialIn.gateway.port is 99999; a port is 1 to 65535 → pulumi config set --path 'dialIn.gateway.port' 5060",
    "dialIn.gateway.register must be true or false → pulumi config set --path 'dialIn.gateway.register' false",
    "dialIn.gateway.user is empty → pulumi config set --path 'dialIn.gateway.user' 4930123456",
    "dialIn.gateway.password has a line break or another control character in it → pulumi config set --secret --path 'dialIn.gateway.password'",
    "dialIn.gateway.prt is no setting; did you mean port? → pulumi config rm --path 'dialIn.gateway.prt'",
    "dialIn.pinDigits is 4; BigBlueButton's dialplan takes 5 to 11 → pulumi config set --path 'dialIn.pinDigits' 9",
    `dialIn.greeting is longer than 1000 characters → pulumi config set --path 'dialIn.greeting' "TEXT"`,
    "dialIn.numbr is no setting; did you mean number? → pulumi config rm --path 'dialIn.numbr'",
  ]);
});

test.each([
  ["a text", "dialIn must be an object of number, networks, gateway, pinDigits, greeting"],
  [{ ...dialIn, number: undefined }, "dialIn.number is not set"],
  [{ ...dialIn, number: "call us" }, 'dialIn.number "call us" has no digit'],
  [{ ...dialIn, networks: undefined }, "dialIn.networks is not set"],
  [{ ...dialIn, networks: [] }, "dialIn.networks must have an address or network in it"],
  [{ ...dialIn, networks: Array.from({ length: 17 }, (_, i) => `192.0.2.${i}`) }, "has more than 16"],
  [{ ...dialIn, gateway: undefined }, "dialIn.gateway must be an object of host, port,"],
  [{ ...dialIn, gateway: { ...gateway, host: "sip.x.example:5080" } }, "has a port in it, which is an entry"],
  [{ ...dialIn, gateway: { ...gateway, host: "2001:db8::1" } }, 'dialIn.gateway.host "2001:db8::1" is IPv6'],
  [
    { ...dialIn, gateway: { host: gateway.host, user: "4930" } },
    "dialIn.gateway.password is not set, without which nobody can register → pulumi config set --secret --path 'dialIn.gateway.password', or pulumi config set --path 'dialIn.gateway.register' false",
  ],
  [{ ...dialIn, gateway: { host: gateway.host, password: "x" } }, "dialIn.gateway.user is not set, without"],
  [
    { ...dialIn, gateway: { host: gateway.host, register: false, user: "4930" } },
    "dialIn.gateway.user is set, but gateway.register is false",
  ],
])("what can't work is refused: %j", (value, told) => {
  expect(problemsOf(value)).toEqual([expect.stringContaining(told)]);
});

test("a release whose dialplan is not known refuses it", () => {
  expect(problemsOf(dialIn, { release: "focal-27", allowEndOfLife: true })).toContainEqual(
    expect.stringContaining("dialIn is set, but is for BigBlueButton 3.0 and 4.0; release is focal-27, 2.7,"),
  );
});

test("another text below the welcome text stands, unless both are asked for", () => {
  const meetings = { welcomeFooter: "Hilfe: 4711" };
  expect(settings(dialIn, { meetings }).groups.dialIn).toEqual({ number: "+49 30 123456", livekit: false });
  const overrides = { web: { defaultWelcomeMessageFooter: "Hilfe" } };
  expect(settings(dialIn, { overrides }).groups.dialIn?.greeting).toBeUndefined();
  expect(problemsOf({ ...dialIn, greeting: "Telefon" }, { meetings })).toEqual([
    "dialIn.greeting is a key that meetings.welcomeFooter sets → leave out one of both: pulumi config rm --path 'meetings.welcomeFooter'",
  ]);
  expect(problemsOf(dialIn, { overrides: { web: { defaultDialAccessNumber: "1" } } })).toEqual([
    expect.stringContaining("dialIn.number is a key that overrides.web.defaultDialAccessNumber sets"),
  ]);
});

test("its networks take room in a security group", () => {
  const sshNetworks = Array.from({ length: 54 }, (_, i) => `198.51.100.${i}/32`);
  const more = { sshNetworks, cloud: "aws" };
  expect(problemsOf(undefined, more)).toEqual([]);
  const networks = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
  expect(problemsOf({ ...dialIn, networks }, more)).toEqual([expect.stringContaining("has room for 52")]);
});

test("advice with a quoted value is good for a program", () => {
  expect(asArguments(`pulumi config set --path 'dialIn.number' "+49 30 123456"`)).toBe(
    'dialIn.number: "+49 30 123456"',
  );
});
