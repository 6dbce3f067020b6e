import { engineMissing, must, sandbox, testUnless, tryUpdate, type Engine } from "./support/sandbox";

const MISTAKES = {
  turnHostname: "turn.elsewhere.test",
  serverType: "cax21",
  release: "focal-27",
  sshNetworks: '["192.0.2.0/33"]',
  sshPublicKeys: '["not a key"]',
  environment: "production",
};

const asSettings = (settings: Readonly<Record<string, string>>): string[] =>
  Object.entries(settings).flatMap(([key, value]) => ["--set", `${key}=${value}`]);

beforeAll(() => must(["reset"]));

for (const engine of ["embedded", "pulumi"] satisfies Engine[]) {
  describe(`settings that can't be, by the ${engine} engine`, () => {
    const test = testUnless(engineMissing(engine));

    test("all mistakes come in one error, before any resource", async () => {
      const result = await tryUpdate("up", engine, asSettings(MISTAKES));
      const output = result.stdout + result.stderr;
      expect(result.code).not.toBe(0);
      for (const key of Object.keys(MISTAKES)) expect(output).toContain(key);
      expect(output).not.toMatch(/hcloud:index|tls:index|random:index|bbb:index|command:remote/);
    });

    for (const [name, settings, reason] of [
      ["an unknown key", { recordingGb: "10" }, /recordingGb/],
      ["a wrong type", { recordingsGb: "ten" }, /recordingsGb/],
      ["a name that the installer refuses", { domain: "example.com" }, /bbb\.example\.com/],
      ["a release without an installer", { release: "xenial-20", allowEndOfLife: "true" }, /xenial-20/],
    ] as const) {
      test(`${name} is refused by name`, async () => {
        const result = await tryUpdate("preview", engine, asSettings(settings));
        expect(result.code).not.toBe(0);
        expect(result.stdout + result.stderr).toMatch(reason);
      });
    }
  });
}

describe("scripts/sandbox", () => {
  test("says in one line that it needs root", async () => {
    const { spawnSync } = await import("node:child_process");
    const result = spawnSync("setpriv", ["--reuid=65534", "--clear-groups", "./scripts/sandbox", "status"], {
      encoding: "utf8",
    });
    expect(result.status).not.toBe(0);
    expect((result.stdout + result.stderr).trim().split("\n")).toEqual([expect.stringContaining("root")]);
  });

  test("says in one line that it does not know a command", async () => {
    const result = await sandbox(["upp"]);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain("upp");
  });

  test("says that there is nothing to show where nothing is deployed", async () => {
    for (const args of [["outputs"], ["exec", "--at", "bbb.example.test", "--", "true"]]) {
      const result = await sandbox(args);
      expect(result.code).not.toBe(0);
      expect(result.stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});
