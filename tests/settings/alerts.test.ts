import * as pulumi from "@pulumi/pulumi";

import { parseSettings, type Settings } from "../../settings";
import { loadSettings } from "../../settings/configuration";
import { SettingsError } from "../../settings/problems";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const at = { project: "bigbluebutton", stack: "test" };
const email = { to: "admin@school.eu", from: "bbb@school.eu", server: "smtp.school.eu" };
const webhook = { url: "https://hooks.school.eu/x", form: "slack" };

const settings = (alerts: unknown, more: object = {}): Settings =>
  parseSettings({ ...required, ...more, alerts }, at);

function problemsOf(alerts: unknown, more: object = {}): string[] {
  try {
    settings(alerts, more);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason, remedy }) => `${key} ${reason} → ${remedy}`);
  }
  return [];
}

async function valueOf(alerts: unknown): Promise<unknown> {
  const output = settings(JSON.stringify(alerts)).alerts!;
  expect(await pulumi.isSecret(output)).toBe(true);
  return new Promise((resolve) => output.apply(resolve));
}

test("a list of addresses or one, and the port for submission; all of it a secret from here on", async () => {
  expect(await valueOf({ email })).toEqual({ email: { ...email, to: ["admin@school.eu"], port: 587 } });
  const more = { to: ["a@school.eu", "b@school.eu"], port: 465, user: "bbb", password: "x" };
  const all = {
    ...{ email: { ...email, ...more }, webhook },
    ...{ healthcheckUrl: "https://hc.eu/1", turnHealthcheckUrl: "https://hc.eu/2" },
  };
  expect(await valueOf(all)).toEqual(all);
});

test.each([undefined, "", {}, "{}"])("nobody is told without the setting: %j", (alerts) => {
  expect(settings(alerts).alerts).toBeUndefined();
});

test("all mistakes at once, each at its place, with the nearest known key", () => {
  expect(
    problemsOf({
      email: { to: ["a@school.eu", "b"], from: "c", sever: "x", port: 99999, user: "u" },
      webhook: { url: "http://a.eu", form: "teams", kind: 1 },
      healthcheckURL: "https://hc.eu/1",
    }),
  ).toEqual([
    `alerts.email.to[1] "b" is not an e-mail address → pulumi config set --path 'alerts.email.to[0]' admin@school.eu`,
    `alerts.email.from "c" is not an e-mail address → pulumi config set --path 'alerts.email.from' bbb@school.eu`,
    "alerts.email.server is not set → pulumi config set --path 'alerts.email.server' smtp.school.eu",
    "alerts.email.port is 99999; a port is 1 to 65535 → pulumi config set --path 'alerts.email.port' 587",
    "alerts.email.sever is no setting; did you mean server? → pulumi config rm --path 'alerts.email.sever'",
    "alerts.webhook.url must be an https URL → pulumi config set --secret --path 'alerts.webhook.url'",
    `alerts.webhook.form must be slack, matrix, ntfy or json, not "teams" → pulumi config set --path 'alerts.webhook.form' slack`,
    "alerts.webhook.kind is no setting; there are url, form → pulumi config rm --path 'alerts.webhook.kind'",
    "alerts.healthcheckURL is no setting; did you mean healthcheckUrl? → pulumi config rm --path 'alerts.healthcheckURL'",
    "alerts.email.password is not set, though email.user is: the two go together → pulumi config set --secret --path 'alerts.email.password'",
  ]);
});

test.each([
  ["a text", "alerts must be an object of email, webhook, healthcheckUrl, turnHealthcheckUrl"],
  [{ turnHealthcheckUrl: "https://hc.eu/1" }, "alerts has no way to tell anybody"],
  [{ email: { ...email, password: "x" } }, "alerts.email.user is not set, though email.password is"],
  [{ email: { ...email, to: [] } }, "alerts.email.to must have an address in it"],
  [{ email: { ...email, to: 7 } }, "alerts.email.to must be an e-mail address or a list of such"],
  [{ email: { ...email, port: "587" } }, "alerts.email.port must be a whole number, e.g. 587"],
  [
    { email: { ...email, server: "smtp://school.eu:587" } },
    'alerts.email.server "smtp://school.eu:587" is not the name',
  ],
  [{ email: 1 }, "alerts.email must be an object of to, from, server, port, user, password"],
  [
    { healthcheckUrl: "https://hc.eu/1", turnHealthcheckUrl: "https://hc.eu/1" },
    "alerts.turnHealthcheckUrl is healthcheckUrl also",
  ],
])("what can't work is refused: %j", (alerts, told) => {
  expect(problemsOf(alerts)).toEqual([expect.stringContaining(told)]);
});

test("another stack's TURN server has alerts of its own", () => {
  const both = { healthcheckUrl: "https://hc.eu/1", turnHealthcheckUrl: "https://hc.eu/2" };
  expect(problemsOf(both, { turnStack: "prod" })).toEqual([
    "alerts.turnHealthcheckUrl is set, but the TURN server is that of stack prod (turnStack), which has alerts of its own → " +
      "pulumi config rm --path 'alerts.turnHealthcheckUrl'",
  ]);
});

describe("secrets in the stack's settings", () => {
  const warned = jest.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
  beforeEach(() => warned.mockClear());
  const load = (alerts: object, secrets: string[] = []) => {
    const values = Object.entries({ ...required, environment: "test", alerts });
    const config = Object.fromEntries(
      values.map(([key, value]) => [
        `project:${key}`,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    );
    pulumi.runtime.setAllConfig(config, secrets);
    process.env.PULUMI_CONFIG_SECRET_KEYS = JSON.stringify(secrets);
    return loadSettings();
  };
  const withPassword = { email: { ...email, user: "bbb", password: "Zq3vT8mW" } };
  afterAll(() => {
    delete process.env.PULUMI_CONFIG_SECRET_KEYS;
    warned.mockRestore();
  });

  test("a password in clear is refused, and not shown", () => {
    expect(() => load(withPassword)).toThrow(
      /alerts\.email\.password is in clear .*\n.*--secret --path 'alerts\.email\.password'/,
    );
    expect(() => load(withPassword)).not.toThrow(/Zq3vT8mW/);
    expect(() => load(withPassword, ["project:alerts"])).not.toThrow();
  });

  test("a webhook's URL in clear is warned of", () => {
    load({ webhook });
    expect(warned.mock.calls.flat().join()).toContain("alerts.webhook.url is in clear");
    warned.mockClear();
    load({ webhook }, ["project:alerts"]);
    expect(warned).not.toHaveBeenCalled();
  });
});
