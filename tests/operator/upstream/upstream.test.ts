import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { bbbConfProblems } from "../../../bigbluebutton/bbbConf";
import { type ReleaseName, releases, upstreamLists } from "../../../bigbluebutton/releases";
import type { Finding } from "../../../operator/check/finding";
import { problemsOf } from "../../../operator/upstream/bbbConf";
import { inspectUpstream } from "../../../operator/upstream/document";
import { reader } from "../../../operator/upstream/files";
import { inspectInstaller } from "../../../operator/upstream/installer";
import { expectedKeys } from "../../../operator/upstream/keys";
import { ubuntuEnd } from "../../../operator/upstream/versions";
import { done, FakeHost, SCRIPTS } from "../../scripts/host/scripts";
import { bbbConfOf, installerOf, Mirror, sha256, tagList } from "./site";

const LIVE: readonly ReleaseName[] = ["jammy-30", "noble-40"];
const jammy = releases["jammy-30"];
const INSTALLER = jammy.installer!.url;
const BBB_CONF = `${jammy.upstream!.source}/bigbluebutton-config/bin/bbb-conf`;
const PLAYBACK = `${jammy.upstream!.source}/record-and-playback/core/scripts/bigbluebutton.yml`;

let mirror: Mirror;

beforeEach(() => {
  mirror = new Mirror();
});

afterEach(() => mirror.close());

async function findings(names: readonly ReleaseName[] = LIVE): Promise<Finding[]> {
  const report = await inspectUpstream(names, reader(await mirror.url(), 0), new Date("2026-11-29"));
  return report.sections.flatMap((section) => section.findings);
}

/** Findings that are not ok: check, verdict and answer. */
async function wrong(): Promise<string[]> {
  const found = await findings();
  for (const { verdict, remedy } of found) expect(remedy === undefined).toBe(verdict === "ok");
  return found
    .filter(({ verdict }) => verdict !== "ok")
    .map(({ name, verdict, answer }) => `${verdict} ${name}: ${answer}`);
}

const change = (url: string, from: string | RegExp, to: string): void => {
  const before = mirror.files.get(url) as string;
  const after = before.replace(from, to);
  expect(after).not.toBe(before);
  mirror.files.set(url, after);
};

test("files as they are taken for: all is well, and each is read once", async () => {
  expect(await wrong()).toEqual([]);
  expect(new Set(mirror.asked).size).toBe(mirror.asked.length);
  expect(new Set(mirror.asked)).toEqual(new Set(mirror.files.keys()));
});

describe("an installer", () => {
  const told = (text: RegExp) => expect.arrayContaining([expect.stringMatching(text)]) as unknown;

  test.each([
    ["an option that we pass is gone", "s:", "", /^FAIL installer: takes -s with a value no more/],
    ["an option takes no value any more", "e:", "e", /^FAIL installer: takes -e with a value no more/],
    ["an option takes a value now", "g", "g:", /^FAIL installer: takes -g no more/],
  ])("%s", async (_, from, to, text) => {
    const options = /getopts "([^"]*)"/.exec(mirror.files.get(INSTALLER) as string)![1]!;
    change(INSTALLER, options, options.replace(from, to));
    expect(await wrong()).toEqual(told(text));
  });

  test("with an option that the table lacks", async () => {
    change(INSTALLER, 'getopts "', 'getopts "Z');
    expect(await wrong()).toEqual([
      "warn installer: options: -Z is new; sha256 " +
        sha256(mirror.files.get(INSTALLER) as string) +
        ", none in the table; behaves as we take for granted",
    ]);
  });

  test.each([
    ['[ -n "$IP" ]', "true", /does not ask whether IP is set/],
    [jammy.turnXml.path, "/etc/elsewhere.xml", /does not name \/etc\/bigbluebutton\/turn-stun-servers\.xml/],
    ["jammy-300", "jammy-310", /does not name jammy-300/],
    ["/local/certs", "/own/certs", /does not name \/local\/certs/],
    ["--webroot", "--webroot --staging", /gives certbot a server/],
    ["certonly", "run", /no line with certbot certonly/],
    ["getopts", "getopt", /no line with getopts/],
  ])("without %j", async (from, to, text) => {
    change(INSTALLER, from, to);
    expect(await wrong()).toEqual([expect.stringMatching(text)]);
  });

  test("of another hash than the table's is told", () => {
    const text = installerOf(jammy);
    const row = (hash: string) => ({ ...jammy, installer: { ...jammy.installer!, sha256: hash } });
    expect(inspectInstaller(text, row(sha256(text)))).toContain("sha256 as in the table");
    expect(() => inspectInstaller(text, row("0".repeat(64)))).toThrow(/^sha256 [0-9a-f]{64}, not 0{64}/);
  });

  test("of the table's hash is not judged anew: old ones name their files in pieces", () => {
    const text = installerOf(jammy).replaceAll(jammy.turnXml.path, "$SERVLET_DIR/turn-stun-servers.xml");
    const row = (hash?: string) => ({ ...jammy, installer: { ...jammy.installer!, sha256: hash } });
    expect(inspectInstaller(text, row(sha256(text)))).toBe("sha256 as in the table; options as in the table");
    expect(() => inspectInstaller(text, row())).toThrow(/does not name .*turn-stun-servers\.xml/);
  });
});

