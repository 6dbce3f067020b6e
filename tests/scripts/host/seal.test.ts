import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CANARIES, everything, installedHost, PEM, seal, SECRETS, MACHINE_ID, VARS } from "./sealedHost";
import type { FakeHost } from "./scripts";

let host: FakeHost;
beforeEach(() => (host = installedHost()));
afterEach(() => host.remove());

const IMAGE = "etc/bbb-deploy/image.json";
const there = (path: string) => existsSync(join(host.root, path));

test("nothing of the builder's own is left on its disk, and the image says what it is", async () => {
  const { code, output } = await seal(host);
  expect(output).toContain("sealed: nothing of this host is left on its disk");
  expect(code).toBe(0);
  const disk = everything(host);
  for (const secret of [...Object.values(SECRETS), "turnsecretofthebuilder", MACHINE_ID, "PRIVATE KEY"]) {
    expect(disk).not.toContain(secret);
  }
  expect(disk).not.toContain("203.0.113.11");
  expect(disk).not.toContain("bbb-k3x9q2");
  const last = output.trimEnd().split("\n").at(-1)!;
  expect(JSON.parse(last)).toEqual(JSON.parse(host.read(IMAGE)));
  expect(JSON.parse(last)).toEqual({
    role: "bbb",
    release: "jammy-30",
    bbb: "3.0.26",
    scripts: "0123456789ab",
    built: 1764460800,
    services: ["bigbluebutton.target", "nginx.service", "bbb-web.service"],
  });
});

test("what a copy goes on with stays: the machine-id is empty, not missing, and certbot keeps its server", async () => {
  await seal(host);
  expect(host.read("etc/machine-id")).toBe("");
  expect(host.read("etc/letsencrypt/cli.ini")).toContain("server = ");
  expect(host.read("etc/fstab")).toBe("UUID=1 / ext4 defaults 0 1\n");
  expect(host.read("etc/hosts")).toBe("127.0.0.1 localhost\n");
  expect(host.read(VARS)).toContain("local_ip_v4=127.0.0.1");
  expect(host.read("etc/bigbluebutton/bbb-fsesl-akka.conf")).toContain('password="ClueCon"');
  expect(host.read("etc/nginx/sites-available/bigbluebutton")).toContain("bbb-image.invalid");
});

test("what serves is stopped and switched off; what keeps users from the metadata service is not", async () => {
  await seal(host);
  const called = host.called("systemctl");
  expect(called).toContain("systemctl stop bigbluebutton.target");
  expect(called).toContain("systemctl disable --quiet nginx.service");
  expect(called.join("\n")).not.toMatch(/disable.*(ssh|metadata-guard)/);
  expect(host.called("cloud-init").join()).not.toContain("--machine-id");
});

test.each([
  ["a secret", "srv/forgotten.txt", `x ${SECRETS.shared} y`, "/srv/forgotten.txt has the shared secret"],
  [
    "a secret across two blocks",
    "srv/large",
    `${"x".repeat(1048570)}turnsecretofthebuilder`,
    "/srv/large has the TURN secret",
  ],
  [
    "the host's SSH key",
    "opt/backup/key",
    "QyNTUxOQAAACBqq0w1Fh3cWbuilderbuilderbuilderbuilderbuilderQAAAJhR7Y9mUe",
    "/opt/backup/key has an SSH key of the builder",
  ],
  ["a private key", "opt/own/key.pem", PEM, "/opt/own/key.pem has a private key"],
  [
    "the name",
    "etc/cron.d/job",
    "x https://bbb-k3x9q2.example.test/ y",
    "/etc/cron.d/job has the builder's name",
  ],
  ["the address", "etc/cron.d/job", "ping 203.0.113.11", "/etc/cron.d/job has the builder's address"],
  [
    "the name as a folder's",
    "srv/bbb-k3x9q2.example.test/notes",
    "",
    "/srv/bbb-k3x9q2.example.test/notes has the builder's name",
  ],
  [
    "a secret in a database",
    "var/lib/postgresql/1",
    SECRETS.hasura,
    "/var/lib/postgresql/1 has the secret hasura",
  ],
])(
  "%s in a forgotten place fails the seal, and nothing says that this is an image",
  async (_, path, text, told) => {
    host.put(path, text);
    const { code, output } = await seal(host);
    const found = output.split("\n").filter((line) => line.startsWith("/"));
    expect(output).toContain("this disk must not become an image:\n");
    expect(found).toContain(told);
    expect(new Set(found).size).toBe(1);
    expect(output).not.toContain(SECRETS.hasura);
    expect(output).not.toContain("turnsecretofthebuilder");
    expect(code).toBe(1);
    expect(there(IMAGE)).toBe(false);
  },
);

