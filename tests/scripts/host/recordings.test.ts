import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { done, FakeHost, run, SCRIPTS, type Done } from "./scripts";

let host: FakeHost;
let image: string;
let device: string;
/** Device that a test attaches beside it. */
let other: string;

beforeEach(async () => {
  host = new FakeHost();
  host.put("etc/fstab", "UUID=root / ext4 defaults 0 1\n");
  host.fake("systemctl");
  host.fake("udevadm");
  image = emptyImage("volume");
});

afterEach(async () => {
  for (const attached of [device, other]) if (attached) await run(["losetup", "--detach", attached]);
  device = other = "";
  host.remove();
});

function emptyImage(name: string): string {
  const path = join(host.directory, name);
  writeFileSync(path, "");
  truncateSync(path, 64 * 1024 * 1024);
  return path;
}

async function attach(): Promise<void> {
  device = await attachImage(image);
}

/**
 * Attaches an image, at the second try if needed: others on the machine may take the same free device at the same time.
 */
async function attachImage(path: string): Promise<string> {
  let failure = "";
  for (let attempt = 0; attempt < 5; attempt++) {
    const { code, output } = await run(["losetup", "--find", "--show", path]);
    if (code === 0) return output.trim();
    failure = output;
  }
  throw new Error(`no loop device, for which this test needs root: ${failure}`);
}

/** Shell that writes bytes to the image at an offset. */
function bytes(offset: number, hex: string): string {
  return `printf '${hex.replace(/ ?(..)/g, "\\x$1")}' | dd of=IMAGE bs=1 seek=${offset} conv=notrunc status=none`;
}

/** Runs the script, then more shell, in a mount namespace of their own: no mount outlives the call. */
async function recordings(then = "true", ...flags: string[]): Promise<Done> {
  if (!device) await attach();
  const script = `bash ${join(SCRIPTS, "recordings.sh")} --device ${device} ${flags.join(" ")} && ${then}`;
  return done(host.start(["unshare", "--mount", "--propagation", "private", "bash", "-c", script]));
}

const digest = () => createHash("sha256").update(readFileSync(image)).digest("hex");

test("an empty volume gets a file system, and the places of recordings lie on it", async () => {
  const show = `findmnt -rno SOURCE,TARGET | grep ${host.root}; echo x >$BBB_DEPLOY_ROOT/var/mediasoup/raw`;
  const { code, output } = await recordings(show);
  expect(code).toBe(0);
  expect(output).toContain("making an ext4 file system");
  for (const path of [
    "/var/bigbluebutton",
    "/var/freeswitch/meetings",
    "/var/lib/bbb-webrtc-recorder",
    "/var/kurento",
  ]) {
    expect(output).toContain(`${device}[/var/${path.slice(5)}] ${host.root}${path}\n`);
  }
  expect(host.read("etc/fstab")).toMatch(
    /^UUID=root \/ ext4 defaults 0 1\nUUID=[0-9a-f-]{36} \/srv\/bigbluebutton ext4 defaults,nofail,.* # bbb-deploy\n/,
  );
  expect(host.read("etc/fstab")).toMatch(
    /\n\/srv\/bigbluebutton\/var\/bigbluebutton \/var\/bigbluebutton none bind,nofail,/,
  );
  expect(host.read("etc/systemd/system/bbb-web.service.d/50-bbb-deploy-recordings.conf")).toContain(
    "RequiresMountsFor=/var/bigbluebutton /var/freeswitch/meetings",
  );
});

test("BigBlueButton, stopped for a volume that was taken away, starts with the next, once", async () => {
  host.fake("bbb-conf");
  host.put("var/lib/bbb-deploy/recordings-detached", "");
  expect((await recordings()).code).toBe(0);
  expect((await recordings()).code).toBe(0);
  expect(host.called("bbb-conf")).toEqual(["bbb-conf --start"]);
});

