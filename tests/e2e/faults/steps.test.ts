import { expectDeployed, freshSandbox, installerRuns, upInBackground } from "../support/faults";
import { IN_HETZNER_DNS } from "../support/sandbox";

/**
 * Updates killed in the middle of each step, and the update after it, which the next case kills. Telling and quick, so
 * it is also one of the end-to-end tests (jest.config.js).
 */

let running: ReturnType<typeof upInBackground>;

beforeAll(async () => {
  await freshSandbox();
  running = upInBackground();
});

afterAll(() => running.kill());

/** Kills the running update when it prints that, and starts the next one. */
async function killAt(moment: RegExp): Promise<void> {
  await running.prints(moment);
  running.kill();
  await running.ended;
  expect(running.update.code).toBeNull();
  running = upInBackground();
}

const started = (step: string) => new RegExp(`${step}: .*: started`);

describe("Updates that are killed", () => {
  for (const [what, moment] of [
    ["the cloud's resources are made", /PrimaryIp|primary-?ip/i],
    ["the servers boot", /hcloud:index\S*:Server\b/],
  ] as const) {
    test(`the engine killed while ${what}: the next update goes on from there`, async () => {
      await killAt(moment);
      await running.prints(/hcloud:index\S*:Server\b|host-server: found what the killed update had created/);
      expect(running.update.printed).not.toMatch(started("bbb-preflight"));
    });
  }

  const steps = [
    ["BigBlueButton's host is checked", "bbb-preflight"],
    ["its system is prepared", "bbb-prepare"],
    ["the recordings volume is mounted", "bbb-recordings"],
    ["coturn is installed", "turn-install"],
    ["coturn is configured", "turn-configure"],
    ["BigBlueButton is installed", "bbb-install"],
    ["BigBlueButton is wired", "bbb-wire"],
    ["the deployment is verified", "bbb-verify"],
    ["BigBlueButton is verified from TURN", "turn-verify"],
  ] as const;
  for (const [index, [what, step]] of steps.entries()) {
    test(`the engine killed while ${what}: the next update goes on from there`, async () => {
      await killAt(started(step));
      await running.prints(started(step));
      const host = step.split("-")[0]!;
      const before = steps.slice(0, index).filter(([, name]) => name.startsWith(host));
      for (const [, done] of before) expect(running.update.printed).not.toMatch(started(done));
    });
  }

  test("after all of these: the deployment is complete, and the installer ran once", async () => {
    await running.ended;
    expect(running.update.code).toBe(0);
    await expectDeployed();
    expect(await installerRuns(IN_HETZNER_DNS.bbb)).toBe(1);
  });
});
