import { parseSettings } from "../../settings";
import { SettingsError } from "../../settings/problems";

const context = { project: "bigbluebutton", stack: "prod" };
const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };

const read = (greenlight: unknown) => parseSettings({ ...required, greenlight }, context).greenlight;

function refusal(greenlight: unknown): string {
  try {
    read(greenlight);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

test.each([
  [undefined, undefined],
  [false, undefined],
  ["false", undefined],
  [{}, undefined],
  [true, {}],
  ["true", {}],
])("%p", (given, wanted) => {
  expect(read(given)).toEqual(wanted);
});

test("an object, as a program gives it and as text of the CLI", () => {
  const given = {
    admin: { name: "Ada Lovelace", email: "Ada@School.EU" },
    registration: "invite",
    defaultRole: "Teacher",
    roomLimit: 5,
  };
  const wanted = { ...given, admin: { name: "Ada Lovelace", email: "ada@school.eu" } };
  expect(read(given)).toEqual(wanted);
  expect(read(JSON.stringify(given))).toEqual(wanted);
});

test("the administrator's name can be left out", () => {
  expect(read({ admin: { email: "ada@school.eu" } })).toEqual({
    admin: { name: "Administrator", email: "ada@school.eu" },
  });
});

test("all mistakes at once, each with its own place", () => {
  const wrong = {
    admin: { nam: "Ada", email: "ada@localhost" },
    registraton: "open",
    registration: "closed",
    colour: "red",
    roomLimit: 101,
  };
  expect(refusal(wrong)).toBe(`6 problems in the settings of the stack "prod"; nothing was changed.

  bigbluebutton:greenlight.admin.email "ada@localhost" is no address that Greenlight takes
    → pulumi config set --path 'greenlight.admin.email' YOUR-ADDRESS

  bigbluebutton:greenlight.admin.nam is no setting; did you mean name?
    → pulumi config rm --path 'greenlight.admin.nam'

  bigbluebutton:greenlight.registration must be open, invite or approval, not "closed"
    → pulumi config set --path 'greenlight.registration' VALUE

  bigbluebutton:greenlight.roomLimit is 101; Greenlight's limit is 0 to 100
    → pulumi config set --path 'greenlight.roomLimit' VALUE

  bigbluebutton:greenlight.registraton is no setting; did you mean registration?
    → pulumi config rm --path 'greenlight.registraton'

  bigbluebutton:greenlight.colour is no setting; there are admin, version, smtp, openidConnect, registration, defaultRole, roomLimit
    → pulumi config rm --path 'greenlight.colour'
`);
});

test.each([
  [{ admin: {} }, "greenlight.admin.email is not set"],
  [{ admin: "ada@school.eu" }, "greenlight.admin must be an object of name, email"],
  [{ admin: { email: 7 } }, "greenlight.admin.email must be a text"],
  [{ roomLimit: 2.5 }, "greenlight.roomLimit must be a whole number of rooms"],
  [["admin"], "greenlight must be true or false, or an object"],
  ["yes", "greenlight must be true or false, or an object"],
])("%j is refused", (given, reason) => {
  expect(refusal(given)).toContain(`bigbluebutton:${reason}\n`);
});

const smtp = { server: "mail.school.eu", user: "greenlight", password: "p$ss #1", sender: "bbb@school.eu" };
const openidConnect = {
  issuer: "https://id.school.eu/realms/school",
  clientId: "greenlight",
  clientSecret: "s",
};

test("mail and OpenID Connect, with what is not said", () => {
  expect(read({ smtp, openidConnect })).toEqual({
    smtp: { ...smtp, port: 587 },
    openidConnect: { ...openidConnect, matchByEmail: false },
  });
});

test.each([
  [
    { smtp: { ...smtp, server: "https://mail.school.eu" } },
    'smtp.server "https://mail.school.eu" is a URL, not a DNS name',
  ],
  [{ smtp: { ...smtp, port: 0 } }, "smtp.port is 0; a port is 1 to 65535"],
  [{ smtp: { ...smtp, password: undefined } }, "smtp has a user without a password"],
  [{ smtp: { ...smtp, user: undefined } }, "smtp has a password without a user"],
  [{ smtp: { ...smtp, sender: "bbb" } }, 'smtp.sender "bbb" is no address that Greenlight takes'],
  [{ smtp: { ...smtp, password: "it's" } }, "smtp.password has a ' or a line break in it"],
  [{ smtp: { ...smtp, security: "ssl" } }, 'smtp.security must be starttls, tls or none, not "ssl"'],
  [{ smtp: {} }, "smtp.server is not set"],
  [{ version: "v3" }, 'greenlight.version "v3" is no version of Greenlight 3'],
  [{ version: "2.14.8" }, "is no version of Greenlight 3"],
  [
    { openidConnect: { ...openidConnect, issuer: `${openidConnect.issuer}/` } },
    'openidConnect.issuer "https://id.school.eu/realms/school/" ends with a /',
  ],
  [{ openidConnect: { ...openidConnect, issuer: "http://id.school.eu" } }, "is not an https URL"],
  [
    { openidConnect: { ...openidConnect, clientsecret: "x" } },
    "openidConnect.clientsecret is no setting; did you mean clientSecret?",
  ],
  [{ openidConnect, admin: { email: "a@school.eu" } }, "greenlight has admin beside openidConnect"],
])("%j is refused", (given, reason) => {
  expect(refusal(given)).toContain(reason);
});

test("an administrator beside a provider that knows it by its address", () => {
  expect(
    read({ openidConnect: { ...openidConnect, matchByEmail: true }, admin: { email: "a@school.eu" } }),
  ).toMatchObject({
    openidConnect: { matchByEmail: true },
  });
});
