import { parseSettings, type Settings } from "../../settings";
import { environments, type EnvironmentName } from "../../settings/environments";
import { SettingsError } from "../../settings/problems";

const required = {
  domain: "example.org",
  email: "admin@school.org",
  sshNetworks: ["198.51.100.7/32"],
  recordingsGb: 10,
};
const at = { project: "bigbluebutton", stack: "any" };

function settings(raw: Record<string, unknown>): Settings {
  return parseSettings({ ...required, ...raw }, at);
}

function problems(raw: Record<string, unknown>): (readonly [string, string, string])[] {
  try {
    settings(raw);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason, remedy }) => [key, reason, remedy] as const);
  }
}

const protection = ({ protected: servers, recordings, backups }: Settings) => [
  servers,
  recordings?.kind === "new" ? recordings.protected : undefined,
  backups,
];

test("an environment decides what is protected and backed up", () => {
  expect(protection(settings({ environment: "test" }))).toEqual([false, false, false]);
  expect(protection(settings({ environment: "staging" }))).toEqual([false, true, false]);
  expect(protection(settings({ environment: "prod" }))).toEqual([true, true, true]);
});

test.each([true, "true"])("each can be asked for by itself, as %p", (yes) => {
  expect(protection(settings({ protect: yes }))).toEqual([true, false, false]);
  expect(protection(settings({ protectRecordings: yes }))).toEqual([false, true, false]);
  expect(protection(settings({ backups: yes }))).toEqual([false, false, true]);
});

test("and be done without, where the environment is not strict", () => {
  expect(protection(settings({ environment: "staging", protectRecordings: "false" }))).toEqual([
    false,
    false,
    false,
  ]);
});

test("what is neither true nor false is refused", () => {
  expect(problems({ protect: "yes" })).toEqual([
    ["protect", 'must be true or false, not "yes"', expect.stringContaining("config rm protect")],
  ]);
});

describe("prod refuses", () => {
  const cases: [string, Record<string, unknown>, string, string, string][] = [
    ["protect off", { protect: "false" }, "protect", "is false", "config rm protect"],
    ["open recordings", { protectRecordings: false }, "protectRecordings", "is false", "environment staging"],
    ["no backups", { backups: "false" }, "backups", "is false", "config rm backups"],
    ["end-of-life releases", { allowEndOfLife: true }, "allowEndOfLife", "is true", "supported"],
    ["staging certificates", { acmeServer: "staging" }, "acmeServer", "browsers", "acmeServer production"],
    ["SSH from all of IPv4", { sshNetworks: ["0.0.0.0/0"] }, "sshNetworks", "0.0.0.0/0", "YOUR-ADDRESS"],
    [
      "SSH from all of IPv6",
      { sshNetworks: ["198.51.100.7/32", "::/0"] },
      "sshNetworks",
      "::/0",
      "YOUR-ADDRESS",
    ],
    [
      "SSH from everywhere in two halves",
      { sshNetworks: ["0.0.0.0/1", "128.0.0.0/1"] },
      "sshNetworks",
      "has networks that are together 100 % of all IPv4 addresses",
      "YOUR-ADDRESS",
    ],
    ["SSH from three /8", { sshNetworks: ["8.0.0.0/7", "12.0.0.0/8"] }, "sshNetworks", "1 % of", "YOUR-"],
    [
      "half of IPv6",
      { sshNetworks: ["198.51.100.7/32", "2a00::/11"] },
      "sshNetworks",
      "0.39 % of all IPv6 addresses",
      "YOUR-",
    ],
    [
      "a release candidate",
      { release: "noble-40" },
      "release",
      "is noble-40, a release candidate",
      "jammy-30",
    ],
    ["shared cores", { serverType: "cpx42" }, "serverType", "part of the time", "ccx33"],
    ["shared cores for TURN", { turnServerType: "cx23" }, "turnServerType", "part of the time", "ccx13"],
  ];

  test.each(cases)("%s, which others take", (_name, raw, key, reason, remedy) => {
    expect(problems({ ...raw, environment: "prod" })).toEqual([
      [key, expect.stringContaining(reason), expect.stringContaining(remedy)],
    ]);
    for (const environment of ["test", "staging"]) expect(problems({ ...raw, environment })).toEqual([]);
  });

  test("all of it at once, in one error", () => {
    const all = Object.assign({}, ...cases.map(([, raw]) => raw)) as Record<string, unknown>;
    const found = problems({ ...all, environment: "prod" });
    expect(found.map(([key]) => key).sort()).toEqual([...new Set(cases.map(([, , key]) => key))].sort());
  });
});

test.each(Object.keys(environments) as EnvironmentName[])(
  "the defaults of %s do not contradict it, at either cloud",
  (environment) => {
    for (const cloud of ["hetzner", "aws"]) expect(problems({ environment, cloud })).toEqual([]);
  },
);
