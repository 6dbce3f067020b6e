import { idOf, runProgram, scripts, settings, stepsIn, type Registered, type Run } from "../support/program";

let run: Run;
beforeAll(async () => {
  run = await runProgram();
});

const texts = ({ inputs }: Registered) => JSON.stringify(inputs);
const changed = (other: Run) =>
  other.resources.filter((one) => texts(one) !== texts(run.resources.find(({ urn }) => urn === one.urn)!));
const names = (resources: readonly Registered[]) => resources.map(({ name }) => name).sort();
const edit = (script: string) =>
  scripts.map((file) => (file.name === script ? { ...file, content: `${file.content}true\n` } : file));

test("nothing, where nothing changed", async () => {
  expect(names(changed(await runProgram()))).toEqual([]);
});

test("nothing, where duringMeetings alone is set, changed or removed", async () => {
  const done = { upgrade: "1", rotateSharedSecret: "1", turn: { ...settings.turn, rotateSecret: "1" } };
  const inputs = async (duringMeetings: string) =>
    (await runProgram({ settings: { ...done, duringMeetings } })).resources.map(texts);
  const without = await inputs("");
  expect(await inputs("1")).toEqual(without);
  expect(await inputs("2")).toEqual(without);
});

test("with another TURN secret: what holds it, and the proof", async () => {
  const other = await runProgram({ settings: { turn: { ...settings.turn, rotateSecret: "1" } } });
  expect(names(changed(other))).toEqual([
    "bbb-verify",
    "bbb-wire",
    "turn-access",
    "turn-configure",
    "turn-secret",
    "turn-verify",
  ]);
});

test("with another shared secret: the wiring and the proof", async () => {
  const other = await runProgram({ settings: { rotateSharedSecret: "1" } });
  expect(names(changed(other))).toEqual(["bbb-shared-secret", "bbb-verify", "bbb-wire", "turn-verify"]);
});

test("with settings of meetings: the wiring and the proof, which have them on standard input", async () => {
  const other = await runProgram({ settings: { groups: { meetings: { welcome: "Grüß Gott" } } } });
  expect(names(changed(other))).toEqual(["bbb-verify", "bbb-wire", "turn-verify"]);
  const { create, stdin } = other.get("bbb-wire").inputs as { create: string; stdin: string };
  expect(create).toMatch(
    / --settings 'meetings\\?=meetings-[0-9a-f]{8}'| --settings meetings\\=meetings-[0-9a-f]{8}/,
  );
  expect(create).not.toContain("Gott");
  const [, document, xml] = stdin.split("\n");
  expect(JSON.parse(document!)).toMatchObject({ files: [{ path: "/etc/bigbluebutton/bbb-web.properties" }] });
  expect(xml).toMatch(/^<\?xml/);
  const request = JSON.parse(other.get("bbb-verify").inputs.stdin as string) as { ownedKeys: string };
  expect(request.ownedKeys).toBe(document);
  expect(JSON.parse(run.get("bbb-verify").inputs.stdin as string)).not.toHaveProperty("ownedKeys");
});

test("for an upgrade: the installer, then the wiring that it overwrites, then the proof", async () => {
  const other = await runProgram({ settings: { upgrade: "2026-12-01" } });
  expect(names(changed(other))).toEqual([
    "bbb-install",
    "bbb-install-resumed",
    "bbb-verify",
    "bbb-wire",
    "turn-verify",
  ]);
});

test("with another type of either server, which was off for it: the proof, once both are there", async () => {
  const other = await runProgram({ settings: { turn: { ...settings.turn, serverType: "ccx13" } } });
  expect(names(changed(other))).toEqual(["bbb-verify", "turn-host-server", "turn-verify"]);
  for (const verify of ["bbb-verify", "turn-verify"]) {
    expect(other.get(verify).dependsOn).toEqual(
      expect.arrayContaining(["bbb-host-server", "turn-host-server"]),
    );
  }
});

test("with a recordings volume added: what mounts it, and the proof", async () => {
  const without = await runProgram({ settings: { recordings: undefined } });
  const before = new Map(without.resources.map((one) => [one.urn, texts(one)]));
  const different = run.resources.filter((one) => before.get(one.urn) !== texts(one));
  expect(names(different)).toEqual([
    // It is to be shut down before it is deleted from now on.
    "bbb-host-server",
    "bbb-host-volume",
    "bbb-host-volume-attachment",
    "bbb-recordings",
    "bbb-recordings-release",
    "bbb-verify",
    "turn-verify",
  ]);
});

test("with a changed script: its own step and the proof, after the scripts are on the hosts", async () => {
  expect(names(changed(await runProgram({ scripts: edit("recordings.sh") })))).toEqual([
    "bbb-connect",
    "bbb-recordings",
    "bbb-verify",
    "turn-connect",
    "turn-verify",
  ]);
});

test.each(["step", "lib.sh"])("with a changed %s: every step", async (script) => {
  const other = await runProgram({ scripts: edit(script) });
  expect(names(changed(other))).toEqual(names(stepsIn(run)));
});

test("with another key of the operator's: the connection, and user data that is not looked at", async () => {
  const other = await runProgram({ settings: { sshPublicKeys: ["ssh-ed25519 AAAANEW me"] } });
  expect(names(changed(other))).toEqual([
    "bbb-connect",
    "bbb-host-server",
    "turn-connect",
    "turn-host-server",
  ]);
  const keys = ["ssh-ed25519 AAAAoperator-key", "ssh-ed25519 AAAANEW me"];
  expect(other.get("turn-connect").inputs.stdin).toContain(`\n${keys.join("\n")}\n`);
});

test("every step, by creation, on another server", () => {
  for (const { name, inputs, deletedWith } of stepsIn(run)) {
    const server = name.startsWith("bbb") ? "bbb-host-server" : "turn-host-server";
    const types = name.endsWith("-verify")
      ? ["ccx23", String(idOf("bbb-host-server")), "cpx22", String(idOf("turn-host-server"))]
      : [];
    expect({ name, triggers: inputs.triggers, deletedWith }).toEqual({
      name,
      triggers: [String(idOf(server)), ...types],
      deletedWith: server,
    });
    expect(inputs).toMatchObject({ addPreviousOutputInEnv: false, logging: "stdout" });
    expect([inputs.update, inputs.environment]).toEqual([undefined, undefined]);
    // An address that is released is no peer any more.
    expect(inputs.delete !== undefined).toBe(name === "turn-access");
  }
});
