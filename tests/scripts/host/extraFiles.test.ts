import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { nginxFile, type ExtraFile } from "../../../bigbluebutton/extraFiles";
import { ownedKeysOf, textsFor, type GroupValues } from "../../../bigbluebutton/optionGroups";
import { renderOwnedKeys } from "../../../bigbluebutton/ownedKeys";
import { renderTurnStunServers } from "../../../bigbluebutton/turnStunServers";
import { python } from "./checks";
import { MeetingsApi } from "./meetingsApi";
import { FakeHost, type Done } from "./scripts";

/** Files of the operator's own, as wire.sh puts them on a host and takes them back. */

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";
const RECORD = "var/lib/bbb-deploy/owned-keys.json";
const MINE = "etc/bigbluebutton/mine.txt";
const SITE = "etc/bigbluebutton/nginx/school.nginx";
const xml = renderTurnStunServers({ form: "override", host: "turn.example.test", secret: "turnsecret" });

let host: FakeHost;
const api = new MeetingsApi();

beforeAll(() => api.listen());
afterAll(() => api.close());

beforeEach(async () => {
  api.meetings = "";
  host = new FakeHost();
  host.put("etc/bigbluebutton/bbb-web.properties", "");
  host.put("etc/bigbluebutton/bbb-apps-akka.conf", "services {\n}\n");
  host.fake("systemctl");
  host.fake("nginx");
  host.fake("dpkg-query", "exit 1");
  await wire([]);
  host.forgetCalls();
});
afterEach(() => host.remove());

const base64 = (content: string | Buffer) => Buffer.from(content).toString("base64");
const file = (content: string | Buffer, more: Partial<ExtraFile> = {}): ExtraFile => ({
  ...{ setting: `overrides.files./${MINE}`, path: `/${MINE}`, base64: base64(content) },
  ...{ mode: "644", owner: "root:root", replace: false, restart: [], ...more },
});
const site = (text: string, replace = false) => nginxFile("school", { base64: base64(text), replace });
const groupsOf = (extraFiles: readonly ExtraFile[], more: GroupValues = {}): GroupValues =>
  extraFiles.length > 0 ? { ...more, overrides: { extraFiles } } : more;

function wire(files: readonly ExtraFile[], more: GroupValues = {}): Promise<Done> {
  const groups = groupsOf(files, more);
  const texts = textsFor(groups);
  return host.script(
    "wire.sh",
    ["--xml-path", "/etc/bigbluebutton/turn-stun-servers.xml", ...(texts ? ["--settings", texts] : [])],
    `${SECRET}\n${renderOwnedKeys(ownedKeysOf(groups))}${xml}`,
    {
      BBB_DEPLOY_API: api.url,
      BBB_DEPLOY_PATIENCE: "1",
    },
  );
}

const here = (path: string) => existsSync(join(host.root, path));
const mode = (path: string) => (statSync(join(host.root, path)).mode & 0o7777).toString(8);
const restarted = () => host.called("systemctl").filter((call) => /^systemctl (re|daemon-re)/.test(call));

test("a file comes as it is, whatever its bytes, and goes when it is taken back", async () => {
  const bytes = Buffer.from([0, 255, 10, 13, 200, 195, 188]);
  expect((await wire([file(bytes, { mode: "755" })])).code).toBe(0);
  const there = join(host.root, MINE);
  expect([base64(readFileSync(there)), mode(MINE), restarted()]).toEqual([base64(bytes), "755", []]);
  host.forgetCalls();
  await wire([file(bytes, { mode: "755" })]);
  expect(restarted()).toEqual([]);
  await wire([]);
  expect([here(MINE), here(RECORD)]).toEqual([false, false]);
});

test("one that is there with another content is refused, all of them at once, and nothing is written", async () => {
  host.put(MINE, "by hand\n");
  mkdirSync(join(host.root, "etc/bigbluebutton/folder"));
  symlinkSync("/nowhere", join(host.root, "etc/bigbluebutton/link"));
  const named = (name: string) =>
    file("x", { path: `/etc/bigbluebutton/${name}`, setting: `overrides.files.${name}` });
  const { code, output } = await wire([file("ours\n"), named("folder"), named("link"), named("new")], {
    meetings: { muteOnStart: true },
  });
  expect(code).not.toBe(0);
  expect(output).toContain(
    `overrides.files./${MINE}: /${MINE} is on the server already, with another content. Remove it there, or add replace: true`,
  );
  expect(output).toMatch(/overrides\.files\.folder: \S+ is a folder/);
  expect(output).toMatch(/overrides\.files\.link: \S+ is a link/);
  expect([host.read(MINE), here("etc/bigbluebutton/new"), here(RECORD)]).toEqual(["by hand\n", false, false]);
  expect(host.read("etc/bigbluebutton/bbb-web.properties")).not.toContain("muteOnStart");
});

test("the file of a package is refused by the package's name", async () => {
  host.fake("dpkg-query", `[[ $2 == /${MINE} ]] && echo "bbb-config: $2"`);
  const { code, output } = await wire([file("x", { replace: true })]);
  expect([code, output]).toEqual([
    1,
    expect.stringContaining(`/${MINE} is of the package bbb-config, whose`),
  ]);
  expect(here(MINE)).toBe(false);
});

