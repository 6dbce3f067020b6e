import { expectDeployed, freshSandbox, installerRuns, up } from "../support/faults";
import { killWhen } from "../support/kill";
import { IN_HETZNER_DNS } from "../support/sandbox";

/**
 * Engines that are killed, in the middle of each step. Telling and quick, so that it is one of the end-to-end tests, too
 * (jest.config.js).
 */

beforeAll(freshSandbox);

const killed = (moment: RegExp) => killWhen(["up", "--engine", "embedded"], (output) => moment.test(output));

describe("Updates that are killed", () => {
  for (const [what, moment] of [
    ["the cloud's resources are made", /PrimaryIp|primary-?ip/i],
    ["the servers boot", /hcloud:index\S*:Server\b/],
  ] as const) {
    test(`the engine killed while ${what}: the next update goes on from there`, () => killed(moment));
  }

  for (const [step, moment] of [
    ["BigBlueButton's host is checked", /\[bbb 2\/7\].*started/],
    ["its system is prepared", /\[bbb 3\/7\].*started/],
    ["the recordings volume is mounted", /\[bbb 4\/7\].*started/],
    ["coturn is installed", /\[turn 4\/6\].*started/],
    ["coturn is configured", /\[turn 5\/6\].*started/],
    ["BigBlueButton is installed", /\[bbb 5\/7\].*started/],
    ["BigBlueButton is wired", /\[bbb 6\/7\].*started/],
    ["the deployment is verified", /\[bbb 7\/7\].*started/],
    ["BigBlueButton is verified from TURN", /\[turn 6\/6\].*started/],
  ] as const) {
    test(`the engine killed while ${step}: the next update goes on from there`, () => killed(moment));
  }

  test("after all of these: the deployment is complete, and the installer ran once", async () => {
    await up();
    await expectDeployed();
    expect(await installerRuns(IN_HETZNER_DNS.bbb)).toBe(1);
  });
});
