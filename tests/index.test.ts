import { readFileSync } from "node:fs";
import * as path from "node:path";

import { readScripts } from "../steps/hostScripts";
import { reveal, runProgram, secretOf, type Run } from "./support/program";

let run: Run;
beforeAll(async () => {
  run = await runProgram();
});

test("outputs", async () => {
  const revealed = Object.entries(run.outputs).map(async ([name, output]) => [name, await reveal(output)]);
  expect(Object.fromEntries(await Promise.all(revealed))).toEqual({
    url: { value: "https://bbb.example.org", secret: false },
    apiUrl: { value: "https://bbb.example.org/bigbluebutton/api", secret: false },
    sharedSecret: { value: secretOf("bbb-shared-secret"), secret: true },
    turnUrls: {
      value: ["turn:turn.example.org:3478", "turns:turn.example.org:443?transport=tcp"],
      secret: false,
    },
    turnSecret: { value: secretOf("turn-secret"), secret: true },
    turnHost: { value: "turn.example.org", secret: false },
    addresses: {
      value: {
        bbb: { ipv4: "203.0.113.1", ipv6: "2001:db8:0:1::1" },
        turn: { ipv4: "203.0.113.2", ipv6: "2001:db8:0:2::1" },
      },
      secret: false,
    },
    sshCommand: { value: "ssh root@203.0.113.1", secret: false },
    privateKey: { value: `-----BEGIN ${secretOf("operator-key")}-----\n`, secret: true },
    // The mocked verifications print nothing.
    certificates: { value: {}, secret: false },
    release: { value: "jammy-30", secret: false },
    knownHosts: {
      value:
        `bbb.example.org,203.0.113.1 ssh-ed25519 AAAAbbb-host-key\n` +
        `turn.example.org,203.0.113.2 ssh-ed25519 AAAAturn-host-key\n`,
      secret: false,
    },
    check: { value: { bbb: access("bbb"), turn: access("turn") }, secret: true },
  });
});

test.each(["url", "apiUrl", "sharedSecret", "turnUrls", "turnSecret", "turnHost", "release"])(
  "%s is given only once both verifications passed",
  async (name) => {
    expect(await dependencies(name)).toEqual(expect.arrayContaining(["bbb-verify", "turn-verify"]));
  },
);

test.each(["sshCommand", "privateKey", "knownHosts", "check"])(
  "%s is known before, for looking into what failed",
  async (name) => {
    expect(await dependencies(name)).not.toContain("bbb-verify");
  },
);

test("the whole deployment is on one page", () => {
  const source = readFileSync(path.join(__dirname, "..", "components/deployment.ts"), "utf8");
  const page = source.slice(source.indexOf("export async function deploy"));
  expect(page.split("\n").length).toBeLessThanOrEqual(60);
});

test("what the state keeps of the resources is small: an update sends and gets all of it, some of it again and again", async () => {
  const { resources } = await runProgram({ scripts: readScripts() });
  const sizes = resources.map(({ inputs }) => JSON.stringify(inputs).length);
  expect(Math.max(...sizes)).toBeLessThan(8_000);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(64_000);
});

test("a deployment at Hetzner does not load the packages of AWS", async () => {
  let loaded = 0;
  jest.doMock("@pulumi/aws", () => ({ loaded: ++loaded }));
  await runProgram();
  expect(loaded).toBe(0);
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- shows that it would have been noticed
  require("@pulumi/aws");
  expect(loaded).toBe(1);
});

/** Access for a later check, whose request is that of the verification. */
function access(role: "bbb" | "turn") {
  const { stdin, connection } = run.get(`${role}-verify`).inputs;
  const { host, user, hostKey } = connection as Record<string, string>;
  return { host, user, hostKey, request: JSON.parse(stdin as string) as unknown };
}

/** Names of the resources that an output waits for. */
async function dependencies(name: string): Promise<string[]> {
  const output = run.outputs[name] as unknown as { allResources(): Promise<Set<{ urn: unknown }>> };
  const urns = [...(await output.allResources())].map(async ({ urn }) => (await reveal(urn)).value as string);
  return (await Promise.all(urns)).map((urn) => urn.split("::").at(-1)!);
}
