/** The program examples/ten-schools, which imports the package, with two schools: one of them is destroyed alone. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync } from "node:fs";
import { isIPv4 } from "node:net";
import { join } from "node:path";

import { accountObjects } from "../support/account";
import { onHost, must, PROJECT, sandbox } from "../support/sandbox";
import { turnPeers } from "../support/turn";

const FOLDER = "examples/ten-schools";
const PROGRAM = ["--stack", "schools", "--program", FOLDER];
const TURN = "turn.example.test";

const up = (...schools: string[]) => must(["up", ...PROGRAM, "--set", `schools=${JSON.stringify(schools)}`]);
const check = () => must(["operator", "check", "schools", "--sandbox", "--program", FOLDER]);
const boot = (fqdn: string) => onHost(fqdn, ["cat", "/proc/sys/kernel/random/boot_id"]);
/** Peers by IPv4; a server has an IPv6 address beside it. */
const peers = async () => (await turnPeers(TURN)).filter((peer) => isIPv4(peer));
const coturn = () => onHost(TURN, ["systemctl", "show", "-P", "MainPID", "coturn"]);

let first: string;

beforeAll(async () => {
  await must(["reset"]);
  // As npm install does it in the folder of the example.
  execFileSync("npm", ["run", "build"], { cwd: PROJECT, stdio: "pipe" });
  const modules = join(PROJECT, FOLDER, "node_modules");
  rmSync(modules, { recursive: true, force: true });
  mkdirSync(modules);
  symlinkSync(PROJECT, join(modules, "bigbluebutton-pulumi"));
  first = await up("school-a", "school-b");
});

test("two schools share one TURN server, and each is proven to work", async () => {
  for (const name of ["school-a", "school-b"]) expect(first).toContain(`(${name}-bbb-verify)`);
  const servers = (await accountObjects()).filter(({ kind }) => kind === "servers");
  expect(servers.map(({ name, labels }) => [name, labels.deployment]).sort()).toEqual([
    ["school-a.example.test", "school-a"],
    ["school-b.example.test", "school-b"],
    [TURN, "relay"],
  ]);
  expect(await peers()).toHaveLength(2);
});

test("scripts/check asks both", async () => {
  const page = await check();
  for (const part of [
    "school-a, from here",
    "school-b, from here",
    "school-a.example.test (BigBlueButton)",
  ]) {
    expect(page).toContain(part);
  }
  expect(page).toMatch(/^schools: \d+ ok, in/m);
});

test("an update without changes changes nothing", async () => {
  expect(await up("school-b", "school-a")).toMatch(/Resources:\n +\d+ unchanged\n/);
});

test("a mistake in one school's arguments stops all of them", async () => {
  const { code, stdout } = await sandbox(["up", ...PROGRAM, "--set", 'schools=["school-a","turn"]']);
  expect(code).toBe(1);
  expect(stdout).toContain(
    'hostname makes the name turn.example.test, which is that of SharedTurnServer "relay"',
  );
  expect(await peers()).toHaveLength(2);
});

describe("a school that is taken from the list", () => {
  let before: string[];
  let second: string;
  const untouched = () => Promise.all([...["school-b.example.test", TURN].map(boot), coturn()]);
  beforeAll(async () => {
    before = await untouched();
    second = await up("school-b");
  });

  test("is destroyed alone: of the others only coturn's peers change, before its address is released, and nothing restarts", async () => {
    const changed = [...second.matchAll(/^ [~+-]+ {2}\S+ (\S+) (?:created|updated|replaced|deleted)/gm)];
    // "turn" is the component that the refused update above had registered.
    const others = changed.filter(([, name = ""]) => !/^(school-a|turn$)/.test(name)).map(([line]) => line);
    expect(others).toEqual([expect.stringMatching(/relay-turn-access updated$/)]);
    const [refused, released] = [/relay-turn-access updated/, /school-a-bbb-host-ipv4 deleted/].map((line) =>
      second.search(line),
    );
    expect(refused).toBeGreaterThan(-1);
    expect(released).toBeGreaterThan(refused!);
    expect(await untouched()).toEqual(before);
    const labels = (await accountObjects()).map(({ labels }) => labels.deployment);
    expect(labels).not.toContain("school-a");
  });

  test("is no peer any more, and the other one still works through TURN", async () => {
    expect(await peers()).toHaveLength(1);
    expect(await check()).toMatch(/^schools: \d+ ok, in/m);
  });
});
