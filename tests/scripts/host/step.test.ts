import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { done, FakeHost, run, SCRIPTS, type Done } from "./scripts";

let host: FakeHost;
let lib: string;
let count: string;

/** Stand-in for systemctl with one unit, whose process it starts apart from the caller, as systemd would. */
const SYSTEMCTL = `
pid=$BBB_TEST_DIR/unit.pid
case $1 in
  start) setsid "$BBB_TEST_DIR/lib/step" --work long </dev/null >/dev/null 2>&1 & echo $! >"$pid" ;;
  is-active) if kill -0 "$(cat "$pid" 2>/dev/null)" 2>/dev/null; then echo active; else echo inactive; exit 3; fi ;;
esac`;

beforeEach(() => {
  host = new FakeHost();
  lib = join(host.directory, "lib");
  count = join(host.directory, "count");
  poll = "0.05";
  limit = "30";
  mkdirSync(lib);
  mkdirSync(join(host.directory, "state"));
  writeFileSync(join(host.directory, "state", "numbers"), "connect.sh 1/7\nlong.sh 5/7\nwire.sh 6/7\n");
  writeFileSync(join(host.directory, "boot-id"), "first");
  for (const name of ["step", "lib.sh"]) copyFileSync(join(SCRIPTS, name), join(lib, name));
  chmodSync(join(lib, "step"), 0o755);
  host.fake("systemctl", SYSTEMCTL);
});

afterEach(() => host.remove());

/** A step's script; it counts its runs. */
function script(name: string, body: string): void {
  const head = `#!/usr/bin/env bash\nset -euo pipefail\n. "$(dirname "$0")/lib.sh"\n`;
  writeFileSync(join(lib, name), `${head}echo run >>"${count}"\n${body}\n`);
}

function runs(): number {
  return existsSync(count) ? readFileSync(count, "utf8").split("\n").length - 1 : 0;
}

/** Time limit of a script, in seconds. */
let limit: string;

/** Seconds between a call's looks at its unit. */
let poll: string;

function start(...args: string[]) {
  return host.start([join(lib, "step"), "--time-limit", limit, ...args], environment());
}

function environment(): Record<string, string> {
  return {
    BBB_TEST_DIR: host.directory,
    BBB_DEPLOY_LOGS: join(host.directory, "log"),
    BBB_DEPLOY_STATE: join(host.directory, "state"),
    BBB_DEPLOY_UNITS: join(host.directory, "units"),
    BBB_DEPLOY_POLL: poll,
    BBB_DEPLOY_BOOT_ID: join(host.directory, "boot-id"),
    BBB_DEPLOY_GRACE: "2",
    BBB_DEPLOY_PATIENCE: "2",
  };
}

/** Collects its two streams separately. */
async function apart(child: ReturnType<typeof start>) {
  let [stdout, stderr] = ["", ""];
  child.stdout!.on("data", (data) => (stdout += data));
  child.stderr!.on("data", (data) => (stderr += data));
  const { code } = await done(child);
  return { code, stdout, stderr };
}

function step(...args: string[]): Promise<Done> {
  return done(start(...args), "from standard input\n");
}

const log = (name: string) => join(host.directory, "log", name);

