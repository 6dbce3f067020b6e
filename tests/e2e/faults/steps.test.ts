import { getMeetings } from "../support/checks";
import {
  block,
  cutSsh,
  expectDeployed,
  failingUp,
  freshSandbox,
  unblock,
  up,
  upInBackground,
} from "../support/faults";
import { killWhen } from "../support/kill";
import { IN_HETZNER_DNS, onHost, outputs } from "../support/sandbox";

/**
 * Connections that break and engines that are killed, in the middle of each step. Telling and quick, so that it is one of the
 * end-to-end tests, too (jest.config.js).
 */

const { bbb: BBB, turn: TURN } = IN_HETZNER_DNS;

const installerRuns = async (fqdn: string) =>
  Number(
    await onHost(fqdn, [
      "bash",
      "-c",
      "grep -c 'running bbb-install' /var/log/bbb-deploy/install-bbb.log || true",
    ]),
  );

beforeAll(freshSandbox);

afterEach(unblock);

const killed = (moment: RegExp) => killWhen(["up", "--engine", "embedded"], (output) => moment.test(output));

describe("Connections that break, and updates that are killed", () => {
  for (const [what, moment] of [
    ["the cloud's resources are made", /PrimaryIp|primary-?ip/i],
    ["the servers boot", /hcloud:index\S*:Server\b/],
  ] as const) {
    test(`the engine killed while ${what}: the next update goes on from there`, () => killed(moment));
  }

  test("SSH refused for a minute after the boot, and the engine killed as it connects: waited for, and the next update goes on", async () => {
    block(22, "reject");
    const first = upInBackground();
    try {
      await first.prints(/bbb-connect creating/);
      await new Promise((done) => setTimeout(done, 60_000));
      expect(first.update.printed).not.toContain("[bbb 1/7]");
      unblock();
      await first.prints(/\[bbb 1\/7\].*started/, 60);
    } finally {
      first.kill();
      await first.ended;
    }
  });

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
    expect(await installerRuns(BBB)).toBe(1);
  });

  test("SSH cut while BigBlueButton is installed: the next up takes the run up, and nothing runs twice", async () => {
    const cut = upInBackground("--set", "upgrade=cut");
    await cut.prints(/\[bbb 5\/7\]\s+running bbb-install/);
    await cutSsh(BBB);
    await cut.ended;
    expect(cut.update.code).not.toBe(0);
    const { stdout } = await up("--set", "upgrade=cut");
    expect(stdout).toMatch(/already running for|was done at/);
    expect(await installerRuns(BBB)).toBe(2);
    await expectDeployed(["--set", "upgrade=cut"]);
  });

  test("another machine at the address (its SSH host key changed): refused, with what it means", async () => {
    await onHost(TURN, [
      "bash",
      "-c",
      "cd /etc/ssh && mkdir -p /root/kept && cp -a ssh_host_ed25519_key* /root/kept && rm ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl restart ssh",
    ]);
    await failingUp(
      ["--set", "upgrade=cut", "--set", "rotateTurnSecret=key"],
      /turn\.example\.test \(.*\) shows another SSH host key .* nothing was sent to it/,
      /pulumi up --replace '.*turn-host-server'/,
    );
    await onHost(TURN, ["bash", "-c", "cp -a /root/kept/* /etc/ssh/ && systemctl restart ssh"]);
    await up("--set", "upgrade=cut", "--set", "rotateTurnSecret=key");
    const out = await outputs();
    expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("SUCCESS");
  });
});
