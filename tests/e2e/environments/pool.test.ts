/** A pool: servers behind Scalelite's stand-in, which grows and shrinks while meetings run. */
import { signedApiUrl } from "../../../bigbluebutton/api";
import { accountObjects } from "../support/account";
import { must, onHost, outside, tryUpdate, update, type Update } from "../support/sandbox";

const BALANCER = "bbb.example.test";
const TURN = "turn.example.test";
const node = (number: number) => `bbb-${number}.example.test`;

interface PoolOutputs {
  readonly apiUrl: string;
  readonly sharedSecret: string;
  readonly servers: Readonly<Record<string, { readonly ipv4: string }>>;
}

const given = (servers: number, more: readonly string[] = []) => [
  ...["--set", `servers=${servers}`, "--set", "recordingsGb=0", "--set", "drainMinutes=0"],
  ...["--set", 'meetings={"recording":"never"}', ...more],
];
const up = (servers: number, more: readonly string[] = []) => update("up", "embedded", given(servers, more));
const tryUp = (servers: number, more: readonly string[] = []) =>
  tryUpdate("up", "embedded", given(servers, more));
const poolOutputs = async () =>
  JSON.parse(await must(["outputs", "--json", "--show-secrets"])) as PoolOutputs;

const rake = (task: string) => onHost(BALANCER, ["docker", "exec", "scalelite-api", "bin/rake", task]);
const poll = () => rake("poll:all");
/** Signed call, to the balancer unless another API is named. */
const call = async (
  name: string,
  parameters: Readonly<Record<string, string>> = {},
  api: { readonly url: string; readonly secret: string } = { url: out.apiUrl, secret: out.sharedSecret },
) => (await outside(["curl", "-sS", signedApiUrl(api.url, name, parameters, api.secret)])).stdout;

const create = async (id: string) => {
  const answer = await call("create", { ...{ meetingID: id, name: id }, ...PASSWORDS });
  expect(answer).toContain("<returncode>SUCCESS</returncode>");
  // Load counts from the next poll on.
  await poll();
};
const PASSWORDS = { moderatorPW: "moderator", attendeePW: "attendee" };
/** Server to which a join leads. */
const serverOf = async (id: string) => {
  const parameters = { fullName: "Pupil", meetingID: id, password: "attendee" };
  const url = signedApiUrl(out.apiUrl, "join", parameters, out.sharedSecret);
  const { stdout } = await outside(["curl", "-sS", "-o", "/dev/null", "-w", "%{redirect_url}", url]);
  return stdout === "" ? undefined : new URL(stdout).hostname;
};

const secretOf = async (number: number) => {
  const text = await onHost(node(number), ["cat", "/etc/bigbluebutton/bbb-web.properties"]);
  return /^securitySalt=(\S+)$/m.exec(text)![1]!;
};
/** Meetings that a server itself has. */
const meetingsOn = async (number: number) => {
  const api = { url: `https://${node(number)}/bigbluebutton/api`, secret: await secretOf(number) };
  return [...(await call("getMeetings", {}, api)).matchAll(/<meetingID>([^<]+)</g)]
    .map(([, id = ""]) => id)
    .sort();
};
const PEERS =
  "import sqlite3; print(sqlite3.connect('/var/lib/turn/turndb').execute('SELECT ip_range FROM allowed_peer_ip').fetchall())";
const peers = () => onHost(TURN, ["python3", "-c", PEERS]);
const coturn = () => onHost(TURN, ["systemctl", "show", "-P", "MainPID", "coturn"]);
const starts = async (...numbers: number[]) =>
  Promise.all(
    [...numbers.map((number) => [node(number), "bbb-web"] as const), [BALANCER, "nginx"] as const].map(
      ([fqdn, unit]) => onHost(fqdn, ["systemctl", "show", "-P", "InvocationID", unit]),
    ),
  );
const names = async () =>
  (await accountObjects())
    .filter(({ kind }) => kind === "servers")
    .map(({ name }) => name)
    .sort();

let out: PoolOutputs;
let first: Update;
/** Address of the third server. */
let third: string;

beforeAll(async () => {
  await must(["reset"]);
  first = await up(2);
  out = await poolOutputs();
});