describe("on the balancer of a pool", () => {
  test("published recordings alone are on the volume, and nothing of BigBlueButton waits for it", async () => {
    const { code } = await recordings("true", "--balancer");
    expect(code).toBe(0);
    const fstab = host.read("etc/fstab");
    expect(fstab.match(/# bbb-deploy$/gm)).toHaveLength(2);
    expect(fstab).toContain("/srv/bigbluebutton/var/bigbluebutton /var/bigbluebutton none bind,nofail,");
    expect(existsSync(join(host.root, "etc/systemd/system/bbb-web.service.d"))).toBe(false);
  });

  test("Scalelite, stopped for a volume that was taken away, starts with the next", async () => {
    host.fake("bbb-conf");
    host.put("var/lib/bbb-deploy/balancer/servers", "2\n");
    host.put("var/lib/bbb-deploy/recordings-detached", "");
    expect((await recordings("true", "--balancer")).code).toBe(0);
    expect(host.called("bbb-conf")).toEqual([]);
    expect(host.called("systemctl").filter((call) => call.startsWith("systemctl start"))).toEqual(
      [
        "nginx.service",
        "bbb-deploy-scalelite-api.service",
        "bbb-deploy-scalelite-recording-importer.service",
        "bbb-deploy-collect.timer",
      ].map((unit) => `systemctl start ${unit}`),
    );
  });
});

test("BigBlueButton, whose server was made from a disk of its own before the volume was there, starts once that is", async () => {
  host.fake("bbb-conf");
  host.fake("dpkg-query", "echo installed");
  host.fake("systemctl", "[[ $1 != is-active ]]");
  await recordings();
  expect(host.called("bbb-conf")).toEqual([]);
  const { output } = await recordings();
  expect(output).toContain("starting BigBlueButton, which could not start with this server");
  expect(host.called("bbb-conf")).toEqual(["bbb-conf --start"]);
  host.fake("systemctl");
  await recordings();
  expect(host.called("bbb-conf")).toHaveLength(1);
});

test("a volume that came with recordings keeps them, and a second run changes nothing", async () => {
  await recordings("echo precious >$BBB_DEPLOY_ROOT/var/bigbluebutton/recording");
  const fstab = host.read("etc/fstab");
  const { code, output } = await recordings("cat $BBB_DEPLOY_ROOT/var/bigbluebutton/recording");
  expect(code).toBe(0);
  expect(output).toContain("precious");
  expect(output).not.toContain("making");
  expect(host.read("etc/fstab")).toBe(fstab);
});

test("a volume that is mounted anew keeps the owners of its directories, empty or not", async () => {
  const own = (user: string) => `chown ${user} $BBB_DEPLOY_ROOT/var/freeswitch/meetings`;
  const show = "stat -c %u $BBB_DEPLOY_ROOT/var/freeswitch/meetings";
  const { code: first } = await recordings(own("12345"));
  const { code, output } = await recordings(show);
  expect([first, code, output.trim().split("\n").at(-1)]).toEqual([0, 0, "12345"]);
});

test.each([
  [
    "a partition table",
    `${bytes(446, "00 00 02 00 83 00 00 00 01 00 00 00 00 10 00 00")}; ${bytes(510, "55 aa")}`,
  ],
  ["swap", "mkswap -q IMAGE"],
  ["a file system of another kind", "mkfs.ext2 -q IMAGE"],
  ["data that no tool knows", "printf 'x' | dd of=IMAGE bs=1 seek=500000 conv=notrunc status=none"],
])("a volume with %s is refused and left as it is", async (_, make) => {
  const made = await run(["bash", "-c", make.replaceAll("IMAGE", image)]);
  expect(made).toMatchObject({ code: 0 });
  await attach();
  const before = digest();
  const { code, output } = await recordings();
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/the volume \/dev\/loop\d+ holds .* left as it is.*recordingsVolumeId/),
  ]);
  expect(digest()).toBe(before);
  expect(host.read("etc/fstab")).not.toContain("bbb-deploy");
});

test.each([
  [
    "that comes back as another device than the mounted one",
    () => image,
    /detached while it was mounted at \/srv\/bigbluebutton, and has come back .* systemctl reboot/,
  ],
  [
    "in place of another that is mounted",
    () => emptyImage("another"),
    /another volume than \/dev\/loop\d+ is mounted at \/srv\/bigbluebutton; .*rsync -aHAX/,
  ],
])("a volume %s is refused, and the mounted one stays", async (_, make, refused) => {
  other = await attachImage(make());
  const show = `findmnt -rno SOURCE,TARGET | grep bigbluebutton`;
  const { code, output } = await recordings(
    `{ bash ${join(SCRIPTS, "recordings.sh")} --device ${other}; status=$?; ${show}; exit $status; }`,
  );
  expect(code).toBe(1);
  expect(output.replaceAll("(", "")).toMatch(refused);
  expect(output).toContain(`${device} ${host.root}/srv/bigbluebutton\n`);
  expect(output).not.toContain(`${other} ${host.root}`);
});

test("a volume is refused while a directory of recordings is still mounted from another device", async () => {
  other = await attachImage(image);
  const again = `bash ${join(SCRIPTS, "recordings.sh")} --device ${other}`;
  const { code, output } = await recordings(`umount $BBB_DEPLOY_ROOT/srv/bigbluebutton && ${again}`);
  expect([code, output]).toEqual([1, expect.stringMatching(/detached while it was mounted/)]);
});

