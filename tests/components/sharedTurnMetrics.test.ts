import { renderScrapeConfig } from "../../bigbluebutton/metrics";
import { reveal, runComponents, secretOf, type Run } from "../support/program";

const common = { domain: "example.org", email: "a@school.org", sshNetworks: ["198.51.100.7/32"] };
const networks = ["198.51.100.9/32"];

/** A school, and the TURN server that it uses, with or without metrics. */
const made = (ofTurn: object, ofSchool: object): Promise<Run> =>
  runComponents(({ BigBlueButton, SharedTurnServer }) => {
    const turn = new SharedTurnServer("relay", { ...common, ...ofTurn });
    const school = new BigBlueButton("school", { ...common, ...ofSchool, turn });
    return {
      token: turn.metricsToken,
      config: turn.metricsScrapeConfig,
      ofSchool: school.metricsScrapeConfig,
    };
  });
const steps = (run: Run) => run.resources.map(({ name }) => name).filter((name) => name.endsWith("-metrics"));

test("a shared TURN server has a token, a step and a port of its own", async () => {
  const run = await made({ metrics: { networks } }, {});
  expect(steps(run)).toEqual(["relay-turn-metrics"]);
  const { inputs, dependsOn } = run.get("relay-turn-metrics");
  expect(inputs.stdin).toBe(`${secretOf("relay-metrics-token")}\n`);
  expect(inputs.create).toContain(" --role turn --hostname turn.example.org --script-hash ");
  expect(dependsOn).toContain("relay-turn-configure");
  expect(await reveal(run.outputs.token)).toEqual({ value: secretOf("relay-metrics-token"), secret: true });
  const { value } = await reveal(run.outputs.config);
  expect(value).toBe(renderScrapeConfig({ turnHost: "turn.example.org" }));
  expect(String(value).match(/job_name: .*/g)).toEqual(["job_name: turn-host"]);
  expect(run.get("relay-turn-host-firewall").inputs.rules.at(-1)).toMatchObject({
    ...{ port: "9100", sourceIps: networks },
  });
});

test("a school with metrics asks for none of the TURN server that it shares", async () => {
  const run = await made({}, { metrics: true });
  expect(steps(run)).toEqual(["school-bbb-metrics"]);
  expect((await reveal(run.outputs.token)).value).toBeUndefined();
  expect(String((await reveal(run.outputs.ofSchool)).value)).not.toContain("turn");
});