test("two secrets with one value, as where no secret of the deployment's own was written yet", async () => {
  host.put("usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties", `securitySalt=${SECRETS.shared}\n`);
  expect(await seal(host)).toMatchObject({ code: 0 });
});

test("a seal that failed and is done again knows the services that it had switched off", async () => {
  host.put("srv/forgotten", SECRETS.shared);
  expect(await seal(host)).toMatchObject({ code: 1 });
  host.fake("systemctl");
  host.put("srv/forgotten", "");
  expect(await seal(host)).toMatchObject({ code: 0 });
  expect(JSON.parse(host.read(IMAGE))).toMatchObject({
    services: ["bigbluebutton.target", "nginx.service", "bbb-web.service"],
  });
  expect(there("etc/bbb-deploy/sealing.json")).toBe(false);
});

test("a longer name or address that begins like the builder's is another one's", async () => {
  host.put("srv/other", "203.0.113.110 1203.0.113.11 bbb-k3x9q2.example.test-b");
  expect(await seal(host)).toMatchObject({ code: 0 });
});

test("a key that a package brought is no secret, until somebody changes it", async () => {
  const path = "usr/lib/python3/dist-packages/certbot/tests/key.pem";
  host.put(path, PEM);
  const { createHash } = await import("node:crypto");
  host.put("var/lib/dpkg/info/certbot.md5sums", `${createHash("md5").update(PEM).digest("hex")}  ${path}\n`);
  expect(await seal(host)).toMatchObject({ code: 0 });
  host.put(path, PEM.replace("x", "y"));
  const { code, output } = await seal(host, CANARIES);
  expect(output).toContain(`/${path} has a private key`);
  expect(code).toBe(1);
});

test("a disk that lies over another one is looked through, its files of both", () => {
  const base = mkdtempSync(join(tmpdir(), "audit-"));
  const mounts = ["low", "high", "root"].map((name) => join(base, name));
  const [low, high, root] = mounts as [string, string, string];
  for (const folder of mounts) mkdirSync(folder);
  try {
    for (const folder of [low, high]) run("mount", "-t", "tmpfs", "none", folder);
    for (const name of ["upper", "work"]) mkdirSync(join(high, name));
    writeFileSync(join(low, "old"), "canary");
    run(
      "mount",
      "-t",
      "overlay",
      "-o",
      `lowerdir=${low},upperdir=${high}/upper,workdir=${high}/work`,
      "none",
      root,
    );
    mkdirSync(join(root, "srv"));
    writeFileSync(join(root, "srv/forgotten"), "canary");
    mkdirSync(join(root, "other"));
    run("mount", "-t", "tmpfs", "none", join(root, "other"));
    writeFileSync(join(root, "other/file"), "canary");
    const program = `import image_audit; print(*sorted(image_audit.audit("${root}", [image_audit.Canary("a secret", "canary")])), sep="\\n")`;
    expect(run("python3", "-B", "-c", program)).toBe("/old has a secret\n/srv/forgotten has a secret\n");
  } finally {
    for (const folder of [join(root, "other"), root, high, low]) spawnSync("umount", [folder]);
    rmSync(base, { recursive: true });
  }
});

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", cwd: "scripts/host" });
  expect([command, status, stderr]).toEqual([command, 0, ""]);
  return stdout;
}
