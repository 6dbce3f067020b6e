import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { askHost } from "../../../operator/check/hosts";
import { keyPair, SshServer } from "../../sandbox/engine/sshServer";
import { deployed } from "./deployed";

let server: SshServer;
let port: number;
let directory: string;

beforeEach(async () => {
  server = new SshServer();
  port = await server.listen();
  directory = mkdtempSync(join(tmpdir(), "bbb-check-"));
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

/** Asks a host on which this script stands for host_check.py. */
function asked(script: string, more: { hostKey?: string; privateKey?: string; limitSeconds?: number } = {}) {
  const file = join(directory, "host_check.sh");
  writeFileSync(file, `received=${join(directory, "received")}\n${script}`);
  const { request } = deployed.hosts.bbb;
  const access = {
    host: "127.0.0.1",
    port,
    user: "root",
    hostKey: more.hostKey ?? server.hostKey.public,
    request,
  };
  return askHost(access, more.privateKey ?? server.userKey.private, {
    meeting: true,
    limitSeconds: more.limitSeconds,
    command: `bash ${file}`,
  });
}

const HEAD = `echo '{"ready": true}'; IFS= read -r line; printf %s "$line" >"$received"; echo '{"now": '$(date +%s)'}'
`;
const FINE = `echo '{"name": "disk", "asked": "/", "verdict": "ok", "answer": "50 \\u001b[2J GB free", "seconds": 0.1}'
echo 'a line of somebody else'
echo '{"broken'
echo '{"name": "newer", "kind": "unknown"}'
echo '{"name": "units", "asked": "x", "verdict": "warn", "answer": "a.service", "seconds": 0, "remedy": "look"}'
`;

test("a host is asked over its pinned key, and its records are taken as they come", async () => {
  const { findings, clock } = await asked(`${HEAD}${FINE}echo '{"end": true}'; exit 1`);
  expect(findings).toEqual([
    expect.objectContaining({ name: "SSH", verdict: "ok", asked: "root@127.0.0.1" }),
    { name: "disk", asked: "/", verdict: "ok", answer: "50 [2J GB free", seconds: 0.1 },
    { name: "units", asked: "x", verdict: "warn", answer: "a.service", seconds: 0, remedy: "look" },
  ]);
  expect(Math.abs(clock?.seconds ?? 99)).toBeLessThan(30 + (clock?.uncertainty ?? 0));
});

test("the request goes by standard input, in one line, and by no command line", async () => {
  await asked(`${HEAD}echo '{"end": true}'; cp /proc/$$/cmdline "$received.cmdline"`);
  const { readFileSync } = await import("node:fs");
  const received = JSON.parse(readFileSync(join(directory, "received"), "utf8")) as object;
  expect(received).toEqual({ ...deployed.hosts.bbb.request, meeting: true, wait: 0 });
  expect(server.commands.join(" ")).not.toContain("s3cr3t");
});

test("another host key is refused before anything is said", async () => {
  const { findings } = await asked("exit 0", { hostKey: keyPair().public });
  expect(findings).toMatchObject([
    {
      name: "SSH",
      verdict: "FAIL",
      answer: expect.stringContaining("another machine answers at 127.0.0.1") as string,
      remedy: expect.stringContaining("find out who answers there") as string,
    },
  ]);
  expect(server.commands).toEqual([]);
});

test("a key that may not log in any more", async () => {
  const { findings } = await asked("exit 0", { privateKey: keyPair().private });
  expect(findings).toMatchObject([
    { verdict: "FAIL", remedy: expect.stringContaining("authorized_keys") as string },
  ]);
});

test("a host that can't be reached is one failure with what to do", async () => {
  await server.close();
  const { findings, clock } = await asked("exit 0");
  expect(findings).toMatchObject([
    {
      name: "SSH",
      verdict: "FAIL",
      answer: expect.stringContaining("ECONNREFUSED") as string,
      remedy: expect.stringContaining("sshNetworks") as string,
    },
  ]);
  expect(clock).toBeUndefined();
  server = new SshServer();
  await server.listen();
});

test.each([
  [
    "an older deployment",
    "echo \"python3: can't open file 'host_check.py'\" >&2; exit 2",
    "the host does not have it",
    "run pulumi up once",
  ],
  [
    "no sudo",
    "echo 'sudo: a password is required' >&2; exit 1",
    "sudo: a password is required",
    "without a password",
  ],
  [
    "a crash",
    `${HEAD}echo Traceback >&2; echo 'KeyError: x' >&2; exit 1`,
    "ended with 1: KeyError: x",
    "pulumi up",
  ],
])("%s", async (_, script, answer, remedy) => {
  const { findings } = await asked(script);
  expect(findings.at(-1)).toMatchObject({
    ...{ name: "the host's own check", verdict: "FAIL", answer },
    remedy: expect.stringContaining(remedy) as string,
  });
});

test("a host that does not come to an end keeps what it said", async () => {
  const { findings } = await asked(`${HEAD}${FINE}exec sleep 600`, { limitSeconds: 2 });
  expect(findings.map(({ name, verdict }) => `${verdict} ${name}`)).toEqual([
    ...["ok SSH", "ok disk", "warn units", "FAIL the host's own check"],
  ]);
  expect(findings.at(-1)?.answer).toBe("not at its end in time");
});

test("a connection that is lost is told", async () => {
  const answer = asked(`${HEAD}${FINE}touch ${join(directory, "here")}; exec sleep 600`);
  const { existsSync } = await import("node:fs");
  while (!existsSync(join(directory, "here"))) await new Promise((done) => setTimeout(done, 20));
  server.cut();
  expect((await answer).findings.at(-1)).toMatchObject({ answer: "the connection was lost" });
});