test("recordings on the root disk are not hidden", async () => {
  host.put("var/bigbluebutton/published/presentation/one/metadata.xml", "<recording/>");
  const { code, output } = await recordings();
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/\/var\/bigbluebutton already holds files.*rsync/),
  ]);
  expect(host.read("etc/fstab")).not.toContain("bbb-deploy");
});

test("empty directories that a package made keep their mode", async () => {
  await run(["install", "-d", "-m", "0711", join(host.root, "var/mediasoup/recordings")]);
  const { output } = await recordings("stat -c 'mode %a' $BBB_DEPLOY_ROOT/var/mediasoup/recordings");
  expect(output).toContain("mode 711");
});

test("a volume that was made larger has its file system grown, or the operator knows", async () => {
  host.fake("resize2fs");
  const { code, output } = await recordings();
  expect([code, host.called("resize2fs")]).toEqual([0, [`resize2fs ${device}`]]);
  expect(output).not.toContain("did not grow");
  host.fake("resize2fs", "exit 1");
  expect((await recordings()).output).toContain("note: the file system of the volume did not grow");
});

test.each(["", "_1"])(
  "a volume is waited for whose link appears late, as on EC2, with %j behind its name",
  async (end) => {
    await attach();
    const link = join(host.directory, "nvme-Amazon_Elastic_Block_Store_vol0abc");
    const script = `bash ${join(SCRIPTS, "recordings.sh")} --device ${link}`;
    const child = host.start(["unshare", "--mount", "--propagation", "private", "bash", "-c", script]);
    child.stdout!.on("data", (data: Buffer) => {
      if (data.toString().includes("waiting for the volume") && !existsSync(link + end))
        symlinkSync(device, link + end);
    });
    const { code, output } = await done(child);
    expect(output).toContain(`waiting for the volume ${link} to appear`);
    expect(output).toContain("for recordings at /srv/bigbluebutton");
    expect(code).toBe(0);
    // What mounts it in containers goes by the link that there is.
    expect(host.read("etc/systemd/system/bbb-deploy-recordings.service")).toContain(
      `ExecStart=/bin/mount ${link}${end} /srv/bigbluebutton`,
    );
  },
);

