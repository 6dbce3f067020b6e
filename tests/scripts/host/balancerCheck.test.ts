/** Checks of a balancer: its own parts, and each server of its pool. */
import { createServer as createHttp, type Server } from "node:http";
import { createServer, type AddressInfo } from "node:net";

import { check, python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
});
afterEach(() => host.remove());

const FQDN = "bbb-2.example.org";
const well = {
  ...{ state: "online", known: true, member: true, load: 41, secret: true, leavingFor: null },
  ...{ meetings: 3, breakouts: 1, people: 41 },
};

describe("a server of the pool", () => {
  const told = (more: object) => check(host, "balancer_check", "server_finding", FQDN, { ...well, ...more });

  test.each([
    [{}, "ok", /^takes new meetings, load 41: 3 meetings, 1 breakout room, 41 people$/, undefined],
    [
      { known: false, state: "missing" },
      ...["FAIL", /^the balancer does not know it: no new meetings/, /systemctl start bbb-deploy-pool/],
    ],
    [
      { known: false, member: false, state: "missing" },
      ...["FAIL", /^the balancer does not know it/, /pulumi up --replace .* bbb-2-member/],
    ],
    [{ secret: false }, "FAIL", /^it refuses the secret that the balancer has/, /URN of bbb-2-member/],
    [
      { state: "offline", secret: null, meetings: null, load: null },
      ...["warn", /does not answer the balancer, offline: no new meetings/, /cloud's console/],
    ],
    // Powered off within the last polls.
    [
      { secret: null, meetings: null },
      "warn",
      /does not answer the balancer, not found offline yet/,
      /console/,
    ],
    [{ state: "offline" }, "warn", /calls it offline, though its API answers/, /poller/],
    [
      { state: "cordoned" },
      "warn",
      /^cordoned at the balancer by hand: .*3 meetings/,
      /start bbb-deploy-pool/,
    ],
    [{ meetings: null }, "warn", /does not tell what runs there/, /restart bbb-deploy-node-state/],
    [
      { state: "leaving", leavingFor: 600 },
      "ok",
      /^no new meetings, as an update tried 10 min ago .*3 meetings/,
      undefined,
    ],
    [
      { state: "leaving", leavingFor: 7200 },
      ...[
        "warn",
        /^no new meetings, as an update tried 2 h ago .*No update has tried since/,
        /pulumi up again/,
      ],
    ],
    [
      {
        state: "leaving",
        lease: "bbb-1.example.test is out of the pool for 5 min (the upgrade)",
        late: false,
      },
      ...[
        "ok",
        /^bbb-1\.example\.test is out of the pool for 5 min \(the upgrade\): .*3 meetings/,
        undefined,
      ],
    ],
    [
      { state: "offline", lease: "bbb-1.example.test is out of the pool for 130 min", late: true },
      ...["warn", /is out of the pool for 130 min/, /pulumi up takes that up; .*pool\.py back /],
    ],
  ] as [object, string, RegExp, RegExp | undefined][])("%j", async (more, verdict, answer, remedy) => {
    const found = await told(more);
    expect(found).toMatchObject({ verdict, answer: expect.stringMatching(answer) as string });
    if (remedy) expect(found.remedy).toMatch(remedy);
    else expect(found.remedy).toBeUndefined();
  });

  test("may wait for its meetings for as long as drainMinutes says", async () => {
    host.put("var/lib/bbb-deploy/balancer/drain-minutes", "120\n");
    expect(await told({ state: "leaving", leavingFor: 7200 })).toMatchObject({ verdict: "ok" });
  });
});

/** Secret that a server of the pool takes. */
const SECRET = "of-bbb-1";

describe("the pool", () => {
  let server: Server;
  let name: string;
  beforeEach(async () => {
    const { createHash } = await import("node:crypto");
    server = createHttp((asked, answer) => {
      if (asked.url === "/bbb-deploy/state") {
        const meetings = [
          { id: "m", people: 4, breakout: false },
          { id: "b", people: 2, breakout: true },
        ];
        return void answer.end(JSON.stringify({ meetings, unprocessed: [] }));
      }
      const right = createHash("sha256").update(`getMeetings${SECRET}`).digest("hex");
      const fine = asked.url!.endsWith(`checksum=${right}`);
      answer.end(
        fine
          ? "<response><returncode>SUCCESS</returncode></response>"
          : "<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey></response>",
      );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    name = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => server.close());

  /** Puts Scalelite's servers, and the files of the members. */
  function has(servers: object, members: Readonly<Record<string, boolean>>): void {
    host.fake("rake", `cat <<'HERE'\n${JSON.stringify({ servers })}\nHERE`);
    for (const [fqdn, leaving] of Object.entries(members))
      host.put(
        `var/lib/bbb-deploy/balancer/members/${fqdn}.json`,
        JSON.stringify({ secret: SECRET, leaving }),
      );
  }
  const ask = (code: string) =>
    python(host, `import os\nos.environ.update(BBB_DEPLOY_RAKE="rake", BBB_DEPLOY_SCHEME="http")\n${code}`);
  const look = async (...nodes: string[]) =>
    JSON.parse(
      await ask(`import pool_state\nprint(json.dumps(pool_state.look(${JSON.stringify(nodes)})))`),
    ) as Record<string, object>;
  const page = (...nodes: string[]) =>
    ask(
      `import balancer_check, checks\nchecks.Page(True).check("pool", "", balancer_check.Servers(${JSON.stringify(nodes)}).check_all)`,
    );
  const one = (more: object = {}) => ({
    ...{ secret: SECRET, url: `http://${name}/bigbluebutton/api`, enabled: true },
    ...{ state: "enabled", load: 17, online: true },
    ...more,
  });

  test("is told as Scalelite has it, and as the server itself says; no secret is in it", async () => {
    has({ [name]: one() }, { [name]: false });
    const found = await look(name);
    expect(found).toEqual({
      [name]: {
        ...{ state: "online", known: true, member: true, load: 17, leavingFor: null, secret: true },
        ...{ meetings: 1, breakouts: 1, people: 6 },
      },
    });
    expect(JSON.stringify(found)).not.toContain(SECRET);
  });

  test.each([
    ["another secret", { secret: "other" }, false, { state: "online", secret: false }],
    ["offline", { online: false, load: null }, false, { state: "offline", secret: true }],
    ["cordoned by hand", { state: "cordoned" }, false, { state: "cordoned" }],
    ["emptied after that", { state: "disabled" }, false, { state: "cordoned" }],
    ["leaving", { state: "cordoned" }, true, { state: "leaving", leavingFor: expect.any(Number) as number }],
  ])("%s", async (_, more, leaving, wanted) => {
    has({ [name]: one(more) }, { [name]: leaving });
    expect((await look(name))[name]).toMatchObject(wanted);
  });

  test("one that is let in again at this moment is not taken for cordoned by hand", async () => {
    has({ [name]: one({ state: "cordoned" }) }, { [name]: false });
    // As the end of a lease: its file has gone, and Scalelite is told while the pool's lock is held.
    const told = await ask(`import threading, time
import pool, pool_state
fresh = pool.known()
fresh[${JSON.stringify(name)}]["state"] = "enabled"
held = threading.Event()
def end():
    with pool.locked():
        held.set()
        time.sleep(1)
        pool.known = lambda: fresh
thread = threading.Thread(target=end)
thread.start()
held.wait()
print(pool_state.look([${JSON.stringify(name)}])[${JSON.stringify(name)}]["state"])`);
    expect(told).toBe("online\n");
  });

  test("a server that Scalelite has lost, one that is dead, and one by another hand", async () => {
    has({ "127.0.0.1:9": one({ url: "http://127.0.0.1:9/bigbluebutton/api" }) }, { [name]: false });
    expect(await look(name)).toMatchObject({
      [name]: { state: "missing", known: false, member: true, secret: true },
      "127.0.0.1:9": { member: false, secret: null, meetings: null },
    });
    const told = await page(name);
    expect(told).toContain('"verdict": "FAIL"');
    expect(told).toContain("no server takes new meetings");
    expect(told).toContain("127.0.0.1:9 is there by another hand");
  });

  test("one that an update was to remove is told of, though the deployment counts it no more", async () => {
    has(
      { [name]: one(), "bbb-3.example.org": one({ state: "cordoned" }) },
      { [name]: false, "bbb-3.example.org": true },
    );
    const told = await page(name);
    expect(told).toContain(
      "1 of 1 take new meetings; bbb-3.example.org: no new meetings, as an update tried 1 min ago",
    );
    expect(told).toContain('"verdict": "ok"');
  });

  test("without Scalelite, that is what is wrong", async () => {
    host.fake("rake", "echo 'container scalelite-api is not running' >&2; exit 1");
    const told = await page(name);
    expect(told).toContain('"verdict": "FAIL"');
    expect(told).toContain(
      "Scalelite could not do servers:yaml[true]: container scalelite-api is not running",
    );
    expect(told).toContain("systemctl restart bbb-deploy-scalelite-api");
  });
});

test("parts that do not answer are told by name, also where their units are active", async () => {
  const redis = createServer((socket) => socket.end("+PONG\r\n"));
  await new Promise<void>((resolve) => redis.listen(0, "127.0.0.1", resolve));
  host.fake("pg_isready", "exit 2");
  const code = (port: number) =>
    `import balancer_check, checks
balancer_check.scalelite_answers = lambda: True
connect = balancer_check.socket.create_connection
balancer_check.socket.create_connection = lambda address, limit: connect(("127.0.0.1", ${port}), limit)
checks.Page(True).check("answers", "", balancer_check.check_answers)`;
  const { port } = redis.address() as AddressInfo;
  expect(await python(host, code(port))).toContain("no answer of postgresql");
  redis.close();
  expect(await python(host, code(port))).toContain("no answer of redis-server, postgresql");
  host.fake("pg_isready");
  expect(await python(host, code(port))).toMatch(
    /no answer of redis-server".*systemctl restart redis-server;/,
  );
});

test("numbers for Prometheus: servers by state, and each one's load, meetings and people", async () => {
  const render = (found: unknown) =>
    python(
      host,
      `import pool_metrics\nprint(pool_metrics.render(json.loads(${JSON.stringify(JSON.stringify(found))})))`,
    );
  const dead = { ...well, state: "offline", load: null, meetings: null, people: null };
  const text = await render({ "bbb-1.example.org": well, "bbb-2.example.org": dead });
  expect(text.split("\n").filter((line) => line && !line.startsWith("#"))).toEqual([
    "bbb_pool_up 1",
    'bbb_pool_servers{state="online"} 1',
    'bbb_pool_servers{state="offline"} 1',
    'bbb_pool_servers{state="cordoned"} 0',
    'bbb_pool_servers{state="leaving"} 0',
    'bbb_pool_servers{state="missing"} 0',
    'bbb_pool_server_state{server="bbb-1.example.org",state="online"} 1',
    'bbb_pool_server_state{server="bbb-2.example.org",state="offline"} 1',
    'bbb_pool_load{server="bbb-1.example.org"} 41',
    'bbb_pool_meetings{server="bbb-1.example.org"} 3',
    'bbb_pool_people{server="bbb-1.example.org"} 41',
  ]);
  expect(await render(null)).toMatch(/^# HELP .*\n# TYPE bbb_pool_up gauge\nbbb_pool_up 0\n$/m);
});

describe("a server's own figures", () => {
  const now = Date.parse("2026-11-30T12:00:00Z") / 1000;
  const at = (time: string, address = "203.0.113.9", call = "getMeetings?checksum=x") =>
    `${address} - - [30/Nov/2026:${time} +0000] "GET /bigbluebutton/api/${call} HTTP/1.1" 200 90 "-" "Ruby"\n`;
  const polled = async () =>
    JSON.parse(
      await python(
        host,
        `import node_figures\nprint(json.dumps(node_figures.since_poll("203.0.113.9", ${now})))`,
      ),
    ) as number | null;

  test("say when the balancer asked last, by the log of its own site", async () => {
    expect(await polled()).toBeNull();
    host.put("var/log/nginx/bigbluebutton.access.log.1", at("11:58:00"));
    expect(await polled()).toBe(120);
    host.put(
      "var/log/nginx/bigbluebutton.access.log",
      at("11:59:10") +
        at("11:59:30") +
        at("11:59:50", "203.0.113.8") +
        at("11:59:55", "203.0.113.9", "create?x"),
    );
    expect(await polled()).toBe(30);
  });
});
