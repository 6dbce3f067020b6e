import { getMeetings } from "./support/checks";
import { engineMissing, killGroup, must, outputs, printed, start } from "./support/sandbox";
import { testUnless, update, type Engine } from "./support/sandbox";

/** Moments at which an up is killed, by what it has just printed; each begins where the one before was stopped. */
const MOMENTS = [
  ["while the cloud's resources are made", /PrimaryIp|primary-?ip/i],
  ["while the servers boot", /hcloud:index\S*:Server\b/],
  ["while coturn is installed", /\[turn 4\/6\].*started/],
  ["while BigBlueButton is installed", /\[bbb \d\/\d\] Install BigBlueButton.*started/],
] as const;

/** Starts an up and kills it, and all that it started, when its output matches. */
async function killUp(engine: Engine, moment: RegExp): Promise<void> {
  const child = start(["up", "--engine", engine]);
  let output = "";
  let killed = false;
  const look = (chunk: Buffer) => {
    output += chunk.toString();
    if (!killed && moment.test(output)) {
      killed = true;
      killGroup(child);
    }
  };
  child.stdout?.on("data", look);
  child.stderr?.on("data", look);
  await new Promise((done) => child.on("close", done));
  printed.push(output);
  if (!killed) throw new Error(`up ended before it could be killed:\n${output}`);
}

for (const engine of ["embedded", "pulumi"] satisfies Engine[]) {
  describe(`an up that is killed, by the ${engine} engine`, () => {
    const missing = engineMissing(engine);
    const test = testUnless(missing);
    if (missing === undefined) beforeAll(() => must(["reset"]));

    for (const [name, moment] of MOMENTS) {
      test(`${name}: it is killed there`, async () => {
        await killUp(engine, moment);
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
}
