import { clearCredentials, clearEntries } from "../../settings/clearSecrets";

const none = () => false;

test("credentials of either cloud are no settings in clear", () => {
  const all = { "hcloud:token": "a", "aws:secretKey": "b", "aws:region": "c" };
  expect(clearCredentials(all, none).map(({ key }) => key)).toEqual(["hcloud:token", "aws:secretKey"]);
  expect(clearCredentials(all, (key) => key === "hcloud:token").map(({ key }) => key)).toEqual([
    "aws:secretKey",
  ]);
});

test.each([
  ["alerts", { email: { server: "mail.school.eu", password: "Zq3vT8mW" } }, ["email.password"]],
  [
    "backup",
    { to: "s3:https://a.eu/b", accessKeyId: "id", secretAccessKey: "Zq3vT8mW", sshKey: "-", password: "x" },
    ["secretAccessKey", "sshKey", "password"],
  ],
  [
    "greenlight",
    { smtp: { password: "Zq3vT8mW" }, openidConnect: { clientSecret: "s" } },
    ["smtp.password", "openidConnect.clientSecret"],
  ],
  ["dialIn", { number: "+49 30 1", gateway: { password: "Zq3vT8mW" } }, ["gateway.password"]],
])("secrets of %s in clear are refused, each by its own key, and not shown", (key, value, entries) => {
  const keys = entries.map((entry) => `${key}.${entry}`);
  for (const written of [value, JSON.stringify(value)]) {
    const found = clearEntries({ [key]: written }, none);
    expect(found.map((one) => one.key)).toEqual(keys);
    expect(found[0]!.remedy).toContain(`--secret --path '${keys[0]}'`);
    expect(JSON.stringify(found)).not.toContain("Zq3vT8mW");
    expect(clearEntries({ [key]: written }, (entry) => entry === keys[0]).map((one) => one.key)).toEqual(
      keys.slice(1),
    );
  }
});

test.each(["true", true, undefined, '{"smtp":{"server":"mail.school.eu"}}', "no JSON"])(
  "%j holds no secret",
  (value) => expect(clearEntries({ greenlight: value }, none)).toEqual([]),
);
