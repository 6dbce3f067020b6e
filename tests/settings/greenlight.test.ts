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

  bigbluebutton:greenlight.colour is no setting; there are admin, registration, defaultRole, roomLimit
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
