import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { extraFileRoots, ownedExtraFile } from "../../bigbluebutton/extraFiles";
import { textsFor } from "../../bigbluebutton/optionGroups";
import { parseSettings } from "../../settings";
import { SettingsError } from "../../settings/problems";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "extra-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const groups = (overrides: unknown) =>
  parseSettings({ ...required, overrides }, { project: "bigbluebutton", stack: "prod" }).groups;
const files = (overrides: unknown) => groups(overrides).overrides?.extraFiles;

function mistakes(overrides: unknown): string {
  try {
    groups(overrides);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return "none";
}

const local = (content: string | Buffer) => {
  const path = join(folder, "file");
  writeFileSync(path, content);
  return path;
};
const base64 = (text: string) => Buffer.from(text).toString("base64");

test("a content is a path, or a map with the path or the text", () => {
  const path = local("ü\n");
  expect(files({ nginx: { a: path, b: { file: path, replace: true }, c: { text: "# c\n" } } })).toMatchObject(
    [
      { path: "/etc/bigbluebutton/nginx/a.nginx", base64: base64("ü\n"), replace: false, owner: "root:root" },
      { path: "/etc/bigbluebutton/nginx/b.nginx", replace: true, setting: "overrides.nginx.b" },
      { path: "/etc/bigbluebutton/nginx/c.nginx", base64: base64("# c\n"), mode: "644", restart: [] },
    ],
  );
});

test("a file has mode, owner and what is restarted; its folder adds to that", () => {
  const path = "/etc/systemd/system/bbb-web.service.d/mine.conf";
  const [file] = files({
    files: { [path]: { text: "x", mode: "0640", owner: "root:bigbluebutton", restart: ["bbb-web"] } },
  })!;
  expect(file).toMatchObject({ path, mode: "640", owner: "root:bigbluebutton", restart: ["bbb-web"] });
  expect(ownedExtraFile(file!)).toMatchObject({ restart: ["daemon-reload", "bbb-web"], endsMeetings: true });
  const [plain] = files({ files: { "/etc/nginx/conf.d/mine.conf": { text: "x" } } })!;
  expect(ownedExtraFile(plain!)).toMatchObject({ restart: ["reload:nginx"], endsMeetings: false });
});

test("another content is another text for duringMeetings", () => {
  const text = (content: string) => textsFor(groups({ nginx: { a: local(content) } }));
  expect(text("1")).not.toBe(text("2"));
  expect(text("1")).toBe(text("1"));
});

test("keys stand beside files", () => {
  expect(groups({ web: { a: 1 }, nginx: { a: { text: "x" } } }).overrides).toMatchObject({
    web: { a: 1 },
    extraFiles: [{}],
  });
});

test.each([
  ["/etc/passwd", "is in none of the folders for such files: /etc/bigbluebutton/, "],
  ["etc/bigbluebutton/x", "is no path of a file"],
  ["/etc/bigbluebutton/../passwd", "is no path of a file"],
  ["/etc/bigbluebutton/a b", "is no path of a file"],
  ["/etc/bigbluebutton/", "is no path of a file"],
  ["/etc/bigbluebutton/nginx/x.nginx", "use overrides.nginx"],
  ["/etc/bigbluebutton/bbb-web.properties", "the deployment writes single keys of it (web)"],
  ["/etc/bigbluebutton/turn-stun-servers.xml", "the deployment sets the TURN servers"],
  ["/etc/cron.daily/bbb-deploy-recordings", "it is the deployment's own"],
  ["/etc/systemd/system/bbb-deploy-other.service", "it is the deployment's own"],
  ["/etc/systemd/system/bbb-web.service.d/50-bbb-deploy-recordings.conf", "it is the deployment's own"],
])("%s is refused", (path, reason) => {
  expect(mistakes({ files: { [path]: { text: "x" } } })).toContain(reason);
});

test("each folder takes a file", () => {
  const paths = Object.keys(extraFileRoots).map((root) => `${root}mine`);
  expect(files({ files: Object.fromEntries(paths.map((path) => [path, { text: "x" }])) })).toHaveLength(
    paths.length,
  );
});

test("all mistakes of the files are told at once", () => {
  const told = mistakes({
    nginx: { a: join(folder, "none"), b: folder, c: { file: local("x"), text: "y" }, "d.e": { text: "z" } },
    files: {
      "/etc/bigbluebutton/a": { text: "x", mode: "888" },
      "/etc/bigbluebutton/b": { text: "x", owner: "root" },
      "/etc/bigbluebutton/c": {},
      "/etc/bigbluebutton/d": { text: "x", moed: "644" },
    },
  });
  for (const part of [
    "overrides.nginx.c must be a path, or a map with file (a path) or text",
    "overrides.nginx.d.e",
    'has a mode that is none, such as "644"',
    "has an owner that is none, such as root:root",
    "overrides.files./etc/bigbluebutton/c must be a path",
    "overrides.files./etc/bigbluebutton/d must be a path, or a map with file (a path) or text; there are file, text, mode",
  ]) {
    expect(told).toContain(part);
  }
  const unread = mistakes({ nginx: { a: join(folder, "none"), b: folder } });
  expect(unread).toMatch(/overrides\.nginx\.a names \S+none, which is not there/);
  expect(unread).toMatch(/overrides\.nginx\.b names \S+, which is no file/);
});

test("files have bounds, one by one and together", () => {
  expect(mistakes({ nginx: { a: local(Buffer.alloc(1_000_001)) } })).toContain(
    "of 1000001 bytes, more than 1000000",
  );
  const path = local(Buffer.alloc(1_000_000));
  expect(mistakes({ nginx: { a: path, b: path, c: path, d: path, e: path } })).toContain(
    "overrides.files has files of 5000000 bytes together, more than 4000000",
  );
});
