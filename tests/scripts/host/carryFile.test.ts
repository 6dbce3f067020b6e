import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { BackupHost, HOST } from "./backupHost";
import { done, SCRIPTS, type Done } from "./scripts";

const WEB = "etc/bigbluebutton/bbb-web.properties";
const PACKAGED = ["usr/share/bbb-config/changed", "usr/share/bbb-config/installers"];

let host: BackupHost;
let file: string;

const carryFile = (verb: "export" | "import", input = ""): Promise<Done> =>
  done(host.start(["/usr/bin/python3", "-B", join(SCRIPTS, "carry_file.py"), verb, HOST], {}), input);
const dataIn = (output: string) =>
  output
    .split("\n")
    .flatMap((line) => (line.startsWith("=") ? [`${line.slice(1)}\n`] : []))
    .join("");
const database = () => readFileSync(join(host.directory, "database"), "utf8");
/** Lets dpkg find these files changed. */
const changed = (...paths: string[]) =>
  host.fake("dpkg", paths.map((path) => `echo '??5?????? c /${path}'`).join("\n"));

/** State of a server of 3.0, exported. */
beforeAll(async () => {
  host = new BackupHost();
  host.installGreenlight(3);
  host.put(
    WEB,
    "securitySalt=of-the-old\nbigbluebutton.web.serverURL=https://bbb.school.eu\ndefaultWelcomeMessage=Hello\nlockSettingsDisableNote=true\n",
  );
  host.put("etc/nginx/conf.d/own.conf", "# ours\n");
  for (const path of PACKAGED) host.put(path, "other\n");
  changed(...PACKAGED);
  const { code, output } = await carryFile("export");
  expect(output).toMatch(
    /^state: \d+ files and folders, \d+ kB; Greenlight with 3 users, 1 rooms, 0 recordings$/m,
  );
  expect(code).toBe(0);
  file = dataIn(output);
}, 60_000);
afterAll(() => host.remove());

/** Server of 4.0 that was installed anew. */
beforeEach(() => {
  for (const name of readdirSync(host.root)) rmSync(join(host.root, name), { recursive: true });
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=4.0.1\n");
  host.put(WEB, "securitySalt=of-the-new\nbigbluebutton.web.serverURL=https://bbb.school.eu\n");
  host.installGreenlight(1);
  host.put(PACKAGED[1]!, "other, of 4.0\n");
  changed(PACKAGED[1]!);
  host.fake("bbb-conf");
  host.forgetCalls();
});

test("keys, files and Greenlight come over; what is the server's own stays; what the release lacks is listed", async () => {
  const { code, output } = await carryFile("import", file);
  expect(code).toBe(0);
  const web = host.read(WEB);
  expect(web).toContain("defaultWelcomeMessage=Hello");
  expect(web).toContain("securitySalt=of-the-new");
  expect(web).not.toContain("lockSettingsDisableNote=");
  expect(output).toMatch(
    /lockSettingsDisableNote of bbb-web.properties was left out: BigBlueButton 4.0 does not have it/,
  );
  expect(host.read("etc/nginx/conf.d/own.conf")).toBe("# ours\n");
  expect(database()).toBe("users 0\nusers 1\nusers 2\nrooms 1\n");
  expect(output).toContain("Greenlight: 3 of 3 users, 1 of 1 rooms");
  expect(host.called("bbb-conf")).toEqual(["bbb-conf --restart"]);
  expect(output).toContain("done: this server has what the old one had");
});

test("a changed file of a package is named and not copied, but for those that every installer changes", async () => {
  const { output } = await carryFile("import", file);
  expect(output).toContain(`/${PACKAGED[0]} of a package had been changed on the old server`);
  expect(output).not.toContain(`/${PACKAGED[1]} of a package`);
  expect(() => host.read(PACKAGED[0]!)).toThrow();
  expect(host.read(PACKAGED[1]!)).toBe("other, of 4.0\n");
});

test("once more, all of it is there, and nothing restarts", async () => {
  await carryFile("import", file);
  host.forgetCalls();
  const { code, output } = await carryFile("import", file);
  expect(output).toContain("state: 0 keys of BigBlueButton's files set, 0 files put back");
  expect(output).toContain("Greenlight is here with 3 users, 1 rooms");
  expect([code, host.called("bbb-conf")]).toEqual([0, []]);
});

test("Greenlight that came by its volume is left as it is", async () => {
  host.installGreenlight(3);
  const before = database();
  await carryFile("import", file);
  expect(database()).toBe(before);
  expect(host.called("docker").filter((call) => call.includes("--clean"))).toEqual([]);
});

test("a database that can't be read fails the export: nothing is lost unnoticed", async () => {
  rmSync(join(host.directory, "database"));
  const { code, output } = await carryFile("export");
  expect([code, output]).toEqual([
    1,
    expect.stringContaining("FAILED: Greenlight's table users could not be counted"),
  ]);
  writeFileSync(join(host.directory, "database"), "");
});

test("Greenlight that a run before has stopped is started, and read once its database is there", async () => {
  const at = join(host.directory, "database");
  const rows = database();
  rmSync(at);
  host.fake(
    "systemctl",
    `case "$*" in "is-active docker.service") exit 3 ;; "start docker.service") printf '${rows.replaceAll("\n", "\\n")}' >${at} ;; esac`,
  );
  const { code, output } = await carryFile("export");
  expect(output).toContain("; Greenlight with 1 users, 1 rooms");
  expect(code).toBe(0);
  host.fake("systemctl");
});

test("a server without Greenlight, or none that was installed, is told, and what the file is not", async () => {
  rmSync(join(host.root, "root"), { recursive: true });
  let { code, output } = await carryFile("import", file);
  expect([code, output]).toEqual([
    1,
    expect.stringContaining("this one has none: set greenlight, pulumi up, then run this again"),
  ]);
  rmSync(join(host.root, "etc/bigbluebutton/bigbluebutton-release"));
  ({ code, output } = await carryFile("import", file));
  expect([code, output]).toEqual([1, expect.stringContaining("FAILED: BigBlueButton is not installed here")]);
  ({ code, output } = await carryFile("import", Buffer.from("no archive").toString("base64")));
  expect([code, output]).toEqual([1, expect.stringContaining("FAILED: tar could not handle the state")]);
});
