/** Programs that import the package, run by the engine: what their mistakes come to. */
import { join } from "node:path";

import { root, Workbench, type Result } from "../sandbox/engine/support";

let bench: Workbench | undefined;
afterEach(() => bench?.close());

/** The result of an update of a program of components; with mistakes, no cloud is asked. */
async function run(body: string): Promise<Result> {
  bench = new Workbench(`
    require(${JSON.stringify(join(root, "node_modules/tsx/dist/cjs/index.cjs"))});
    const { BigBlueButton, SharedTurnServer } = require(${JSON.stringify(join(root, "package.ts"))});
    const common = { domain: "example.org", email: "admin@school.eu", environment: "test", sshNetworks: ["198.51.100.7/32"] };
    ${body}`);
  bench.env = { PATH: process.env.PATH!, HCLOUD_ENDPOINT: "http://127.0.0.1:9/v1" };
  return bench.up();
}

test("mistakes in plain arguments are told together, of all components, by the arguments' names", async () => {
  const { errors, summary } = await run(`
    new BigBlueButton("school-a", { ...common, release: "jammy", recordingsGb: 3 });
    exports.b = new BigBlueButton("school-b", { ...common, hostname: "b", turnHostname: "turn-b", domain: "nowhere", protekt: true });
  `);
  expect(errors).toHaveLength(1);
  const [message] = errors;
  expect(message).toMatch(
    /^2 problems in the arguments of BigBlueButton "school-a"; nothing was changed\.\n/,
  );
  expect(message).toContain(
    "\n  recordingsGb is 3; a volume has 10 to 10240 GB\n    → recordingsGb: 100, or 0 for none\n",
  );
  expect(message).toContain('\n2 problems in the arguments of BigBlueButton "school-b"');
  expect(message).toContain("  protekt is no setting; did you mean protect?\n    → leave out protekt");
  expect(message).not.toMatch(/pulumi config|error serializing/);
  // The stack and the two components.
  expect(summary.created).toBe(3);
});

test("a name that another component has is told with its owner", async () => {
  const { errors } = await run(`
    new BigBlueButton("school-a", common);
    new BigBlueButton("school-b", { ...common, turnHostname: "turn-b" });
  `);
  expect(errors[0]).toContain(
    'hostname makes the name bbb.example.org, which is that of BigBlueButton "school-a"\n    → hostname: "bbb-2"',
  );
});

test("with turn, nothing can be said of a TURN server", async () => {
  const { errors } = await run(`
    const turn = { turnHost: "turn.example.net", turnSecret: "x" };
    new BigBlueButton("school-a", { ...common, turn, turnLocation: "nbg1" });
  `);
  expect(errors[0]).toContain(
    "turnLocation is given, but the TURN server is that of `turn`, which alone decides about it",
  );
});

test("a TURN server that nobody has is refused", async () => {
  const { errors } = await run(`
    const relay = new SharedTurnServer("relay", common);
    exports.urls = new (require("@pulumi/pulumi").ComponentResource)("a:b:C", "c", { urls: relay.turnUrls }).urn;
  `);
  expect(errors.join("\n")).not.toContain("error serializing");
  expect(errors[0]).toMatch(
    /^1 problem in the arguments of SharedTurnServer "relay".*\n\n {2}turnPeers is empty, and no BigBlueButton /,
  );
});

test("a shared TURN server has one dead man's switch, as it is alone", async () => {
  const { errors } = await run(`
    const alerts = { webhook: { url: "https://hooks.school.eu/x", form: "slack" }, turnHealthcheckUrl: "https://hc.eu/1" };
    new SharedTurnServer("relay", { ...common, turnPeers: ["203.0.113.9"], alerts });
  `);
  expect(errors[0]).toContain(
    "alerts.turnHealthcheckUrl is given, but this server is alone: its own is healthcheckUrl\n    → give it as alerts.healthcheckUrl",
  );
});

test("a deployment that comes too late for a TURN server's peers is refused", async () => {
  const { errors } = await run(`
    const turn = new SharedTurnServer("relay", { ...common, turnPeers: ["203.0.113.9"] });
    module.exports = async () => {
      await new Promise((done) => setTimeout(done, 20));
      new BigBlueButton("school-a", { ...common, turn });
    };
  `);
  expect(errors.join("\n")).toContain(
    'BigBlueButton "school-a" comes too late for the TURN server of SharedTurnServer "relay"',
  );
});

test("a name that cannot become a label is refused", async () => {
  const { errors } = await run(`new BigBlueButton("School A", common);`);
  expect(errors[0]).toContain('name is "School A", of which labels at the clouds are made');
});