describe("a step", () => {
  test("prints its beginning, its progress and its end, and keeps the rest in a log for root only", async () => {
    script("wire.sh", 'echo "detail: $*, $(cat)"; progress "half way"');
    const { code, output } = await step(
      "bbb",
      "Wire it",
      "wire.sh",
      "--flag",
      "a b",
      "--script-hash",
      "0123456789ab",
    );
    expect(code).toBe(0);
    expect(output).toMatch(
      /^Wire it: started \[bbb 6\/7\]\nhalf way \[bbb 6\/7\]\ndone in \d+ s: Wire it \[bbb 6\/7\]\n$/,
    );
    expect(readFileSync(log("wire.log"), "utf8")).toContain("detail: --flag a b, from standard input");
    expect(statSync(log("wire.log")).mode & 0o777).toBe(0o600);
  });

  test("shows the last 20 lines of this run's log when its script fails, and ends with its code", async () => {
    script("wire.sh", 'for i in $(seq "$1" "$2"); do echo "line $i."; done; exit 7');
    await step("bbb", "Wire it", "wire.sh", "900", "950");
    const { code, output } = await step("bbb", "Wire it", "wire.sh", "1", "40");
    expect(code).toBe(7);
    expect(output).toMatch(
      /FAILED after \d+ s: Wire it, log \S+\/wire\.log on \S+ \[bbb 6\/7\]\n {4}line 21\.\n/,
    );
    expect(output.match(/ {4}line \d+\./g)).toHaveLength(20);
    expect(output).not.toContain("line 9");
  });

  test("that fails says each thing once: what was told as it came, and on standard error the rest of the log", async () => {
    script("wire.sh", 'progress "half way"; echo "a detail"; fail "it is broken: mend it"');
    const { code, stdout, stderr } = await apart(start("bbb", "Wire it", "wire.sh"));
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^Wire it: started \[bbb 6\/7\]\nhalf way \[bbb 6\/7\]\nit is broken: mend it \[bbb 6\/7\]\nFAILED after .*\n$/,
    );
    expect(stderr).toBe("    a detail\n");
    expect(readFileSync(log("wire.log"), "utf8")).toMatch(/\d {2}> it is broken: mend it\n/);
  });

  test("names the command that ended a script which had no more to say", async () => {
    script("wire.sh", "false");
    expect((await step("bbb", "Wire it", "wire.sh")).output).toMatch(
      /line \d+ of wire\.sh: false ended with 1/,
    );
  });

  test("stops a script at its time limit", async () => {
    script("wire.sh", "sleep 20");
    limit = "1";
    const { code, output } = await step("bbb", "Wire it", "wire.sh");
    expect(code).toBe(124);
    expect(output).toContain("not done after 1 s, its time limit");
  });

  test("says of which role its host is, where its number is not known there", async () => {
    script("other.sh", "true");
    expect((await step("turn", "Other", "other.sh")).output).toContain("Other: started [turn]\n");
  });

  test("refuses a script that is not there", async () => {
    const { code, output } = await step("bbb", "Wire it", "absent.sh");
    expect([code, output]).toEqual([2, expect.stringContaining("absent.sh: run pulumi up again")]);
  });

  test("a look that nobody waits for any more is ended by the next step, other work is waited for", async () => {
    script("look.sh", "sleep 25");
    script("work.sh", "sleep 3");
    script("quick.sh", "true");
    const begins = async (number: number) => {
      while (runs() < number) await sleep(50);
    };
    const looking = start("--read-only", "bbb", "Look", "look.sh");
    const look = once(looking, "exit");
    await begins(1);
    // As by the end of its connection.
    looking.stdout!.destroy();
    const began = Date.now();
    expect((await done(start("bbb", "Quick", "quick.sh"))).code).toBe(0);
    expect(Date.now() - began).toBeLessThan(15_000);
    expect(await look).not.toEqual([0, null]);
    const work = done(start("bbb", "Work", "work.sh"));
    await begins(3);
    expect((await done(start("bbb", "Quick", "quick.sh"))).code).toBe(0);
    expect((await work).code).toBe(0);
    expect(runs()).toBe(4);
  });

  test("a look that makes way for another step, while somebody waits for it, looks again", async () => {
    script("look.sh", "sleep 3");
    script("work.sh", "sleep 1");
    const looks = ["One", "Two"].map((title) => done(start("--read-only", "bbb", title, "look.sh")));
    while (runs() < 1) await sleep(50);
    const work = done(start("bbb", "Work", "work.sh"));
    for (const look of looks) expect(await look).toMatchObject({ code: 0 });
    expect((await work).code).toBe(0);
    expect((await Promise.all(looks)).map(({ output }) => output).join("")).toContain(
      "made way for another step: looking again [bbb",
    );
  });
});

/** Ends the unit with all that it runs, as a loss of power does, and starts it as the next boot does. */
async function cut(): Promise<void> {
  await run(["pkill", "-KILL", "-s", readFileSync(join(host.directory, "unit.pid"), "utf8").trim()]);
  const env = { BBB_TEST_DIR: host.directory, ...environment() };
  await done(host.start([join(host.directory, "bin", "systemctl"), "start"], env));
}

