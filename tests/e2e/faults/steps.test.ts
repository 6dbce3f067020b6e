import { getMeetings } from "../support/checks";
import { block, expectDeployed, failingUp, unblock, until, up, upInBackground } from "../support/faults";
import { identity } from "../support/hosts";
import { killWhen } from "../support/kill";
import { IN_HETZNER_DNS, must, onHost, outputs } from "../support/sandbox";

/** Connections that break, hosts that reboot and engines that are killed, in the middle of each step. */

const { bbb: BBB, turn: TURN } = IN_HETZNER_DNS;

/** Ends every SSH session of a host, as a cut connection does in the end. */
const cutSsh = (fqdn: string) => onHost(fqdn, ["bash", "-c", "pkill -KILL -f '^sshd: .*@' || true"]);

const installerRuns = async (fqdn: string) =>
  Number(
    await onHost(fqdn, [
      "bash",
      "-c",
      "grep -c 'running bbb-install' /var/log/bbb-deploy/install-bbb.log || true",
    ]),
  );

async function rebooted(fqdn: string, before: string): Promise<void> {
  await until(
    () =>
      identity(fqdn).then(
        (now) => now !== before,
        () => false,
      ),
    60,
  );
}

beforeAll(() => must(["reset"]));

afterEach(unblock);

describe("Connections, reboots, and updates that are killed", () => {
  test("SSH refused for a minute after the boot, and the engine killed as it connects: waited for, and the next update goes on", async () => {
    await must(["start"]);
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
    test(`the engine killed while ${step}: the next update goes on from there`, async () => {
      await killWhen(["up", "--engine", "embedded"], (output) => moment.test(output));
    });
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

  test("the host rebooted while BigBlueButton is installed: the unit starts over, and the next up takes it up", async () => {
    const before = await identity(BBB);
    const cut = upInBackground("--set", "upgrade=reboot");
    await cut.prints(/\[bbb 5\/7\]\s+running bbb-install/);
    await onHost(BBB, ["systemctl", "reboot", "--force"]).catch(() => undefined);
    await rebooted(BBB, before);
    await cut.ended;
    const { stdout } = await up("--set", "upgrade=reboot");
    expect(cut.update.printed + stdout).toMatch(
      /started over after a reboot|already running for|was done at/,
    );
    await expectDeployed(["--set", "upgrade=reboot"]);
  });

  test("SSH cut while coturn is installed on a new TURN server: the next up takes the run up", async () => {
    const cut = upInBackground("--set", "upgrade=reboot", "--replace", "turn-host-server");
    await cut.prints(/\[turn 4\/6\].*started/);
    await cutSsh(TURN);
    await cut.ended;
    expect(cut.update.code).not.toBe(0);
    await up("--set", "upgrade=reboot");
    await expectDeployed(["--set", "upgrade=reboot"]);
  });

  test("the host rebooted while coturn is installed on a new TURN server: the next up takes it up", async () => {
    const cut = upInBackground("--set", "upgrade=reboot", "--replace", "turn-host-server");
    await cut.prints(/\[turn 4\/6\].*started/);
    const before = await identity(TURN);
    await onHost(TURN, ["systemctl", "reboot", "--force"]).catch(() => undefined);
    await rebooted(TURN, before);
    await cut.ended;
    await up("--set", "upgrade=reboot");
    await expectDeployed(["--set", "upgrade=reboot"]);
  });

  test("another machine at the address (its SSH host key changed): refused, with what it means", async () => {
    await onHost(TURN, [
      "bash",
      "-c",
      "cd /etc/ssh && mkdir -p /root/kept && cp -a ssh_host_ed25519_key* /root/kept && rm ssh_host_* && ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key && systemctl restart ssh",
    ]);
    await failingUp(
      ["--set", "upgrade=reboot", "--set", "rotateTurnSecret=key"],
      /turn\.example\.test \(.*\) shows another SSH host key .* nothing was sent to it/,
      /pulumi up --replace '.*turn-host-server'/,
    );
    await onHost(TURN, ["bash", "-c", "cp -a /root/kept/* /etc/ssh/ && systemctl restart ssh"]);
    await up("--set", "upgrade=reboot", "--set", "rotateTurnSecret=key");
    const out = await outputs();
    expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("SUCCESS");
  });
});
