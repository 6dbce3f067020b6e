import {
  clearCredentials,
  clearGreenlight,
  environmentWarnings,
  prefixWarnings,
} from "../../settings/warnings";

const prefixes = (...keys: string[]) =>
  prefixWarnings(Object.fromEntries(keys.map((key) => [key, "x"])), "bigbluebutton").map(
    (text) => text.split(" ")[0],
  );

test("a setting under another prefix, or anything under one that is nearly the project's", () => {
  expect(prefixes("bbb:environment", "bigbluebuton:anything", "BigBlueButton:domain")).toEqual([
    "bbb:environment",
    "bigbluebuton:anything",
    "BigBlueButton:domain",
  ]);
});

test("providers' settings, those of other programs and the project's own are none of these", () => {
  expect(
    prefixes(
      "domain",
      "bigbluebutton:domain",
      "hcloud:location",
      "aws:protect",
      "pulumi:tags",
      "grafana:url",
    ),
  ).toEqual([]);
});

test.each(["test", "test-k3x9q2", "Test"])("a stack %s is what it is called", (stack) => {
  expect(environmentWarnings({}, stack)).toEqual([]);
});

test.each(["prod", "school", "contest"])("a stack %s without an environment is told what it is", (stack) => {
  for (const settings of [{}, { environment: "" }, { environment: null }]) {
    expect(environmentWarnings(settings, stack)).toEqual([
      expect.stringContaining(`the stack "${stack}" is a test deployment: nothing of it is protected`),
    ]);
  }
  expect(environmentWarnings({ environment: "prod" }, stack)).toEqual([]);
});

test("credentials of either cloud are no settings in clear", () => {
  const all = { "hcloud:token": "a", "aws:secretKey": "b", "aws:region": "c" };
  expect(clearCredentials(all, () => false).map(({ key }) => key)).toEqual(["hcloud:token", "aws:secretKey"]);
  expect(clearCredentials(all, (key) => key === "hcloud:token").map(({ key }) => key)).toEqual([
    "aws:secretKey",
  ]);
});

test("Greenlight's secrets in clear are refused, each by its own key", () => {
  const value = JSON.stringify({ smtp: { password: "p" }, openidConnect: { clientSecret: "s" } });
  expect(clearGreenlight({ value, isSecret: false })).toEqual([
    expect.objectContaining({
      key: "greenlight.smtp.password",
      remedy: expect.stringContaining("--secret --path 'greenlight.smtp.password'") as string,
    }),
    expect.objectContaining({ key: "greenlight.openidConnect.clientSecret" }),
  ]);
  expect(clearGreenlight({ value, isSecret: true })).toEqual([]);
  for (const other of ["true", true, undefined, '{"smtp":{"server":"mail.school.eu"}}', "no JSON"]) {
    expect(clearGreenlight({ value: other, isSecret: false })).toEqual([]);
  }
});
