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
    ["BigBlueButton's host is checked", /started \[bbb 2\/7\]/],
    ["its system is prepared", /started \[bbb 3\/7\]/],
    ["the recordings volume is mounted", /started \[bbb 4\/7\]/],
    ["coturn is installed", /started \[turn 4\/6\]/],
    ["coturn is configured", /started \[turn 5\/6\]/],
    ["BigBlueButton is installed", /started \[bbb 5\/7\]/],
    ["BigBlueButton is wired", /started \[bbb 6\/7\]/],
    ["the deployment is verified", /started \[bbb 7\/7\]/],
    ["BigBlueButton is verified from TURN", /started \[turn 6\/6\]/],
  ] as const) {
    test(`the engine killed while ${step}: the next update goes on from there`, () => killed(moment));
  }

  test("after all of these: the deployment is complete, and the installer ran once", async () => {
    await up();
    await expectDeployed();
    expect(await installerRuns(IN_HETZNER_DNS.bbb)).toBe(1);
  });
});
