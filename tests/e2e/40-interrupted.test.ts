import { getMeetings } from "./support/checks";
import { killWhen } from "./support/kill";
import { engineMissing, must, outputs, testUnless, update, type Engine } from "./support/sandbox";

/** Moments at which an up is killed, by what it has just printed; each begins where the one before was stopped. */
const MOMENTS = [
  ["while the cloud's resources are made", /PrimaryIp|primary-?ip/i],
  ["while the servers boot", /hcloud:index\S*:Server\b/],
  ["while coturn is installed", /started \[turn 4\/7\]/],
  ["while BigBlueButton is installed", /Install BigBlueButton.*started \[bbb \d\/\d\]/],
] as const;

// By the embedded engine, and at many more moments: faults/steps.test.ts.
const engine: Engine = "pulumi";

describe(`an up that is killed, by the ${engine} engine`, () => {
  const missing = engineMissing(engine);
  const test = testUnless(missing);
  if (missing === undefined) beforeAll(() => must(["reset"]));

  for (const [name, moment] of MOMENTS) {
    test(`${name}: it is killed there`, async () => {
      await killWhen(["up", "--engine", engine], (output) => moment.test(output));
    });
  }

  test("the next up goes on to the end", async () => {
    await update("up", engine);
    const out = await outputs();
    expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("<returncode>SUCCESS</returncode>");
  });

  test("the up after that changes nothing", async () => {
    expect(Object.keys((await update("up", engine)).summary)).toEqual(["unchanged"]);
  });
});
