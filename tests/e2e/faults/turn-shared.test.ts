import { checkpointReferences } from "../support/account";
import { expectService, MEDIA_PORT } from "../support/checks";
import { identity, STATE } from "../support/hosts";
import {
  must,
  onHost,
  outputs,
  outside,
  PYTHON,
  startTool,
  TOOLS,
  tryUpdate,
  update,
  type Outputs,
} from "../support/sandbox";
import { found } from "../support/secrets";
import { turn, turnPeers, WAYS_IN } from "../support/turn";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Two stacks of the project, of which the second uses the first one's TURN server. */

const FIRST = ["--stack", "first"];
const SECOND = ["--stack", "second", "--set", "hostname=bbb-second", "--set", "turnStack=first"];
const TURN = "turn.example.test";
const BBB = "bbb-second.example.test";

let first: Outputs;
let second: Outputs;
let conf: string;
let turnHost: string;
let refusal: string;

const peersOf = (...addresses: string[]) => ["--set", `turnPeers=${JSON.stringify(addresses)}`];
const turnConf = () => onHost(TURN, ["cat", "/etc/turnserver.conf"]);
const coturnStarts = () => onHost(TURN, ["systemctl", "show", "-P", "InvocationID", "coturn"]);

interface Steady {
  readonly lost: number;
  readonly longest: number;
}

/** Starts a relay by which a peer answers all the time. */
const startRelay = ({ turnSecret: secret }: Pick<Outputs, "turnSecret">, peer: string) =>
  startTool(
    ["--", PYTHON, `${TOOLS}/turn_load.py`],
    "relaying",
    `${JSON.stringify({ server: TURN, ...WAYS_IN[1], secret, do: "steady", peer: [peer, MEDIA_PORT] })}\n`,
  );
const bbbAddress = async () => (await outside(["getent", "ahostsv4", BBB])).stdout.split(" ")[0]!;

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", FIRST);
  first = await outputs(FIRST);
  conf = await turnConf();
  turnHost = await identity(TURN);
});

