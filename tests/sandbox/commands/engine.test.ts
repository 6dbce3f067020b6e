import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directory = mkdtempSync(join(tmpdir(), "engine-choice-"));
process.env.BBB_SANDBOX_STATE = join(directory, "state");

// Loaded only now: they read the environment once.
const { chooseEngine } = jest.requireActual<typeof import("../../../sandbox/commands/engine")>(
  "../../../sandbox/commands/engine",
);
const { cloudOf, rememberCloud, stackExists } = jest.requireActual<
  typeof import("../../../sandbox/commands/stacks")
>("../../../sandbox/commands/stacks");

const HELD = { resources: [{ type: "aws:ec2/eip:Eip", custom: true }] };

function write(file: string, content: unknown): void {
  const path = join(directory, "state", "stacks", file);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, JSON.stringify(content));
}

/** Stand-in for a CLI that has these plugins. */
const cli =
  (...more: string[]) =>
  () =>
    Promise.resolve(["hcloud", "command", "random", "tls", ...more]);
const noCli = () => Promise.resolve(undefined);

afterEach(() => {
  rmSync(join(directory, "state"), { recursive: true, force: true });
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

test("a stack that an engine has stays with it, and is refused to the other in one line", async () => {
  write("stacks/mine.json", { version: 3, deployment: HELD });
  write("pulumi/.pulumi/stacks/bigbluebutton/theirs.json", { version: 3, checkpoint: { latest: HELD } });
  await expect(chooseEngine("auto", "mine", { aws: false })).resolves.toBe("embedded");
  await expect(chooseEngine("auto", "theirs", { aws: false })).resolves.toBe("pulumi");
  await expect(chooseEngine("embedded", "mine", { aws: false })).resolves.toBe("embedded");
  await expect(chooseEngine("pulumi", "mine", { aws: false })).rejects.toThrow(
    /^stack mine was brought up by the embedded engine, .*--engine embedded.*$/,
  );
  await expect(chooseEngine("embedded", "theirs", { aws: false })).rejects.toThrow(
    /^stack theirs was brought up by the pulumi engine, .*--engine pulumi.*$/,
  );
});

test("a stack that holds nothing is anyone's", async () => {
  write("stacks/empty.json", { version: 3, deployment: { resources: [{ type: "pulumi:pulumi:Stack" }] } });
  await expect(chooseEngine("pulumi", "empty", { aws: false })).resolves.toBe("pulumi");
  await expect(chooseEngine("embedded", "empty", { aws: false })).resolves.toBe("embedded");
});

test.each([
  ["without AWS", false, cli(), "pulumi"],
  ["with AWS, without its plugin", true, cli(), "embedded"],
  ["with AWS and its plugin", true, cli("aws"), "pulumi"],
  ["without a CLI", false, noCli, "embedded"],
  ["with a CLI that has no plugins", false, () => Promise.resolve([]), "embedded"],
] as const)("auto %s takes what can do it", async (_case, aws, plugins, engine) => {
  await expect(chooseEngine("auto", "new", { aws }, plugins)).resolves.toBe(engine);
});

test("the CLI without the aws plugin is refused for AWS in one line", async () => {
  await expect(chooseEngine("pulumi", "new", { aws: true }, cli())).rejects.toThrow(
    /plugin aws.*--engine embedded$/,
  );
  await expect(chooseEngine("pulumi", "new", { aws: true }, cli("aws"))).resolves.toBe("pulumi");
});

test("the cloud of a stack is known for as long as it is deployed", () => {
  rememberCloud("mine", "aws");
  expect(cloudOf("mine")).toBeUndefined();
  write("stacks/mine.json", { version: 3, deployment: HELD });
  expect(cloudOf("mine")).toBe("aws");
  expect(cloudOf("other")).toBeUndefined();
});

test("a stack exists from its first update on, also when nothing is left of it", () => {
  expect(stackExists("mine")).toBe(false);
  write("stacks/mine.json", { version: 3, deployment: {} });
  write("pulumi/.pulumi/stacks/bigbluebutton/theirs.json", { version: 3, checkpoint: { latest: null } });
  expect(["mine", "theirs", "other"].map(stackExists)).toEqual([true, true, false]);
});
