import {
  reveal,
  runProgram,
  settings,
  stepsIn,
  turnPeersIn,
  type Run,
  type Variation,
} from "../support/program";

const OWNER = "organization/bigbluebutton/owner";

const shared = (outputs: Readonly<Record<string, string>>): Variation => ({
  settings: { turn: { kind: "shared", stack: "owner" } },
  stacks: { [OWNER]: outputs },
});
const owner = { turnHost: "turn.example.net", turnSecret: "a secret of the owner's" };

describe("with another stack's TURN server", () => {
  let run: Run;
  beforeAll(async () => {
    run = await runProgram(shared(owner));
  });

  test("there is no TURN host of its own, nor anything about one", () => {
    expect(run.resources.filter(({ name }) => name.startsWith("turn"))).toEqual([]);
    expect(run.ofType("hcloud:index/server:Server").map(({ name }) => name)).toEqual(["bbb-host-server"]);
    expect(stepsIn(run).every(({ name }) => name.startsWith("bbb-"))).toBe(true);
  });

  test("BigBlueButton is given that server's name and secret, as a secret", () => {
    expect(run.get("bbb-install").inputs.create).toContain("-c turn.example.net:THROW-AWAY");
    const { inputs, secretInputs } = run.get("bbb-wire");
    expect(inputs.stdin).toContain(`value="${owner.turnSecret}"`);
    expect(inputs.stdin).toContain('value="turns:turn.example.net:443?transport=tcp"');
    expect(secretInputs).toContain("stdin");
  });

  test("the verification is told whose it is", () => {
    expect(JSON.parse(run.get("bbb-verify").inputs.stdin as string)).toMatchObject({
      turnHost: "turn.example.net",
      turnSecret: owner.turnSecret,
      turnStack: "owner",
    });
  });

  test("outputs tell of what there is", async () => {
    const out = Object.fromEntries(
      await Promise.all(Object.entries(run.outputs).map(async ([key, value]) => [key, await reveal(value)])),
    ) as Record<string, { value: unknown; secret: boolean }>;
    expect(out.turnUrls!.value).toEqual([
      "turn:turn.example.net:3478",
      "turns:turn.example.net:443?transport=tcp",
    ]);
    expect(out.turnSecret).toEqual({ value: owner.turnSecret, secret: true });
    // Of one that is there without a value, the CLI says that it will not show.
    expect(Object.keys(out)).not.toContain("turnHost");
    expect(out.addresses!.value).toMatchObject({ bbb: { ipv4: "203.0.113.1" }, turn: undefined });
    expect(Object.keys(out.check!.value as object)).toEqual(["bbb"]);
    expect((out.knownHosts!.value as string).split("\n")).toHaveLength(2);
  });
});

test.each([
  ["makes none of its own", { turnSecret: "x" }, "whose outputs tell of no TURN server of its own"],
  ["keeps its secrets to itself", { turnHost: "turn.example.net" }, "passphrase or key does not open"],
])("a stack that %s is refused before anything is made", async (_name, outputs, message) => {
  await expect(runProgram(shared(outputs))).rejects.toThrow(message);
});

test("each of turnPeers is one peer more, which restarts nothing and reaches nothing else", async () => {
  const before = await runProgram();
  const after = await runProgram({
    settings: { turn: { ...settings.turn, peers: ["203.0.113.77", "2001:db8:77::1"] } },
  });
  expect(turnPeersIn(after)).toEqual([...turnPeersIn(before), "203.0.113.77", "2001:db8:77::1"]);
  const differ = after.resources.filter(
    ({ urn, inputs }) =>
      JSON.stringify(inputs) !== JSON.stringify(before.resources.find((one) => one.urn === urn)!.inputs),
  );
  expect(differ.map(({ name }) => name).sort()).toEqual(["bbb-verify", "turn-access", "turn-verify"]);
});
