import { environmentWarnings, prefixWarnings } from "../../settings/warnings";

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
