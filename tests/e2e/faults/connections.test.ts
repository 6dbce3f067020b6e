import { getMeetings } from "../support/checks";
import {
  block,
  cutSsh,
  expectDeployed,
  failingUp,
  freshSandbox,
  installerRuns,
  unblock,
  up,
  upInBackground,
} from "../support/faults";
import { IN_HETZNER_DNS, onHost, outputs } from "../support/sandbox";

const { bbb: BBB, turn: TURN } = IN_HETZNER_DNS;

beforeAll(freshSandbox);

afterEach(unblock);

describe("Connections that break", () => {
  test("SSH refused for a minute after the boot, and the engine killed as it connects: waited for, and the next update goes on", async () => {
    block(22, "reject");
    const first = upInBackground();
    try {
      await first.prints(/bbb-connect creating/);
      await new Promise((done) => setTimeout(done, 60_000));
      expect(first.update.printed).not.toContain("[bbb 1/7]");
      unblock();
      await first.prints(/started \[bbb 1\/7\]/, 60);
    } finally {
      first.kill();
      await first.ended;
    }
    await up();
    await expectDeployed();
  });

  test("SSH cut while BigBlueButton is installed: the next up takes the run up, and nothing runs twice", async () => {
    const cut = upInBackground("--set", "upgrade=cut");
    await cut.prints(/running bbb-install.*\[bbb 5\/7\]/);
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