test("with replace the file that was there comes back, with its mode", async () => {
  host.put(MINE, "by hand\n");
  chmodSync(join(host.root, MINE), 0o600);
  expect((await wire([file("ours\n", { replace: true })])).code).toBe(0);
  expect((await wire([file("ours, again\n")])).code).toBe(0);
  expect([host.read(MINE), mode(MINE)]).toEqual(["ours, again\n", "644"]);
  await wire([]);
  expect([host.read(MINE), mode(MINE), here(RECORD)]).toEqual(["by hand\n", "600", false]);
});

test("a file of the same content is taken over, and stays when it is taken back", async () => {
  host.put(MINE, "same\n");
  expect((await wire([file("same\n")])).code).toBe(0);
  await wire([]);
  expect(host.read(MINE)).toBe("same\n");
});

test("its folder and its setting say what is restarted; a restart waits for meetings, a reload does not", async () => {
  host.fake("systemctl", "[[ $1 != is-active || $* == *bbb-web* ]]");
  const unit = file("[Service]\n", {
    path: "/etc/systemd/system/bbb-web.service.d/mine.conf",
    restart: ["bbb-web"],
  });
  api.meetings = "<meeting><meetingID>a</meetingID></meeting>";
  expect((await wire([site("# 1\n")])).code).toBe(0);
  expect(restarted()).toEqual(["systemctl reload nginx"]);
  const refused = await wire([site("# 1\n"), unit]);
  expect([refused.code, refused.output]).toEqual([
    1,
    expect.stringMatching(/1 meeting\(s\) run .*duringMeetings the value overrides-[0-9a-f]{8}/),
  ]);
  api.meetings = "";
  host.forgetCalls();
  expect((await wire([site("# 1\n"), unit])).code).toBe(0);
  expect(restarted()).toEqual(["systemctl daemon-reload", "systemctl restart bbb-web"]);
});

describe("what nginx refuses", () => {
  const emerg = 'nginx: [emerg] unknown directive "bad" in /etc/bigbluebutton/nginx/school.nginx:1';
  const picky = () =>
    host.fake(
      "nginx",
      `grep -qs bad "$BBB_DEPLOY_ROOT/${SITE}" || exit 0\necho 'nginx: [warn] old'\necho '${emerg}'\nexit 1`,
    );
  beforeEach(picky);

  test("is taken back, told by nginx's own line, and nothing is reloaded", async () => {
    const { code, output } = await wire([site("bad\n")]);
    expect(code).not.toBe(0);
    expect(output).toContain(`so its files are as they were before (overrides.nginx.school): ${emerg}`);
    expect([here(SITE), restarted()]).toEqual([false, []]);
    expect((await wire([site("good\n")])).code).toBe(0);
    expect([host.read(SITE), restarted()]).toEqual(["good\n", ["systemctl reload nginx"]]);
  });

  test("leaves the version before, and others' files", async () => {
    await wire([site("good\n")], { privacy: { accessLog: false } });
    host.forgetCalls();
    expect((await wire([site("bad\n")], { privacy: { accessLog: false } })).code).not.toBe(0);
    expect([host.read(SITE), restarted()]).toEqual(["good\n", []]);
    expect(here("etc/bigbluebutton/nginx/bbb-deploy.nginx")).toBe(true);
    await wire([]);
    expect([here(SITE), here(RECORD)]).toEqual([false, false]);
  });

  test("is found by the next run also, after one that was killed before it asked nginx", async () => {
    host.fake("nginx", "kill -9 $PPID");
    await wire([site("bad\n")]);
    expect(here(SITE)).toBe(true);
    picky();
    expect((await wire([site("bad\n")])).code).not.toBe(0);
    expect([here(SITE), restarted()]).toEqual([false, []]);
  });
});

test("drift of content and mode is told by the file", async () => {
  const files = [file("x\n", { mode: "600" }), site("# 1\n")];
  const drifted = () =>
    python(
      host,
      `import owned_keys\nprint("; ".join(owned_keys.drifted(${JSON.stringify(host.root)}, json.loads(${JSON.stringify(JSON.stringify(ownedKeysOf(groupsOf(files))))}))))`,
    );
  await wire(files);
  expect(await drifted()).toBe("\n");
  chmodSync(join(host.root, MINE), 0o644);
  writeFileSync(join(host.root, SITE), "# 2\n");
  expect(await drifted()).toBe(
    `/${MINE} has another mode than deployed (overrides.files./${MINE}); /${SITE} is another than deployed (overrides.nginx.school)\n`,
  );
});

test("a user that the host does not know is told by the setting", async () => {
  expect(
    await python(
      host,
      `import extra_files, os
os.geteuid = lambda: 0
try:
    extra_files.owner_of("/", {"owner": "nobody-here:root", "setting": "overrides.files./a"})
except extra_files.Mistake as mistake:
    print(mistake)
print(extra_files.owner_of("/", {"owner": "root:root", "setting": ""}))`,
    ),
  ).toBe("overrides.files./a: this host has no user nobody-here with a group root\n(0, 0)\n");
});