describe("bbb-conf", () => {
  test("that reports a problem of a new text", async () => {
    change(BBB_CONF, /$/, 'echo "# Error: Found ${COUNT} broken pads in $(hostname)"\n');
    expect(await wrong()).toEqual([
      expect.stringMatching(/^warn bbb-conf: a problem of a new text, .*: Error: Found … broken pads in …;/),
    ]);
  });

  test("with another header, or a service less", async () => {
    change(BBB_CONF, "# Potential problems described below", "# Findings");
    change(BBB_CONF, " etherpad", "");
    expect(await wrong()).toEqual([
      expect.stringMatching(
        /^FAIL bbb-conf: its header of problems has another text.*does not name etherpad;/,
      ),
    ]);
  });

  test("whose problems can't be read at all", async () => {
    mirror.files.set(BBB_CONF, bbbConfOf(jammy).replaceAll("echo", "printf"));
    expect(await wrong()).toEqual([
      expect.stringMatching(/^FAIL bbb-conf: .*none of its problems could be read/),
    ]);
  });

  test("is read as bash: quotes, values, redirections, no comments", () => {
    const text = `# echo "# Error: in a comment"
  echo "# Error: File '$FILE' not found" >&2
if x; then echo -e '# Warning: found only \${CORES} cores'; fi
echo "# something else"
`;
    expect(problemsOf(text)).toEqual(["Error: File … not found", "Warning: found only … cores"]);
  });

  test("and the judge on the host take each known problem for the same", async () => {
    const host = new FakeHost();
    try {
      const kinds = [];
      for (const [begins] of bbbConfProblems) {
        const body = begins.replaceAll("…", "203.0.113.7").replace(/8021$/, "1");
        const text = `# Potential problems described below\n# ${body} ffmpeg is at /no/such/file, not owned by nobody\n`;
        const command = ["/usr/bin/python3", "-B", join(SCRIPTS, "bbb_conf_check.py")];
        const { output } = await done(host.start(command, { PATH: host.root }), text);
        kinds.push([begins, output.slice(0, 4).trim() || "nothing"]);
      }
      // Nothing listens at port 1, no command is there; of a file that is not there no owner is wrong.
      const looked = (begins: string) => (/ffmpeg|Event Socket/.test(begins) ? "FAIL" : "warn");
      expect(kinds).toEqual(
        bbbConfProblems.map(([begins, kind]) => [begins, kind === "looked at" ? looked(begins) : kind]),
      );
    } finally {
      host.remove();
    }
  });

  test("names the services that the check of a host asks for", async () => {
    const host = new FakeHost();
    try {
      const code = `import json, sys; sys.path.insert(0, ${JSON.stringify(SCRIPTS)}); import system_check as s; print(json.dumps(s.BBB_ALWAYS + s.BBB_SWITCHED_ON))`;
      const { output } = await done(host.start(["/usr/bin/python3", "-B", "-c", code]));
      const asked = JSON.parse(output) as string[];
      for (const name of LIVE)
        expect(asked).toEqual(expect.arrayContaining([...releases[name].upstream!.units]));
    } finally {
      host.remove();
    }
  });
});

