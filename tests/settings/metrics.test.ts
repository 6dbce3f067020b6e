import { parseSettings, type Settings } from "../../settings";
import { SettingsError } from "../../settings/problems";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const settings = (metrics: unknown, more: object = {}): Settings =>
  parseSettings({ ...required, ...more, metrics }, { project: "bigbluebutton", stack: "test" });

function problemsOf(metrics: unknown, more: object = {}): string[] {
  try {
    settings(metrics, more);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason, remedy }) => `${key} ${reason} → ${remedy}`);
  }
  return [];
}

test.each([undefined, "", false, "false"])("none are offered without the setting: %j", (metrics) => {
  expect(settings(metrics).metrics).toBeUndefined();
});

test.each([true, "true", { networks: [] }])("everybody with the token may ask: %j", (metrics) => {
  expect(settings(metrics).metrics).toEqual({ networks: [], rotateToken: "" });
});

test("networks are canonical, each once; another exporter is pinned by its hash", () => {
  const exporter = { exporterUrl: "https://mirror.school.eu/x.tar.gz", exporterSha256: "AB".repeat(32) };
  const networks = ["198.51.100.9/32", "198.51.100.9/32", "2001:DB8:1::/48"];
  expect(settings(JSON.stringify({ networks, rotateToken: "1", ...exporter })).metrics).toEqual({
    networks: ["198.51.100.9/32", "2001:db8:1::/48"],
    rotateToken: "1",
    exporterUrl: exporter.exporterUrl,
    exporterSha256: "ab".repeat(32),
  });
});

test("all mistakes at once, each at its place", () => {
  const exporter = { exporterUrl: "ftp://x", exporterSha256: "12" };
  expect(
    problemsOf({ networks: ["10.0.0.1/8", 7], rotateToken: "ü", network: "x", ...exporter }).map((one) =>
      one.replace(/^(\S+) .*? → .*$/, "$1"),
    ),
  ).toEqual([
    "metrics.networks",
    "metrics.rotateToken",
    "metrics.exporterUrl",
    "metrics.exporterSha256",
    "metrics.network",
  ]);
});

test.each([
  ["yes", "metrics must be true or false, or an object"],
  [
    { networks: ["198.51.100.1/24"] },
    'metrics.networks has "198.51.100.1/24", which has bits set behind its prefix',
  ],
  [
    { networks: Array.from({ length: 21 }, (_, i) => `198.51.100.${i}/32`) },
    "metrics.networks has 21; there is room for 20",
  ],
  [{ token: "x" }, "metrics.token is no setting"],
])("what can't work is refused: %j", (metrics, told) => {
  expect(problemsOf(metrics)).toEqual([expect.stringContaining(told)]);
});

test("a release on an older system is refused, since the exporter does not run there", () => {
  const old = { release: "bionic-24", allowEndOfLife: true, image: "of-mine" };
  expect(problemsOf(true, old)).toEqual([
    expect.stringMatching(
      /^metrics is set, but BigBlueButton 2\.\d runs on Ubuntu 18\.04, whose libraries are too old/,
    ),
  ]);
  expect(problemsOf(false, old)).toEqual([]);
});

test("its rules count beside those of SSH, of which a security group has room for 60", () => {
  const networks = (most: number) => Array.from({ length: most }, (_, i) => `198.51.100.${i}/32`);
  const at = (ssh: number, metrics: unknown) =>
    problemsOf(metrics, { cloud: "aws", sshNetworks: networks(ssh) });
  expect(at(54, false)).toEqual([]);
  expect(at(54, true)).toEqual([
    expect.stringContaining("has 54 of IPv4; a security group at AWS has room for 53"),
  ]);
  expect(at(44, { networks: networks(11) })).toEqual([expect.stringContaining("has room for 43")]);
});
