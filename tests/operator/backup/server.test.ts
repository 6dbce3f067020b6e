import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runOnServer, type Server } from "../../../operator/backup/server";
import { keyPair, SshServer } from "../../sandbox/engine/sshServer";
import { deployed } from "../check/deployed";

let server: SshServer;
let port: number;
let folder: string;

beforeEach(async () => {
  server = new SshServer();
  port = await server.listen();
  folder = mkdtempSync(join(tmpdir(), "bbb-backup-"));
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** Server on which this Python stands for backup.py. */
function serverWith(program: string, more: object = {}): Server {
  writeFileSync(join(folder, "backup.py"), program);
  const access = {
    ...deployed.hosts.bbb,
    host: "127.0.0.1",
    port,
    user: "root",
    hostKey: server.hostKey.public,
  };
  return { access: { ...access, ...more }, privateKey: server.userKey.private, folder };
}

async function run(program: string, input?: string): Promise<[boolean, string[]]> {
  const lines: string[] = [];
  const words = ["backup.py", "key", "it's"] as const;
  const well = await runOnServer(serverWith(program), { words, input, onLine: (line) => lines.push(line) });
  return [well, lines];
}

test("a program gets its words and its standard input, and its lines come back", async () => {
  const program = "import sys\nprint(sys.argv[1:])\nprint(len(sys.stdin.read()))\n";
  expect(await run(program, "a secret\n")).toEqual([true, ["['key', \"it's\"]", "9"]]);
});

test("one that says what is wrong has failed", async () => {
  expect(await run("import sys\nprint('FAILED: x')\nsys.exit(1)\n")).toEqual([false, ["FAILED: x"]]);
});

test("one that breaks, or that is not there, is told", async () => {
  await expect(run("raise SystemExit(3)")).rejects.toThrow(
    "the server's program ended with 3: it said nothing",
  );
  const missing = runOnServer(
    { ...serverWith(""), folder: "/nowhere" },
    { words: ["backup.py"], onLine: () => {} },
  );
  await expect(missing).rejects.toThrow("an older version deployed it. Run pulumi up once");
});

test("a server that is not there, or is another, is told before anything runs", async () => {
  const call = { words: ["backup.py"], onLine: () => {} } as const;
  const { public: hostKey } = keyPair();
  await expect(runOnServer(serverWith("", { hostKey }), call)).rejects.toThrow(
    "another machine answers at 127.0.0.1 than the one that was deployed",
  );
  await expect(runOnServer(serverWith("", { port: 9 }), call)).rejects.toThrow(
    /can't be reached: .*ECONNREFUSED.* Nothing was changed$/,
  );
});

test("a step's script is one of bash, and only what it tells the operator comes back", async () => {
  writeFileSync(join(folder, "step.sh"), 'echo "$1: for the log"; echo "$1: for you" >&3; exit 1\n');
  const lines: string[] = [];
  const words = ["step.sh", "--it's"] as const;
  const well = await runOnServer(serverWith(""), { words, onLine: (line) => lines.push(line) });
  expect([well, lines]).toEqual([false, ["--it's: for you"]]);
});