test("a key that is gone is told with the script that relies on it", async () => {
  change(PLAYBACK, "playback_host:", "host:");
  const found = (await findings()).find(({ verdict }) => verdict === "FAIL");
  expect(found).toMatchObject({
    asked: "bigbluebutton.yml",
    answer: "has no playback_host: any more",
    remedy: "look what took its place, and adapt scripts/host/playback.py",
  });
});

test("so is one of a setting, in the lines that know the setting", async () => {
  const of = (version: "3.0" | "4.0") => expectedKeys({ version }).flatMap(({ keys }) => keys);
  expect(of("3.0")).toEqual(
    expect.arrayContaining(["muteOnStart=", "defaultMeetingLayout=", "uploadPagesMax:"]),
  );
  expect([of("3.0"), of("4.0")].map((keys) => keys.includes("lockSettingsPresenterPolicy="))).toEqual([
    false,
    true,
  ]);
  change(
    PLAYBACK.replace(/record-and-playback.*/, "bigbluebutton-web/grails-app/conf/bigbluebutton.properties"),
    "muteOnStart=",
    "mute=",
  );
  expect((await findings()).find(({ verdict }) => verdict === "FAIL")).toMatchObject({
    asked: "bigbluebutton.properties",
    answer: "has no muteOnStart= any more",
    remedy: "look what took its place, and adapt bigbluebutton/*Options.ts",
  });
});

describe("versions and ends", () => {
  test.each([
    [
      "a candidate that is out",
      ["v3.0.26", "v4.0.0"],
      /^warn version: 4\.0\.0 is out, no candidate any more/,
    ],
    [
      "a line that the table lacks",
      ["v3.0.26", "v4.0.0-rc.2", "v4.1.0-beta.1"],
      /^warn new lines: 4\.1, which/,
    ],
    ["a line without any version", ["v4.0.0-rc.2"], /^FAIL version: no version of 3\.0 is among the tags/],
  ])("%s", async (_, names, text) => {
    mirror.files.set(upstreamLists.tags, tagList(names));
    expect(await wrong()).toEqual([expect.stringMatching(text)]);
  });

  test("the newest of a line is told by number, not by letters, and never one before a release", async () => {
    mirror.files.set(upstreamLists.tags, tagList(["v3.0.9", "v3.0.10", "v3.0.11-rc.1", "v4.0.0-rc.1"]));
    expect((await findings()).filter(({ name }) => name === "version").map(({ answer }) => answer)).toEqual([
      "3.0.10 is the newest",
      "no final version yet, 1 before it",
    ]);
  });

  test.each([
    ["| 3.0.x | :x: |", /^FAIL support: 3\.0 is not supported any more/],
    ["| 2.7.x | :x: |", /^warn support: 3\.0 is not in the list/],
  ])("%s", async (row, text) => {
    mirror.files.set(upstreamLists.support, `| Version | Supported |\n| - | - |\n${row}\n`);
    expect(await wrong()).toEqual([expect.stringMatching(text)]);
  });

  test("Ubuntu's end comes near, and is over", () => {
    const csv = "version,series,eol,eol-server\n22.04 LTS,jammy,2030-01-01,2027-04-01\n";
    const at = (day: string) => () => ubuntuEnd(csv, "22.04", new Date(day));
    expect(at("2026-01-01")()).toBe("Ubuntu 22.04 is supported until 2027-04-01");
    expect(at("2027-03-01")).toThrow("Ubuntu 22.04 is supported until 2027-04-01, 31 days");
    expect(at("2027-05-01")).toThrow("has had no support since 2027-04-01");
    expect(() => ubuntuEnd(csv, "24.04", new Date())).toThrow("has no end for 24.04");
  });

  test.each([upstreamLists.tags, upstreamLists.support, upstreamLists.ubuntu])(
    "%s that is something else by now is told as that",
    async (url) => {
      mirror.files.set(url, "<html>moved</html>");
      const found = await wrong();
      expect(found.length).toBeGreaterThan(0);
      for (const line of found) expect(line).toMatch(/^FAIL .*(list of tags|no table|list of Ubuntu)/);
    },
  );
});