describe("One TURN server for two", () => {
  test("turnPeers lacks the second server: its update fails with just that, and the remedy", async () => {
    const starts = await coturnStarts();
    const { code, stdout } = await tryUpdate("up", "embedded", SECOND);
    expect(code).toBe(1);
    refusal = await bbbAddress();
    for (const way of ["UDP", "TCP", "TLS"]) {
      expect(stdout).toMatch(new RegExp(`FAIL .* TURN over ${way} .*no channel to ${refusal}: \\(403`));
    }
    expect(stdout).toContain(
      `add ${refusal} to the setting turnPeers of stack first, run pulumi up there, then here`,
    );
    const failed = [...stdout.matchAll(/FAIL +[\d.]+ s +(\S+)/g)].map(([, name]) => name);
    expect(new Set(failed)).toEqual(new Set(["TURN"]));
    expect(await turnConf()).toBe(conf);
    expect(await coturnStarts()).toBe(starts);
  });

  test("its address in turnPeers: one peer more, without a restart of coturn or an end to a relay", async () => {
    const starts = await coturnStarts();
    const before = await turnPeers(TURN);
    const relay = await startRelay(first, first.addresses.bbb.ipv4);
    const { summary } = await update("up", "embedded", [...FIRST, ...peersOf(refusal)]);
    expect(Object.keys(summary).sort()).toEqual(["unchanged", "updated"]);
    expect(summary.updated).toBe(3);
    expect(await turnPeers(TURN)).toEqual([...before, refusal]);
    expect(await turnConf()).toBe(conf);
    expect(await coturnStarts()).toBe(starts);
    expect(await identity(TURN)).toBe(turnHost);
    expect(await relay.stop<Steady>()).toMatchObject({ lost: 0 });
  });

  test("the second stack's next update: ends well, without a TURN host of its own", async () => {
    await update("up", "embedded", SECOND);
    second = await outputs(["--stack", "second"]);
    expect(second).toMatchObject({
      url: `https://${BBB}`,
      turnUrls: first.turnUrls,
      turnSecret: first.turnSecret,
      addresses: { bbb: { ipv4: refusal } },
    });
    expect(second.addresses.turn).toBeUndefined();
    expect(checkpointReferences("second").filter((name) => name.startsWith("servers"))).toHaveLength(1);
  });

  test("clients of both: served by the one TURN server, each way, and nobody else is", async () => {
    await expectService(first, TURN);
    await expectService({ ...second, addresses: { ...first.addresses, ...second.addresses } }, TURN);
    for (const way of WAYS_IN) {
      const channels = [[first.addresses.turn.ipv4, MEDIA_PORT] as const];
      const result = await turn({ server: TURN, ...way, secret: first.turnSecret, channels });
      expect(Object.values(result.channels ?? {})).toEqual([403]);
    }
  });

  test("the borrowed secret: in no plain checkpoint", () => {
    const plain = readFileSync(join(STATE, "stacks", "stacks", "second.json"), "latin1");
    expect(plain).toContain("pulumi:pulumi:StackReference");
    expect(found([["TURN secret", first.turnSecret]], plain)).toEqual([]);
  });

  test("a second up of either: changes nothing", async () => {
    for (const args of [[...FIRST, ...peersOf(refusal)], SECOND]) {
      expect(Object.keys((await update("up", "embedded", args)).summary)).toEqual(["unchanged"]);
    }
  });

  test("a rotated secret: the second server's clients are served all the time, and it gets it at its next update", async () => {
    const starts = await coturnStarts();
    const relay = await startRelay(second, refusal);
    await update("up", "embedded", [...FIRST, ...peersOf(refusal), "--set", "rotateTurnSecret=second"]);
    const { turnSecret } = await outputs(FIRST);
    expect(turnSecret).not.toBe(first.turnSecret);
    await expectService({ ...second, addresses: { ...first.addresses, ...second.addresses } }, TURN);
    const { summary } = await update("up", "embedded", SECOND);
    expect(summary.updated).toBe(2);
    expect(await onHost(BBB, ["cat", "/etc/bigbluebutton/turn-stun-servers.xml"])).toContain(turnSecret);
    expect(await coturnStarts()).toBe(starts);
    expect(await relay.stop<Steady>()).toMatchObject({ lost: 0 });
  });

  test("a turnStack that is not there: refused before anything is made", async () => {
    const { code, stdout } = await tryUpdate("preview", "embedded", [
      ...["--stack", "third", "--set", "hostname=bbb-third", "--set", "turnStack=nobody"],
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain('unknown stack "organization/bigbluebutton/nobody"');
  });

  test("its address is taken from turnPeers: refused within seconds, and what was relayed there ends; other relays go on", async () => {
    const starts = await coturnStarts();
    const { turnSecret } = await outputs(FIRST);
    const [to, other] = await Promise.all(
      [refusal, first.addresses.bbb.ipv4].map((peer) => startRelay({ turnSecret }, peer)),
    );
    await update("up", "embedded", [...FIRST, "--set", "rotateTurnSecret=second"]);
    const channels = [[refusal, MEDIA_PORT] as const];
    const result = await turn({ server: TURN, ...WAYS_IN[0], secret: turnSecret, channels });
    expect(Object.values(result.channels ?? {})).toEqual([403]);
    const ended = await to!.stop<Steady>();
    expect(ended.longest).toBeGreaterThan(1);
    expect(await other!.stop<Steady>()).toMatchObject({ lost: 0 });
    expect(await coturnStarts()).toBe(starts);
  });

  test("the second stack is destroyed: the TURN server stays as it is", async () => {
    const starts = await coturnStarts();
    await update("destroy", "embedded", ["--stack", "second"]);
    expect(checkpointReferences("second")).toEqual([]);
    expect(await coturnStarts()).toBe(starts);
    expect(await identity(TURN)).toBe(turnHost);
  });
});