describe("a step as a unit", () => {
  const long = (...args: string[]) => step("--unit", "bbb", "Install it", "long.sh", ...args);

  test("shows its progress, and takes its success the next time without another run", async () => {
    script("long.sh", 'progress "half way: $*"');
    const first = await long("--flag", "a b", "--script-hash", "0123456789ab");
    expect(first.output).toMatch(
      /started \[bbb 5\/7\]\nhalf way: --flag a b \[bbb 5\/7\]\ndone in \d+ s: Install it \[bbb 5\/7\]\n$/,
    );
    const second = await long("--flag", "a b", "--script-hash", "0123456789ab");
    expect(second.code).toBe(0);
    expect(second.output).toMatch(/was done at \d{4}-/);
    expect(runs()).toBe(1);
  });

  test("has nothing to resume without a restart", async () => {
    script("long.sh", "exit 0");
    await long("--flag", "1");
    expect(await step("--resume", "bbb", "Install it", "long.sh", "--flag", "1")).toEqual({
      code: 0,
      output: "",
    });
    expect(runs()).toBe(1);
  });

  test("runs again for other flags, another hash, another script, or after a failure", async () => {
    script("long.sh", "exit 0");
    await long("--flag", "1");
    await long("--flag", "2");
    expect(runs()).toBe(2);
    await long("--flag", "2", "--script-hash", "0123456789ab");
    expect(runs()).toBe(3);
    script("long.sh", "echo why; exit 5");
    const failed = await long("--flag", "2");
    expect([failed.code, failed.output]).toEqual([
      5,
      expect.stringMatching(/FAILED after \d+ s.*\n(.*\n)* {4}why\n/),
    ]);
    await long("--flag", "2");
    expect(runs()).toBe(5);
  });

  test("outlives its connection; the next call with the same flags follows the same run", async () => {
    script("long.sh", 'progress "begun"; sleep 2; progress "ended"');
    const cut = start("--unit", "bbb", "Install it", "long.sh");
    const closed = done(cut);
    while (runs() === 0) await sleep(20);
    cut.kill("SIGKILL");
    await closed;
    const { code, output } = await long();
    expect(code).toBe(0);
    expect(output).toContain("following it");
    expect(output).toContain("ended");
    expect(runs()).toBe(1);
  });

  test("waits for a run with other flags to end before its own", async () => {
    script("long.sh", 'sleep 1; progress "with $1"');
    // The first call looks so seldom that the second's run is under way, or over, when it sees its own run's end.
    poll = "3";
    const first = long("--one");
    while (runs() === 0) await sleep(20);
    poll = "0.05";
    const second = await long("--two");
    const { code, output } = await first;
    expect([code, output]).toEqual([0, expect.stringMatching(/with --one[^]*done in/)]);
    expect(output).not.toContain("--two");
    expect(second.output).toMatch(/other settings[^]*with --one[^]*with --two[^]*done in/);
    expect(runs()).toBe(2);
  });

  test("is enabled while it runs, so that a reboot resumes it, and not afterwards", async () => {
    script("long.sh", "exit 0");
    await long();
    const calls = host.called("systemctl").map((line) => line.split(" ").slice(1).join(" "));
    const enabled = calls.indexOf("enable bbb-deploy@long.service");
    expect(enabled).toBeGreaterThan(-1);
    expect(enabled).toBeLessThan(calls.indexOf("start --no-block bbb-deploy@long.service"));
    expect(calls.indexOf("disable bbb-deploy@long.service")).toBeGreaterThan(enabled);
  });

  describe("that asks for a restart of its host", () => {
    const ups = (): number => {
      const log = join(host.directory, "boots");
      return existsSync(log) ? readFileSync(log, "utf8").split("\n").length - 1 : 0;
    };
    const closed = () =>
      host.called("systemctl").filter((call) => call === "systemctl stop ssh.socket ssh.service").length;

    /** Resumes the step, like the first connection after a restart. */
    async function resume(...args: string[]) {
      while (ups() < closed()) await sleep(20);
      return step("--resume", "bbb", "Install it", "long.sh", ...args);
    }

    const boot = (id: string) => writeFileSync(join(host.directory, "boot-id"), id);

    /** Replaces systemctl by a host that restarts after a moment: the unit ends, and starts anew. */
    beforeEach(() => {
      boot("first");
      host.fake(
        "systemctl",
        `${SYSTEMCTL}
if [[ $1 == reboot ]]; then
  (sleep 0.3; kill -9 "$(cat "$pid")"; echo "boot $RANDOM" >"$BBB_TEST_DIR/boot-id"; echo up >>"$BBB_TEST_DIR/boots"; sleep 0.5; "$0" start) >/dev/null 2>&1 &
fi`,
      );
    });

    test("ends well before it, takes no connection any more, and is seen to its end after it", async () => {
      script("long.sh", `[[ $(wc -l <"${count}") == 2 ]] || exit $EX_RESTART; progress "again"`);
      const first = await long("--flag", "1");
      expect(first.output).toMatch(
        /started \[bbb 5\/7\]\nthe host restarts; this goes on afterwards \[bbb 5\/7\]\n$/,
      );
      expect(first.code).toBe(0);
      expect(host.called("systemctl")).toContain("systemctl stop ssh.socket ssh.service");
      const rest = await resume("--flag", "1");
      expect(rest.output).toMatch(
        /the host has restarted; going on \[bbb 5\/7\]\n[^]*again \[bbb 5\/7\]\n[^]*done in \d+ s: Install it/,
      );
      expect(rest.code).toBe(0);
      expect(runs()).toBe(2);
      // Neither runs it again.
      expect((await resume("--flag", "1")).output).toMatch(/was done at[^]*the host has restarted/);
      expect((await long("--flag", "1")).output).toContain("was done at");
      expect(runs()).toBe(2);
    });

    test("fails afterwards, where it fails after the restart; the next update runs it again", async () => {
      script("long.sh", `case $(wc -l <"${count}") in 1) exit $EX_RESTART ;; 2) exit 5 ;; esac`);
      await long();
      expect(await resume()).toMatchObject({ code: 5, output: expect.stringContaining("FAILED") });
      expect((await resume()).code).toBe(0);
      expect(runs()).toBe(3);
    });

    test("a second restart is for the next update to see to its end", async () => {
      script("long.sh", `[[ $(wc -l <"${count}") == 3 ]] || exit $EX_RESTART`);
      await long();
      const second = await resume();
      expect(second).toMatchObject({ code: 75, output: expect.stringContaining("run pulumi up again") });
      expect((await resume()).code).toBe(0);
    });

    test("says so where the host does not restart, and takes connections again", async () => {
      host.fake("systemctl", SYSTEMCTL);
      script("long.sh", "exit $EX_RESTART");
      await long();
      while (!host.called("systemctl").includes("systemctl start ssh.service")) await sleep(20);
      await sleep(200);
      boot("later");
      expect((await long()).output).not.toContain("following");
    });
  });

  test("is started over by each boot that finds it unfinished, three times, and then given up", async () => {
    script("long.sh", "sleep 60");
    const following = done(start("--unit", "bbb", "Install it", "long.sh"));
    for (let boots = 1; boots <= 4; boots++) {
      while (runs() < boots) await sleep(20);
      await cut();
    }
    const { code, output } = await following;
    expect(output.match(/started over after a reboot \(\d of 3\)/g)).toEqual(
      [1, 2, 3].map((number) => `started over after a reboot (${number} of 3)`),
    );
    expect(output).toContain("given up: the host rebooted each time");
    expect([code, runs()]).toEqual([70, 4]);
  });

  test("says so when its unit is gone without a result", async () => {
    script("long.sh", 'kill -9 "$(cat "$BBB_TEST_DIR/unit.pid")"; exit 0');
    const { code, output } = await long();
    expect([code, output]).toEqual([71, expect.stringContaining("not running any more: see journalctl -u")]);
  });
});