describe("a server that lacks them", () => {
  test("404: the file is gone, and the table is what to correct", async () => {
    mirror.files.set(INSTALLER, 404);
    const found = (await findings()).find(({ verdict }) => verdict === "FAIL")!;
    expect(found.answer).toBe(`${await mirror.url()}/${INSTALLER.slice(8)} is no longer there (HTTP 404)`);
    expect(found.remedy).toContain("correct the table in bigbluebutton/releases.ts");
  });

  test.each([
    [503, /could not be read: HTTP 503/],
    [0, /could not be read: (SocketError: )?other side closed/],
    [429, /refuses more requests for a while/],
  ])("%d: nothing is said of the file but that", async (status, text) => {
    mirror.files.set(INSTALLER, status);
    const found = (await findings()).filter(({ verdict }) => verdict !== "ok");
    expect(found).toEqual([expect.objectContaining({ verdict: "FAIL", name: "installer" })]);
    expect(found[0]!.answer).toMatch(text);
    expect(found[0]!.remedy).toMatch(/ask again/);
    expect(mirror.asked.filter((url) => url === INSTALLER)).toHaveLength(status === 429 ? 1 : 3);
  });

  test("a moment is waited for", async () => {
    let first = true;
    const text = mirror.files.get(INSTALLER)!;
    jest.spyOn(mirror.files, "get").mockImplementation((url) => {
      if (url !== INSTALLER) return Map.prototype.get.call(mirror.files, url) as string;
      const answer = first ? 503 : text;
      first = false;
      return answer;
    });
    expect(await wrong()).toEqual([]);
  });
});

describe("the command", () => {
  async function run(...args: string[]) {
    const path = [join(process.execPath, ".."), process.env.PATH].join(":");
    const script = join(__dirname, "../../../scripts/upstream");
    const child = spawn(script, args, { cwd: tmpdir(), env: { PATH: path } });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
    child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
    const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
    return { code, stdout, stderr };
  }

  test("says what holds, and ends with 0", async () => {
    const { code, stdout, stderr } = await run("--mirror", await mirror.url(), ...LIVE);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/\njammy-30 \(3\.0\)\nok .* installer .*\n/);
    expect(stdout.trim().split("\n").at(-1)).toMatch(/^upstream: \d+ ok, in/);
  });

  test("ends with 1 where something does not, and with --strict at a warning", async () => {
    change(INSTALLER, 'getopts "', 'getopts "Z');
    const url = await mirror.url();
    const asked = ["--mirror", url, "jammy-30", "--json"];
    const { code, stdout } = await run(...asked);
    expect([code, (JSON.parse(stdout) as { verdict: string }).verdict]).toEqual([0, "warn"]);
    expect((await run(...asked, "--strict")).code).toBe(1);
    mirror.files.set(INSTALLER, 404);
    expect((await run(...asked)).code).toBe(1);
  });

  test.each([
    [["jammy-99"], "error: there is no release jammy-99: xenial-20, "],
    [["--mirror", "here"], "error: --mirror here: give a URL"],
    [["--nonsense"], "error: unknown option '--nonsense'"],
  ])("a mistake, %j, ends with 2", async (args, text) => {
    const { code, stdout, stderr } = await run(...args);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringContaining(text)]);
  });
});
