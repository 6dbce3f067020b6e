import { getMeetings } from "../support/checks";
import { arm, disarm, expectDeployed, failingUp, freshSandbox, up, upInBackground } from "../support/faults";
import { plantRecordings, recordingSums } from "../support/recordings";
import { IN_HETZNER_DNS, onHost, outputs } from "../support/sandbox";

/**
 * Obstacles to the installation of packages, for a moment or for good. A first deployment goes from one to the next.
 */

const { bbb: BBB, turn: TURN } = IN_HETZNER_DNS;

const bash = (fqdn: string, script: string) => onHost(fqdn, ["bash", "-c", script]);

/** Script that locks in dpkg's way: flock's locks are others. */
const HOLD_LOCK = `systemd-run --quiet --unit=hold-lock python3 -c '
import fcntl, time
with open("/var/lib/dpkg/lock-frontend", "r+") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    time.sleep(120)
' && sleep 1 && systemctl is-active hold-lock`;

beforeAll(freshSandbox);

afterEach(disarm);

describe("Packages and installers", () => {
  test("the package mirror down while systems are prepared: asked again with growing pauses", async () => {
    await arm("mirror", { match: { path: "/debian/" }, closeConnection: true, times: 6 });
    const first = upInBackground();
    await first.prints(/done in \d+ s: Prepare the system \[bbb 3\/7\]/, 180);
    await first.prints(/done in \d+ s: Prepare the system \[turn 3\/7\]/, 180);
    first.kill();
    await first.ended;
  });

  test("an installer that is not the one that was checked: not run, with both hashes", async () => {
    await failingUp(
      ["--set", `installerSha256=${"0".repeat(64)}`],
      /has sha256 [0-9a-f]{64}, not 0{64}/,
      /installerSha256/,
    );
    expect(await bash(BBB, "ls /etc/bigbluebutton 2>&1 || true")).toContain("No such file");
  });

  test("an installer that waits without an end for packages that it could not install: stopped, the packages named", async () => {
    const hold = "/etc/apt/preferences.d/half";
    await bash(BBB, `printf 'Package: bbb-web\\nPin: release *\\nPin-Priority: -1\\n' >${hold}`);
    await failingUp(
      [],
      /BigBlueButton's packages are not installed/,
      /what the installer said means: (packages contradict each other|a package that is asked for does not exist)/,
      /install-bbb\.log/,
    );
    await bash(BBB, `rm ${hold}`);
  });

  test("packages half configured by an interrupted installation: finished first", async () => {
    await bash(
      BBB,
      "dpkg --unpack $(ls /var/cache/apt/archives/xmlstarlet*.deb 2>/dev/null | head -1) 2>/dev/null || (cd /tmp && apt-get -q download xmlstarlet && dpkg --unpack xmlstarlet*.deb)",
    );
    expect(await bash(BBB, "dpkg --audit | head -1")).not.toBe("");
    await up();
    expect(await bash(BBB, "dpkg --audit")).toBe("");
    await expectDeployed();
    await plantRecordings(BBB);
  });

  test("apt's lock held for two minutes by somebody else: waited for", async () => {
    await bash(BBB, HOLD_LOCK);
    const began = Date.now();
    await up("--set", "upgrade=lock");
    expect(Date.now() - began).toBeGreaterThan(90_000);
    await expectDeployed(["--set", "upgrade=lock"]);
  });

  test("the mirror answering 503 in the middle of an upgrade: the installer is run again", async () => {
    await arm("mirror", { match: { path: "/bbb/.*/(In)?Release$" }, status: 503, times: "every" });
    const upgrade = upInBackground("--set", "upgrade=mirror");
    await upgrade.prints(
      /once more in 30 s, since a package server, or the way to it, failed for a moment/,
      300,
    );
    await disarm();
    await upgrade.ended;
    expect(upgrade.update.code).toBe(0);
    await expectDeployed(["--set", "upgrade=mirror"]);
  });

  test("a key server that does not answer in time: asked again", async () => {
    await bash(BBB, "rm /etc/apt/keyrings/stand-in.asc");
    await arm("mirror", { match: { path: "/bbb/keyserver/" }, delayMs: 12_000, times: 1 });
    const { stdout } = await up("--set", "upgrade=key");
    expect(stdout).toMatch(/once more in 30 s, since a key server does not answer/);
    expect(stdout).toMatch(/the installer gave up: .*keyserver receive failed/);
    await expectDeployed(["--set", "upgrade=key"]);
  });

  test("an image registry that answers 429: asked again with growing pauses", async () => {
    await arm("mirror", {
      match: { path: "/bbb/registry/" },
      status: 429,
      message: "toomanyrequests",
      times: 1,
    });
    const { stdout } = await up("--set", "upgrade=key", "--set", "greenlight=true");
    expect(stdout).toMatch(
      /once more in \d+ s, since too much was fetched from a registry of container images/,
    );
    await expectDeployed(["--set", "upgrade=key", "--set", "greenlight=true"]);
  });

  test("a package without what it depends on: repaired first", async () => {
    await bash(BBB, "dpkg --force-depends --purge bbb-pads >/dev/null");
    await up("--set", "upgrade=depends", "--set", "greenlight=true");
    await expectDeployed(["--set", "upgrade=depends", "--set", "greenlight=true"]);
  });

  test("no room left on the disk: named as such, not tried again, and the next up goes on", async () => {
    const sums = await recordingSums(BBB);
    await bash(
      BBB,
      "apt-get -y -q purge bigbluebutton bbb-pads && apt-get clean && mount -t tmpfs -o size=64k full /var/cache/apt/archives && mkdir /var/cache/apt/archives/partial && { dd if=/dev/zero of=/var/cache/apt/archives/full bs=1k 2>/dev/null || true; }",
    );
    await failingUp(["--set", "upgrade=disk"], /the disk is full: look for what fills it/);
    await bash(BBB, "umount /var/cache/apt/archives");
    await up("--set", "upgrade=disk");
    await expectDeployed(["--set", "upgrade=disk"]);
    expect(await recordingSums(BBB)).toBe(sums);
  });

  test("turn-stun-servers.xml and the shared secret overwritten behind our back: put back by an upgrade", async () => {
    await bash(BBB, "echo '<beans/>' >/etc/bigbluebutton/turn-stun-servers.xml");
    await bash(
      BBB,
      "sed -i 's/^securitySalt=.*/securitySalt=overwrittenoverwritten/' /etc/bigbluebutton/bbb-web.properties && systemctl restart bbb-web",
    );
    await up("--set", "upgrade=xml");
    const out = await outputs();
    expect(await bash(BBB, "cat /etc/bigbluebutton/turn-stun-servers.xml")).toContain(out.turnSecret);
    expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("SUCCESS");
    expect(await bash(TURN, "systemctl is-active coturn")).toBe("active\n");
  });
});
