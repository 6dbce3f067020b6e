import { accountObjects } from "../support/account";
import { hetzner } from "../support/clouds";
import {
  block,
  cutSsh,
  expectDeployed,
  failingUp,
  unblock,
  until,
  up,
  upInBackground,
} from "../support/faults";
import { reboot } from "../support/hosts";
import { plantRecordings, recordingSums } from "../support/recordings";
import { IN_HETZNER_DNS, must, onHost, sandbox, type Result } from "../support/sandbox";

/** Hosts that are unfit or restart during the installation, and missing volumes, on one deployment. */

const { bbb: BBB, turn: TURN } = IN_HETZNER_DNS;

/** Settings from the first case on that upgrades, and from the second on. */
const UPGRADED = ["--set", "upgrade=hosts"];
const UPGRADED_AGAIN = ["--set", "upgrade=again", "--set", "recordingsGb=11"];

const bash = (script: string) => onHost(BBB, ["bash", "-c", script]);

/** Runs the check of BigBlueButton's host by itself, with an obstacle to one of its questions. */
async function preflight(obstacle: string, remove: string): Promise<Result> {
  const flags = {
    role: "bbb",
    ubuntu: "22.04",
    hostname: BBB,
    ipv4: (await bash("hostname -I")).split(" ")[0]!,
    zone: "example.test",
    "min-memory-kb": "3940000",
    "min-cores": "4",
    "min-disk-gb": "1",
    "dns-wait": "1",
  };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  await bash(obstacle);
  try {
    return await sandbox([
      ...["exec", "--at", BBB, "--", "env", "PATH=/root/obstacles:/usr/sbin:/usr/bin:/sbin:/bin"],
      ...[
        "/usr/local/lib/bbb-deploy/step",
        "--time-limit",
        "600",
        "bbb",
        "Check the host",
        "preflight.sh",
        ...words,
      ],
    ]);
  } finally {
    await bash(`rm -rf /root/obstacles; ${remove}`);
  }
}

/** Puts a program in front of the real one, which prints that. */
const pretend = (program: string, output: string) =>
  `mkdir -p /root/obstacles && printf '#!/bin/sh\\necho "%s"\\n' '${output}' >/root/obstacles/${program} && chmod +x /root/obstacles/${program}`;

const OBSTACLES: readonly (readonly [name: string, obstacle: string, remove: string, ...found: RegExp[]])[] =
  [
    [
      "port 80 taken by another program: named, with what to do",
      "systemctl stop nginx && systemd-run --quiet --unit=squatter python3 -m http.server 80 && sleep 2",
      "systemctl stop squatter; systemctl start nginx",
      /port 80\/tcp is taken by python3/,
      /stop and remove python3/,
    ],
    [
      "too little memory: how much there is and how much it takes",
      "sed -E 's/^(MemTotal: +)[0-9]+/\\12000000/' /proc/meminfo >/root/meminfo && mount --bind /root/meminfo /proc/meminfo",
      "umount /proc/meminfo",
      /2000000 kB of memory, less than the 3940000 kB/,
      /larger serverType/,
    ],
    [
      "too few cores: how many there are and how many it takes",
      pretend("nproc", "2"),
      "true",
      /2 cores, less than the 4 it needs/,
      /larger serverType/,
    ],
    [
      "another Ubuntu than the release's on a running server: named, with what to do",
      "sed 's/22.04/20.04/g' /etc/os-release >/root/os-release && mount --bind /root/os-release /usr/lib/os-release",
      "umount /usr/lib/os-release",
      /on Ubuntu 20\.04, and the setting release asks for one on Ubuntu 22\.04, which no running server becomes/,
      /Set release back; or have a new server take its place/,
    ],
    [
      "no IPv6 in the kernel: named, with where to look",
      `mkdir -p /root/obstacles && printf '#!/bin/sh\\ncase "$*" in *if_inet6*) exit 1 ;; esac\\nexec /bin/grep "$@"\\n' >/root/obstacles/grep && chmod +x /root/obstacles/grep`,
      "true",
      /the host has no IPv6 stack/,
      /disable_ipv6 in \/etc\/sysctl\.d/,
    ],
    [
      "an ARM processor: named, with the types to avoid",
      pretend("uname", "aarch64"),
      "true",
      /the processor is aarch64; BigBlueButton exists for x86_64 only/,
      /no cax/,
    ],
  ];

const volume = async () => (await accountObjects()).find(({ kind }) => kind === "volumes")!;

let sums: string;

beforeAll(async () => {
  await must(["reset"]);
  await up();
  sums = await plantRecordings(BBB);
});

afterEach(async () => {
  unblock();
  expect(await recordingSums(BBB)).toBe(sums);
});