describe("two servers from nothing", () => {
  test("each is verified by itself, then the pool through the balancer", () => {
    for (const step of ["bbb-1-verify", "bbb-2-verify", "turn-verify", "balancer-verify"])
      expect(first.stdout).toMatch(new RegExp(`\\+ +command:remote:Command ${step} created`));
  });

  test("meetings land on both, and a join leads to the server of the meeting", async () => {
    for (let i = 1; i <= 8; i++) await create(`m${i}`);
    const found = await Promise.all([meetingsOn(1), meetingsOn(2)]);
    expect(found.map((ids) => ids.length)).toEqual([4, 4]);
    for (const id of ["m1", "m2"]) expect(await serverOf(id)).toBe(found[0].includes(id) ? node(1) : node(2));
  });

  test("a front end never sees a server's secret, and no server takes the front ends'", async () => {
    const own = await Promise.all([secretOf(1), secretOf(2)]);
    expect(new Set([...own, out.sharedSecret]).size).toBe(3);
    const forFrontEnds = Object.entries(await poolOutputs()).filter(([name]) => name !== "nodes");
    const shown = JSON.stringify(forFrontEnds) + (await must(["outputs", "--json"]));
    for (const secret of own) expect(shown + first.stdout).not.toContain(secret);
    const api = { url: `https://${node(1)}/bigbluebutton/api`, secret: out.sharedSecret };
    expect(await call("getMeetings", {}, api)).toContain("checksumError");
  });

  test("a second run changes nothing", async () => {
    expect((await up(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });
});

describe("from two to three while meetings run", () => {
  let before: string[];
  beforeAll(async () => {
    before = [...(await starts(1, 2)), await coturn()];
    await up(3);
    third = (await poolOutputs()).servers[node(3)]!.ipv4;
  });

  test("nothing restarts on those that were there, and their meetings go on", async () => {
    expect([...(await starts(1, 2)), await coturn()]).toEqual(before);
    expect([...(await meetingsOn(1)), ...(await meetingsOn(2))]).toHaveLength(8);
  });

  test("new meetings reach the third", async () => {
    await create("m9");
    expect(await serverOf("m9")).toBe(node(3));
  });
});

describe("from three to two", () => {
  test("with a meeting on the third it is refused, with its number and what to do; the meeting goes on", async () => {
    const { code, stdout, stderr } = await tryUp(2);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`${node(3)} stays: it still has 1 meeting`);
    expect(stdout + stderr).toContain("run the same command again");
    expect(await names()).toContain(node(3));
    expect(await serverOf("m9")).toBe(node(3));
    expect(await peers()).toContain(third);
    await create("m10");
    expect(await serverOf("m10")).not.toBe(node(3));
  });

  test("also where the balancer has forgotten the meeting", async () => {
    await onHost(BALANCER, ["redis-cli", "FLUSHALL"]);
    expect(await serverOf("m9")).toBeUndefined();
    // As its timer does.
    await onHost(BALANCER, ["systemctl", "start", "bbb-deploy-pool"]);
    expect(await rake("servers:yaml[true]")).toContain(node(1));
    const { code, stdout, stderr } = await tryUp(2);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`${node(3)} stays: it still has 1 meeting`);
    expect(await meetingsOn(3)).toEqual(["m9"]);
  });

  test("after its end the same command succeeds, and nothing of the server is left", async () => {
    const api = { url: `https://${node(3)}/bigbluebutton/api`, secret: await secretOf(3) };
    await call("end", { meetingID: "m9", password: "moderator" }, api);
    await up(2);
    expect(await names()).toEqual([node(1), node(2), BALANCER, TURN].sort());
    const left = (await accountObjects()).filter((object) => JSON.stringify(object).includes("bbb-3"));
    expect(left.map(({ kind, name }) => `${kind} ${name}`)).toEqual([]);
    expect(await peers()).not.toContain(third);
    expect(await rake("servers:yaml[true]")).not.toContain(node(3));
    expect((await up(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });

  test("the meetings of the others went on all the time", async () => {
    expect([...(await meetingsOn(1)), ...(await meetingsOn(2))]).toEqual(
      expect.arrayContaining(["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8", "m10"]),
    );
  });
});

describe("the balancer", () => {
  test("restarts without an end to a meeting; joins work again", async () => {
    const before = [...(await meetingsOn(1)), ...(await meetingsOn(2))];
    await create("m11");
    await onHost(BALANCER, [
      "systemctl",
      "restart",
      "bbb-deploy-scalelite-api",
      "bbb-deploy-scalelite-poller",
      "redis-server",
    ]);
    await onHost(BALANCER, [
      "bash",
      "-c",
      "until curl -sf http://127.0.0.1:3000/health_check; do sleep 1; done",
    ]);
    expect(await serverOf("m11")).toMatch(/^bbb-[12]/);
    expect([...(await meetingsOn(1)), ...(await meetingsOn(2))]).toEqual(expect.arrayContaining(before));
  });

  test("is a stack's for good: a pool becomes no single server", async () => {
    const { code, stdout, stderr } = await tryUp(0);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain("this stack is a pool");
  });
});

describe("destroy", () => {
  test("is refused while a meeting runs, without any program", async () => {
    const { code, stdout, stderr } = await tryUpdate("destroy", "embedded");
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(/bbb-[12]\.example\.test stays: it still has \d+ meetings?/);
    expect(await names()).toEqual(expect.arrayContaining([node(1), node(2), BALANCER, TURN]));
  });

  test("leaves nothing of an empty pool", async () => {
    for (const number of [1, 2]) {
      const api = { url: `https://${node(number)}/bigbluebutton/api`, secret: await secretOf(number) };
      for (const id of await meetingsOn(number))
        await call("end", { meetingID: id, password: "moderator" }, api);
    }
    await update("destroy", "embedded");
    expect(await accountObjects()).toEqual([]);
  });
});