describe("Greenlight", () => {
  const OWN = "root/greenlight-v3";
  const env = (text: string) => host.put(`${OWN}/.env`, text);
  const NOTES = "var/lib/bbb-deploy/greenlight";
  const DOCKER = "etc/systemd/system/docker.service.d";
  /** Calls of systemctl about docker. */
  const docker = () =>
    host
      .called("systemctl")
      .flatMap((call) => /^systemctl (stop|start) .*docker\.service/.exec(call)?.[1] ?? []);
  const show = `findmnt -rno TARGET $BBB_DEPLOY_ROOT/${OWN}; cat $BBB_DEPLOY_ROOT/${OWN}/.env`;
  const former = () => readdirSync(join(host.root, "root")).filter((name) => name.includes("before-volume"));
  const texts = "var/lib/bbb-deploy/recordings/texts-done";

  test("is on the volume from the beginning, and a new server finds what the one before has left", async () => {
    const first = await recordings(`echo one >$BBB_DEPLOY_ROOT/${OWN}/.env`, "--greenlight");
    expect([first.code, docker()]).toEqual([0, ["start"]]);
    expect(host.read("etc/fstab")).toContain(
      "/srv/bigbluebutton/root/greenlight-v3 /root/greenlight-v3 none bind,",
    );
    expect(host.read(`${DOCKER}/50-bbb-deploy-recordings.conf`)).toBe(
      "[Unit]\nRequiresMountsFor=/root/greenlight-v3 /var/lib/bbb-deploy/greenlight\n",
    );
    expect(host.read("etc/systemd/system/bbb-web.service.d/50-bbb-deploy-recordings.conf")).not.toContain(
      "greenlight",
    );
    const again = new FakeHost();
    again.put("etc/fstab", "");
    for (const name of ["systemctl", "udevadm"]) again.fake(name);
    const before = host;
    host = again;
    const { code, output } = await recordings(show, "--greenlight", "--upgrade", "a");
    expect([code, output]).toEqual([0, expect.stringContaining(`${host.root}/${OWN}\none\n`)]);
    before.remove();
  });

  test("without the flag has no place there, unless it was there before", async () => {
    await recordings();
    expect(host.read("etc/fstab")).not.toContain("greenlight");
    await recordings("true", "--greenlight");
    const fstab = host.read("etc/fstab");
    await recordings();
    expect(host.read("etc/fstab")).toBe(fstab);
  });

  test("on the server's own disk stays there, running, until a new text of upgrade asks for its move", async () => {
    env("mine\n");
    host.put(`${NOTES}/before.json`, "{}");
    for (const flags of [["--upgrade", "old"], ["--upgrade", "old"], []]) {
      const { code, output } = await recordings("true", "--greenlight", ...flags);
      expect([code, output]).toEqual([
        0,
        expect.stringContaining("A new text of the setting upgrade moves them"),
      ]);
    }
    expect([docker(), host.read("etc/fstab").includes("greenlight")]).toEqual([[], false]);
    const { code, output } = await recordings(show, "--greenlight", "--upgrade", "new");
    expect(code).toBe(0);
    expect(output).toContain(`${host.root}/${OWN}\nmine\n`);
    expect(docker()).toEqual(["stop", "start"]);
    expect(former()).toHaveLength(1);
    expect(host.read(`root/${former()[0]}/.env`)).toBe("mine\n");
    expect(host.read("etc/fstab")).toContain(` /${NOTES} none bind,`);
    // A second run, with what was mounted gone, finds all of it there.
    const again = await recordings(
      `cat $BBB_DEPLOY_ROOT/${NOTES}/before.json`,
      "--greenlight",
      "--upgrade",
      "new",
    );
    expect([again.code, again.output]).toEqual([0, expect.stringMatching(/\{\}$/)]);
    expect(existsSync(join(host.root, `${DOCKER}/50-bbb-deploy-moving.conf`))).toBe(false);
  });

  test("and another one on the volume: both stay", async () => {
    await recordings(
      `mkdir -p $BBB_DEPLOY_ROOT/srv/bigbluebutton/${OWN}; echo theirs >$BBB_DEPLOY_ROOT/srv/bigbluebutton/${OWN}/.env`,
    );
    env("mine\n");
    host.put(texts, "old\n");
    const { code, output } = await recordings(
      `cat $BBB_DEPLOY_ROOT/srv/bigbluebutton/${OWN}/.env`,
      "--greenlight",
      "--upgrade",
      "new",
    );
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(/there is another one on the volume[^]*\ntheirs\n$/),
    ]);
    expect([host.read(`${OWN}/.env`), docker()]).toEqual(["mine\n", []]);
  });

  test("that can't be copied runs on as before", async () => {
    env("mine\n");
    host.put(texts, "old\n");
    host.fake(
      "cp",
      `[[ $* != *bbb-deploy-new* ]] || { echo "cp: no space" >&2; exit 1; }\nexec /usr/bin/cp "$@"`,
    );
    const { code, output } = await recordings("true", "--greenlight", "--upgrade", "new");
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/cp: no space[^]*runs on the server's own disk as before/),
    ]);
    expect([host.read(`${OWN}/.env`), docker(), former()]).toEqual(["mine\n", ["stop", "start"], []]);
  });

  test.each([
    [
      "while it copies",
      "cp",
      `[[ $* == *bbb-deploy-new* ]] || exec /usr/bin/cp "$@"
pid=$PPID
while [[ $(ps -o args= $pid) == *@(greenlight_move|recordings).@(py|sh)* ]]; do all+=" $pid"; pid=$(ps -o ppid= $pid); done
kill -9 $all
sleep 1`,
    ],
    [
      "before the former is set aside",
      "mv",
      `[[ $* != *before-volume* ]] || { kill -9 $PPID; sleep 1; }\nexec /usr/bin/mv "$@"`,
    ],
    ["after it", "mv", `/usr/bin/mv "$@"\n[[ $* != *before-volume* ]] || { kill -9 $PPID; sleep 1; }`],
  ])(
    "that was killed %s is moved by the next run, and docker does not start in between",
    async (_, name, script) => {
      env("mine\n");
      host.put(texts, "old\n");
      host.fake(name, script);
      await recordings("true", "--greenlight", "--upgrade", "new");
      expect(docker()).toEqual(["stop"]);
      expect(host.read(`${DOCKER}/50-bbb-deploy-moving.conf`)).toMatch(
        /ConditionPathExists=!.*greenlight-moving\n/,
      );
      host.fake(name, `exec /usr/bin/${name} "$@"`);
      const { code, output } = await recordings(show, "--greenlight", "--upgrade", "new");
      expect([code, output]).toEqual([0, expect.stringContaining(`${host.root}/${OWN}\nmine\n`)]);
      expect(docker()).toEqual(["stop", "stop", "start"]);
      expect(former().map((one) => host.read(`root/${one}/.env`))).toEqual(["mine\n"]);
    },
  );
});
