/** Gate of a pool on its balancer: pool.py, with the stand-in of Scalelite, and servers that tell what runs on them. */
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { FakeRedis } from "../../sandbox/bbb/scaleliteWorld";
import { balancerEnvironment, balancerState, Node } from "./poolWorld";

const SCRIPT = join(__dirname, "../../../scripts/host/pool.py");
let state: string;
let redis: FakeRedis;
let a: Node;
let b: Node;
/** Called with what was said so far. */
let onSaid: (text: string) => unknown;

beforeEach(async () => {
  onSaid = () => undefined;
  state = balancerState();
  redis = new FakeRedis();
  a = new Node();
  b = new Node();
  await Promise.all([redis.listen(), a.listen(), b.listen()]);
});
afterEach(() => {
  for (const one of [redis, a, b]) one.close();
  rmSync(state, { recursive: true });
});

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
}

let child: ChildProcessWithoutNullStreams;

function pool(
  args: readonly string[],
  input = "",
  more: NodeJS.ProcessEnv = {},
  under: readonly string[] = [],
): Promise<Ran> {
  const env = {
    ...balancerEnvironment(state, redis),
    ...more,
  };
  const [program = "", ...words] = [...under, "/usr/bin/python3", "-B", SCRIPT, ...args];
  const started = spawn(program, words, { env, stdio: "pipe" });
  if (under.length > 0) child = started;
  let stdout = "";
  started.stdout.on("data", (text: Buffer) => {
    stdout += text.toString();
    onSaid(stdout);
  });
  started.stdin.end(input);
  return new Promise((resolve) => started.once("close", (status) => resolve({ status, stdout })));
}
const enter = ({ name }: Node) => pool(["join", name], `{"fqdn":"${name}","secret":"of ${name}"}\n`);
const leave = ({ name }: Node, ...more: string[]) => pool(["leave", name, "--minutes", "0", ...more]);
const known = async () =>
  (
    JSON.parse((await pool(["show"])).stdout) as {
      servers: Record<string, { state: string; leaving: boolean }>;
    }
  ).servers;
const members = () => readdirSync(join(state, "balancer/members"));

test("a server is in the pool once Scalelite has found it online; its secret is in a file of root's alone", async () => {
  expect(await enter(a)).toEqual({ status: 0, stdout: `${a.name} is in the pool\n` });
  expect(await known()).toMatchObject({ [a.name]: { state: "enabled", online: true, leaving: false } });
  expect(JSON.stringify(await known())).not.toContain("of 127");
});

test("one that Scalelite can't reach is no member", async () => {
  a.silent = true;
  const { status, stdout } = await enter(a);
  expect(status).toBe(1);
  expect(stdout).toContain(`the balancer does not find ${a.name} online`);
});

test("an empty server leaves, and nothing of it is left", async () => {
  await enter(a);
  await enter(b);
  expect(await leave(b)).toEqual({ status: 0, stdout: `${b.name} is not in the pool any more\n` });
  expect(Object.keys(await known())).toEqual([a.name]);
  expect(members()).toEqual([`${a.name}.json`]);
  expect((await leave(b)).status).toBe(0);
});