describe("Hosts", () => {
  for (const [name, obstacle, remove, ...found] of OBSTACLES) {
    test(name, async () => {
      const { code, stdout } = await preflight(obstacle, remove);
      expect(code).toBe(1);
      expect(stdout).toMatch(/is not fit to be deployed, for 1 reason/);
      for (const text of found) expect(stdout).toMatch(text);
    });
  }

  test("two of these at once: both are told together", async () => {
    const { stdout } = await preflight(`${pretend("nproc", "2")}; ${pretend("uname", "aarch64")}`, "true");
    expect(stdout).toMatch(/for 2 reason\(s\)/);
    expect(stdout).toMatch(/2 cores/);
    expect(stdout).toMatch(/aarch64/);
  });

  test("an SSH network that is not ours: the update ends with a message that names the setting", async () => {
    block(22, "drop");
    await failingUp(UPGRADED, /bbb\.example\.test \(.*\) does not answer SSH/, /sshNetworks.*curl -4/);
    unblock();
    await up(...UPGRADED);
    await expectDeployed(UPGRADED);
  });
});

describe("The recordings volume", () => {
  const LARGER = [...UPGRADED, "--set", "recordingsGb=11"];

  test("attached late: waited for, and nothing on it is touched", async () => {
    const device = (await bash("ls /dev/disk/by-id/scsi-0HC_Volume_*")).trim();
    await bash(`mv ${device} /root/volume`);
    const waiting = upInBackground(...LARGER);
    await waiting.prints(/waiting for the volume/);
    await bash(`mv /root/volume ${device}`);
    await waiting.ended;
    expect(waiting.update.code).toBe(0);
    await expectDeployed(LARGER);
  });

  test("with data of an unknown kind on it: left as it is, byte for byte", async () => {
    const server = (await accountObjects()).find(({ kind, name }) => kind === "servers" && name === BBB)!;
    const [made] = await hetzner([
      "POST",
      "/volumes",
      { name: "unknown", size: 10, server: Number(server.id) },
    ]);
    const { id } = (made!.body as { volume: { id: number } }).volume;
    const device = `/dev/disk/by-id/scsi-0HC_Volume_${id}`;
    await until(() => bash(`test -b ${device} && echo there || true`).then((out) => out !== ""), 30);
    const sum = await bash(
      `dd if=/dev/urandom of=${device} bs=1M count=2 status=none; sync; head -c 2M ${device} | sha256sum`,
    );
    const result = await sandbox([
      ...["exec", "--at", BBB, "--", "bash", "/usr/local/lib/bbb-deploy/recordings.sh"],
      ...["--device", device, "--size-gb", "10"],
    ]);
    expect(result.code).toBe(1);
    expect(result.stdout).toMatch(/holds data of an unknown kind, and is left as it is/);
    expect(await bash(`head -c 2M ${device} | sha256sum`)).toBe(sum);
    await hetzner(["POST", `/volumes/${id}/actions/detach`, {}]);
    await until(async () => {
      const [gone] = await hetzner(["DELETE", `/volumes/${id}`]);
      return gone!.status < 300;
    }, 30);
  });
});

describe("In the middle of an installation", () => {
  test("the host rebooted while BigBlueButton is installed: the unit starts over, and the next up takes it up", async () => {
    const cut = upInBackground(...UPGRADED_AGAIN);
    await cut.prints(/running bbb-install.*\[bbb 5\/7\]/);
    await reboot(BBB);
    await cut.ended;
    const { stdout } = await up(...UPGRADED_AGAIN);
    expect(cut.update.printed + stdout).toMatch(
      /started over after a reboot|already running for|was done at/,
    );
    await expectDeployed(UPGRADED_AGAIN);
  });

  test("SSH cut while coturn is installed on a new TURN server: the next up takes the run up", async () => {
    const cut = upInBackground(...UPGRADED_AGAIN, "--replace", "turn-host-server");
    await cut.prints(/started \[turn 4\/7\]/);
    await cutSsh(TURN);
    await cut.ended;
    expect(cut.update.code).not.toBe(0);
    await up(...UPGRADED_AGAIN);
    await expectDeployed(UPGRADED_AGAIN);
  });

  test("the host rebooted while coturn is installed on a new TURN server: the next up takes it up", async () => {
    const cut = upInBackground(...UPGRADED_AGAIN, "--replace", "turn-host-server");
    await cut.prints(/started \[turn 4\/7\]/);
    await reboot(TURN);
    await cut.ended;
    await up(...UPGRADED_AGAIN);
    await expectDeployed(UPGRADED_AGAIN);
  });
});

describe("The recordings volume, once more", () => {
  const AGAIN = ["--set", "upgrade=again", "--set", "recordingsGb=12"];

  test("detached behind our back: found by the check; attached again by an up that says to restart the host, which mounts it anew", async () => {
    const { id } = await volume();
    const [answer] = await hetzner(["POST", `/volumes/${id}/actions/detach`, {}]);
    expect(answer?.status).toBe(201);
    const checked = await sandbox(["operator", "check", "--sandbox"]);
    expect(checked.code).toBe(1);
    expect(checked.stdout).toMatch(/FAIL .*(recordings|volume)/);
    await failingUp(
      [...AGAIN, "--replace", "bbb-host-volume-attachment"],
      /was detached while it was mounted at .*, and has come back as another device; nothing was changed/,
      /systemctl reboot/,
    );
    await reboot(BBB);
    await up(...AGAIN);
    await expectDeployed(AGAIN);
  });
});
