import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Client } from "ssh2";

import { readScripts } from "../../steps/hostScripts";
import { keep as keepOnHost, keepCommand } from "../../steps/keep";
import { connect } from "../../steps/ssh";
import { SshServer } from "../sandbox/engine/sshServer";
import { run } from "../scripts/host/scripts";

const files = readScripts();
const script = files.find(({ name }) => name === "keep.sh")!.content;

describe("what the scripts find", () => {
  let directory: string;
  let state: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "bbb-during-"));
    state = join(directory, "it's here");
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const keep = (value: string) =>
    run(["bash", "-c", keepCommand(script, "root", join(state, "during-meetings"))], value);
  const kept = () => readFileSync(join(state, "during-meetings"), "utf8");

  test("is the value as it was given, for root alone, and nothing beside it", async () => {
    expect(await keep("2026-11-21; it's `time`")).toEqual({ code: 0, output: "" });
    expect(kept()).toBe("2026-11-21; it's `time`");
    expect(statSync(join(state, "during-meetings")).mode & 0o777).toBe(0o600);
    expect(statSync(state).mode & 0o777).toBe(0o700);
    await keep("another");
    expect([kept(), readdirSync(state)]).toEqual(["another", ["during-meetings"]]);
  });

  test("is nothing any more where the setting was removed", async () => {
    await keep("2026-11-21");
    expect((await keep("")).code).toBe(0);
    expect(readdirSync(state)).toEqual([]);
  });

  test("is what it was where the new value could not be written", async () => {
    await keep("2026-11-21");
    mkdirSync(join(state, "during-meetings.new"));
    expect((await keep("another")).code).not.toBe(0);
    expect(kept()).toBe("2026-11-21");
  });
});

describe("over SSH", () => {
  let server: SshServer;
  let client: Client;
  beforeEach(async () => {
    server = new SshServer();
    const port = await server.listen();
    const { hostKey, userKey } = server;
    client = await connect({
      ...{ host: "127.0.0.1", port, user: "root" },
      ...{ hostKey: hostKey.public, privateKey: userKey.private },
    });
  });
  afterEach(async () => {
    client.end();
    await server.close();
  });

  const host = { fqdn: "bbb.example.org", user: "nobody-that-sudo-knows", files };
  const kept = (duringMeetings?: string) => ({ duringMeetings, numbers: "connect.sh 1/1\n" });

  test("a login that isn't root's asks for root's rights, and never for a password", () => {
    expect(keepCommand(script, "ubuntu", "/a")).toMatch(/^sudo -n sh -c [^]* keep\.sh \/a$/);
    expect(keepCommand(script, "root", "/a")).toMatch(/^sh -c /);
  });

  test("a host that does not take it: which, why, and what to do", async () => {
    server.answer = () => "cat >/dev/null; echo 'sudo: a password is required' >&2; exit 1";
    const failed = keepOnHost(client, host, kept("x"));
    await expect(failed).rejects.toThrow(
      /^The numbers of the steps could not be written to \/var\/lib\/bbb-deploy on bbb\.example\.org, so no step was run: sudo: a password is required\. Look for a full or read-only disk, let nobody-that-sudo-knows use sudo without a password there, then run pulumi up again$/,
    );
  });

  test("a connection that is lost on the way", async () => {
    server.answer = () => "sleep 60";
    const failed = keepOnHost(client, host, kept("x"));
    setTimeout(() => server.cut(), 300);
    await expect(failed).rejects.toThrow("the connection was lost");
  });

  test("one that takes it gets each value on standard input, not in the command line", async () => {
    const directory = mkdtempSync(join(tmpdir(), "bbb-during-"));
    server.answer = () => `cat >>${directory}/got`;
    await keepOnHost(client, host, kept("2026-11-21"));
    expect(readFileSync(join(directory, "got"), "utf8")).toBe("connect.sh 1/1\n2026-11-21");
    const at = (file: string) => keepCommand(script, host.user, `/var/lib/bbb-deploy/${file}`);
    expect(server.commands).toEqual([at("numbers"), at("during-meetings")]);
    rmSync(directory, { recursive: true });
  });

  test("one that is about to install its scripts gets their text before, as it is", async () => {
    const directory = mkdtempSync(join(tmpdir(), "bbb-during-"));
    server.answer = (command) => `cat >${directory}/${command.endsWith("/installation") ? "got" : "other"}`;
    const installation = "install_script lib.sh 644\n".repeat(30_000);
    await keepOnHost(client, host, { ...kept(), installation });
    expect(readFileSync(join(directory, "got"), "utf8")).toBe(installation);
    rmSync(directory, { recursive: true });
  });

  test("one that has no use for duringMeetings is not given it", async () => {
    server.answer = () => "cat >/dev/null";
    await keepOnHost(client, host, kept());
    expect(server.commands).toHaveLength(1);
  });
});