describe("a server with something on it stays, gets nothing new, and says what to do", () => {
  beforeEach(async () => {
    await enter(a);
    await enter(b);
  });
  const refused = async (words: string) => {
    await pool(["keep", a.name]);
    const { status, stdout } = await leave(b);
    expect(status).toBe(1);
    expect(stdout).toContain(`${b.name} stays: ${words}`);
    expect(stdout).toContain("run the same command again");
    expect(stdout).toContain("pulumi config set servers 2");
    expect((await known())[b.name]!.state).not.toBe("enabled");
    expect(members()).toContain(`${b.name}.json`);
  };

  test("a meeting of which Scalelite knows nothing", async () => {
    b.hold("m");
    await refused("it still has 1 meeting (2 people)");
  });

  test("a meeting that Scalelite forgot with all that it had", async () => {
    b.hold("m");
    redis.hashes.clear();
    await refused("it still has 1 meeting (2 people)");
  });

  test("a breakout room", async () => {
    b.told.meetings = [{ id: "r", people: 1, breakout: true }];
    await refused("it still has 1 breakout room");
  });

  test("a recording that is not processed yet", async () => {
    b.told.unprocessed = ["r1"];
    await refused("it still has 1 recording that is not processed yet");
  });

  test("a recording that is not on the balancer yet, with the reason; it is fetched at once", async () => {
    b.told.recordings = { r1: { presentation: "1" } };
    writeFileSync(
      join(state, "balancer/recordings.json"),
      JSON.stringify({ servers: { [b.name]: { waiting: ["r1"], problem: "r1: no room" } } }),
    );
    writeFileSync(join(state, "systemctl"), `#!/bin/sh\necho "$@" >${state}/started\n`, { mode: 0o755 });
    await refused("it still has 1 recording that is not on the balancer yet (r1: no room)");
    expect(readFileSync(join(state, "started"), "utf8")).toBe(
      "start --no-block bbb-deploy-collect.service\n",
    );
  });

  test("it goes once its meeting ends within the wait", async () => {
    b.hold("m");
    onSaid = (text) => text.includes("waiting for the end") && b.hold();
    const { status, stdout } = await pool(["leave", b.name, "--minutes", "1"]);
    expect(status).toBe(0);
    expect(stdout).toContain(
      `${b.name} gets no new meetings; waiting for the end of what runs there: 1 meeting`,
    );
    expect(stdout).toContain("is not in the pool any more");
  });

  test("it goes anyway where duringMeetings says so, and that is told", async () => {
    b.hold("m");
    const { status, stdout } = await leave(b, "--anyway");
    expect(status).toBe(0);
    expect(stdout).toContain(`WARNING: ${b.name} goes although there is 1 meeting`);
  });

  test("it gets new meetings again where the settings keep it after all", async () => {
    b.hold("m");
    await leave(b);
    const { stdout } = await pool(["keep", a.name, b.name]);
    expect(stdout).toContain(`${b.name} gets new meetings again`);
    expect((await known())[b.name]!.state).toBe("enabled");
  });

  test("where the settings keep it, as after a refused replacement, it gets new meetings again after a while", async () => {
    b.hold("m");
    const { stdout } = await leave(b);
    expect(stdout).toContain("To keep the server, leave it");
    expect((await known())[b.name]).toMatchObject({ leaving: true });
    const file = join(state, "balancer/members", `${b.name}.json`);
    const { until, ...member } = JSON.parse(readFileSync(file, "utf8")) as { until: number };
    expect(until - Date.now() / 1000).toBeLessThan(600);
    writeFileSync(file, JSON.stringify({ ...member, until: until - 600 }));
    await pool(["apply"]);
    expect((await known())[b.name]).toMatchObject({ leaving: false, state: "enabled" });
  });

  test("a wait whose connection is gone takes nothing away, though the meeting ends", async () => {
    b.hold("m");
    symlinkSync("/bin/bash", join(state, "sshd"));
    const waiting = pool(["leave", b.name, "--minutes", "1"], "", {}, [
      join(state, "sshd"),
      "-c",
      '"$@"; exit',
      "sshd",
    ]);
    onSaid = (text) => {
      if (!text.includes("waiting for the end")) return;
      onSaid = () => undefined;
      child.kill("SIGKILL");
      setTimeout(() => b.hold(), 500);
    };
    const { stdout } = await waiting;
    expect(stdout).toContain(
      `${b.name} stays: the connection of the update that was to take it away is gone`,
    );
    expect(members()).toContain(`${b.name}.json`);
  });

  test("a wait for a server that another update keeps meanwhile takes nothing away", async () => {
    b.hold("m");
    let keeping: Promise<unknown> | undefined;
    onSaid = (text) => {
      if (!text.includes("waiting for the end")) return;
      onSaid = () => undefined;
      keeping = pool(["keep", a.name, b.name]).then(() => b.hold());
    };
    const { status, stdout } = await pool(["leave", b.name, "--minutes", "1"]);
    await keeping;
    expect(status).toBe(1);
    expect(stdout).toContain(`${b.name} stays: another update since has given it new meetings again`);
    expect((await known())[b.name]).toMatchObject({ leaving: false, state: "enabled" });
  });

  test("a state that it does not tell is not empty, as long as its API answers", async () => {
    b.mute = true;
    await refused(`${b.name} does not tell what runs there`);
  });
});

describe("a server that does not answer", () => {
  beforeEach(async () => {
    await enter(a);
    await enter(b);
  });

  test("stays as long as Scalelite calls it online, and gets meetings: it may come back", async () => {
    b.silent = true;
    const { status, stdout } = await leave(b);
    expect(status).toBe(1);
    expect(stdout).toContain("it does not count as dead yet");
    expect((await known())[b.name]).toMatchObject({ leaving: false });
  });

  test.each(["0", "1"])(
    "counts as empty once Scalelite calls it offline, and that is said loudly (waiting %s min for meetings)",
    async (minutes) => {
      b.silent = true;
      setTimeout(() => {
        for (const [name, text] of redis.hashes.get("scalelite-standin:servers") ?? []) {
          if (name === b.name)
            redis.hashes
              .get("scalelite-standin:servers")!
              .set(name, text.replace('"online": true', '"online": false'));
        }
      }, 500);
      const { status, stdout } = await pool(["leave", b.name, "--minutes", minutes]);
      expect(stdout).toContain(`WARNING: ${b.name} is dead`);
      expect(status).toBe(0);
      expect(Object.keys(await known())).toEqual([a.name]);
    },
  );
});

test("a server that somebody else gave to Scalelite stays there", async () => {
  await enter(a);
  await enter(b);
  const other =
    '{"secret":"s","url":"http://127.0.0.1:9/bigbluebutton/api","state":"enabled","online":false,"load":null,"good":0,"bad":0}';
  redis.hashes.get("scalelite-standin:servers")!.set("other.test", other);
  expect((await leave(b)).status).toBe(0);
  expect(Object.keys(await known()).sort()).toEqual([a.name, "other.test"].sort());
});

test("a Scalelite that does not run blocks the removal, with its reason", async () => {
  await enter(a);
  const { status, stdout } = await pool(["leave", a.name, "--minutes", "0"], "", {
    REDIS_URL: "redis://127.0.0.1:1",
  });
  expect(status).toBe(1);
  expect(stdout).toContain("Scalelite could not do servers:yaml[true]");
  expect(readFileSync(join(state, "balancer/members", `${a.name}.json`), "utf8")).toContain("of 127");
});
