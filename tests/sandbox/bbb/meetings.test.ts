/** Settings of meetings from their rows in bigbluebutton/ to what the stand-in answers to a client. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { signedApiUrl } from "../../../bigbluebutton/api";
import { meetingOptions } from "../../../bigbluebutton/meetingOptions";
import { linesOf, optionLines, type Line, type OptionValues } from "../../../bigbluebutton/options";
import { renderOwnedKeys } from "../../../bigbluebutton/ownedKeys";
import { ownedKeysOf, type GroupValues } from "../../../bigbluebutton/optionGroups";
import { renderTurnStunServers } from "../../../bigbluebutton/turnStunServers";
import { FakeHost } from "../../scripts/host/scripts";
import { python } from "../../scripts/host/checks";
import { packaged, STANDIN } from "./standin";

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";

let host: FakeHost;
const running: ChildProcess[] = [];

beforeEach(() => (host = new FakeHost()));
afterEach(() => {
  running.splice(0).forEach((child) => child.kill());
  host.remove();
});

/** Starts one of the stand-in's services on the fake host, and returns its port. */
async function start(name: string, program: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const child = spawn("/usr/bin/python3", [packaged(name, program), "--root", host.root, "--port", "0"], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1", ...env },
  });
  running.push(child);
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(line.split(":").at(-1)!));
    createInterface({ input: child.stderr }).once("line", (line) => reject(new Error(line)));
  });
}

/** Puts the packages' files and the settings' keys onto the fake host. */
async function configure(line: Line, groups: GroupValues): Promise<void> {
  const classes = "usr/share/bbb-web/WEB-INF/classes";
  cpSync(packaged("bbb-web", classes), join(host.root, classes), { recursive: true });
  const client = "usr/share/bigbluebutton/html5-client";
  cpSync(join(STANDIN, `packages/bbb-html5/root-${line}`, client), join(host.root, client), {
    recursive: true,
  });
  host.put("etc/bigbluebutton/bigbluebutton-release", `BIGBLUEBUTTON_RELEASE=${line}.1\n`);
  host.put("etc/bigbluebutton/bbb-web.properties", "bigbluebutton.web.serverURL=https://bbb.example.test\n");
  const xml = renderTurnStunServers({ form: "override", host: "turn.example.test", secret: "x" });
  const input = `${SECRET}\n${renderOwnedKeys(ownedKeysOf(groups))}${xml}`;
  const output = await python(
    host,
    `import io, sys, wire_files
sys.stdin = io.StringIO(${JSON.stringify(input)})
sys.argv = ["wire_files.py", "--root", ${JSON.stringify(host.root)}, "--xml-path", "/etc/bigbluebutton/turn-stun-servers.xml"]
wire_files.main()
`,
  );
  expect(output).toContain("/etc/bigbluebutton/bbb-web.properties written");
}

interface Entered {
  readonly logo: string | null;
  readonly darkLogo: string | null;
  readonly presentation: string | null;
  readonly welcome: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly clientSettings: { readonly public: Readonly<Record<string, unknown>> };
}

/** Makes a meeting and joins it, as a front end and its client do. */
async function meet(groups: GroupValues, line: Line, parameters: Record<string, string> = {}) {
  await configure(line, groups);
  const akka = await start("bbb-apps-akka", "usr/lib/bbb-standin/apps_akka.py");
  const web = await start("bbb-web", "usr/lib/bbb-standin/bbb_web.py", {
    CLIENT_SETTINGS_URL: `http://127.0.0.1:${akka}/clientSettings`,
  });
  const base = `http://127.0.0.1:${web}/bigbluebutton/api`;
  const ask = (call: string, query: Record<string, string>) => fetch(signedApiUrl(base, call, query, SECRET));
  await ask("create", {
    meetingID: "room",
    name: "Mathe 7b",
    record: "true",
    voiceBridge: "12345",
    ...parameters,
  });
  const info = await (await ask("getMeetingInfo", { meetingID: "room" })).text();
  const guest = await (
    await ask("join", { meetingID: "room", fullName: "G", role: "VIEWER", guest: "true", redirect: "false" })
  ).text();
  const joined = await ask("join", {
    meetingID: "room",
    fullName: "L",
    role: "MODERATOR",
    redirect: "false",
  });
  const token = /<session_token>(.*?)</.exec(await joined.text())![1];
  const cookie = joined.headers.get("set-cookie")!.split(";")[0]!;
  const entered = await fetch(`${base}/enter?sessionToken=${token}`, { headers: { cookie } });
  const { response } = (await entered.json()) as { response: Entered };
  return { info, guest, ask, ...response };
}

const at = (data: unknown, key: string): unknown =>
  key.split(".").reduce<unknown>((of, step) => (of as Record<string, unknown> | undefined)?.[step], data);

describe.each(optionLines)("%s", (line) => {
  const known = Object.entries(meetingOptions).filter(
    ([name, option]) => linesOf(option).includes(line) && !["welcome", "welcomeFooter"].includes(name),
  );
  /** Values that differ from those of the package. */
  const values: OptionValues = {
    ...Object.fromEntries(known.map(([name, { example }]) => [name, example])),
    ...(line === "4.0" && { layout: "CAMERAS_ONLY" }),
  };

  test("every option that the line knows is what the client is told", async () => {
    const plain = await meet({}, line);
    running.splice(0).forEach((child) => child.kill());
    const set = await meet({ meetings: values }, line);
    const untold = known.filter(([, { at: places }]) =>
      places.every(({ file, key }) =>
        file === "web"
          ? JSON.stringify(set.settings[key]) === JSON.stringify(plain.settings[key])
          : JSON.stringify(at(set.clientSettings, key)) === JSON.stringify(at(plain.clientSettings, key)),
      ),
    );
    expect(untold.map(([name]) => name)).toEqual([]);
    expect(set.settings).toMatchObject({
      muteOnStart: true,
      lockSettingsDisableCam: true,
      lockSettingsDisableMic: false,
    });
    expect(set.clientSettings.public).toMatchObject({ app: { clientTitle: "BigBlueButton stand-in" } });
  });

  test("branding is what the client is told, and a meeting may have a logo of its own", async () => {
    const branding = {
      ...{ logo: "https://a.eu/logo", darkLogo: "https://a.eu/dark", presentation: "https://a.eu/x.pdf" },
      ...{ title: "Königsschule 🏫", style: "https://a.eu/style.css", footer: "© Ä 🎓" },
    };
    const plain = await meet({}, line);
    expect([plain.logo, plain.darkLogo, plain.presentation]).toEqual([
      null,
      null,
      "https://bbb.example.test/default.pdf",
    ]);
    running.splice(0).forEach((child) => child.kill());
    const told = await meet({ branding }, line);
    expect(told).toMatchObject({
      ...{ logo: branding.logo, darkLogo: branding.darkLogo, presentation: branding.presentation },
      clientSettings: {
        public: {
          app: {
            ...{ clientTitle: branding.title, customStyleUrl: branding.style, copyright: branding.footer },
            branding: { displayBrandingArea: true },
          },
        },
      },
    });
    running.splice(0).forEach((child) => child.kill());
    const own = await meet({ branding: { presentation: "false" } }, line, { logo: "https://b.eu/logo" });
    expect([own.logo, own.presentation]).toEqual(["https://b.eu/logo", null]);
  });

  test("limits, recording and guests are what the API goes by", async () => {
    const set = await meet({ meetings: values }, line);
    expect(set.info).toMatch(/<duration>240<.*<recording>false<.*<maxUsers>150</);
    expect(set.guest).toContain("<guestStatus>WAIT<");
  });

  test("texts arrive as they are written, with their placeholders replaced", async () => {
    const text = 'Grüß "Gott" & مرحبا 👋🏽 100 %\nzweite Zeile \\ = : # !';
    const { welcome } = await meet(
      { meetings: { welcome: `${text} %%CONFNAME%%`, welcomeFooter: "PIN %%CONFNUM%%" } },
      line,
    );
    expect(welcome).toBe(`${text} Mathe 7b<br><br>PIN 12345`);
  });
});

test("what a front end says for a meeting goes before the settings", async () => {
  const { info, settings, welcome } = await meet(
    { meetings: { maxUsers: 150, muteOnStart: true, welcome: "ours" } },
    "3.0",
    {
      ...{ maxParticipants: "7", muteOnStart: "false", welcome: "theirs" },
    },
  );
  expect([info.match(/<maxUsers>(\d+)</)![1], settings.muteOnStart, welcome]).toEqual(["7", false, "theirs"]);
});

test("recordings have the formats of the settings, and all of them are listed or not", async () => {
  const { ask } = await meet(
    {
      recordings: { mp4: true, formats: ["presentation", "video", "podcast"] },
      privacy: { listAllRecordings: false },
    },
    "3.0",
  );
  await ask("end", { meetingID: "room" });
  for (const name of ["bbb-record-core", "bbb-playback-video"]) {
    cpSync(packaged(name, "usr/local"), join(host.root, "usr/local"), { recursive: true });
  }
  processAll();
  const published = join(host.root, "var/bigbluebutton/published");
  // Podcast is among the steps, but its package is not installed.
  expect(readdirSync(published)).toEqual(["presentation", "video"]);
  const [id] = readdirSync(join(published, "presentation"));
  expect(readdirSync(join(published, "presentation", id!, "video"))).toEqual(["webcams.mp4", "webcams.webm"]);
  expect(await (await ask("getRecordings", {})).text()).toContain("<returncode>FAILED<");
  const listed = await (await ask("getRecordings", { meetingID: "room" })).text();
  expect(listed.match(/<recordID>[^<]*</g)).toEqual([`<recordID>${id}<`]);
  expect(listed.match(/<type>[^<]*</g)).toEqual(["<type>presentation<", "<type>video<"]);
});

const WORKER = packaged("bbb-record-core", "usr/lib/bbb-standin/rap_worker.py");

/** Works until the queues are empty. */
function processAll(env: NodeJS.ProcessEnv = {}): void {
  const { status, stderr } = spawnSync("/usr/bin/python3", ["-B", WORKER, "--root", host.root, "--once"], {
    encoding: "utf8",
    env,
  });
  expect([status, stderr]).toEqual([0, ""]);
}

test("without a queue for them, recordings wait to be processed", async () => {
  const { ask } = await meet({}, "3.0");
  await ask("end", { meetingID: "room" });
  cpSync(packaged("bbb-record-core", "usr/local"), join(host.root, "usr/local"), { recursive: true });
  const state = join(host.root, "var/bigbluebutton/recording");
  processAll({ QUEUE: "rap:archive,rap:sanity,rap:captions,rap:publish" });
  expect(readdirSync(join(state, "status")).sort()).toEqual(["archived", "recorded", "sanity"]);
  expect(readdirSync(join(state, "resque/rap:process"))).toHaveLength(1);
  processAll();
  expect(readdirSync(join(state, "status/published"))).toHaveLength(1);
});

test("workers tell what they do, and finish it when they are drained", async () => {
  const { ask } = await meet({}, "3.0");
  await ask("end", { meetingID: "room" });
  cpSync(packaged("bbb-record-core", "usr/local"), join(host.root, "usr/local"), { recursive: true });
  const child = spawn("/usr/bin/python3", ["-B", WORKER, "--root", host.root], {
    env: { COUNT: "2", PROCESS_SECONDS: "2" },
  });
  running.push(child);
  const ended = new Promise((resolve) => child.once("close", resolve));
  host.fake("systemctl", `printf 'ActiveState=active\\nMainPID=${child.pid}\\nRestart=always\\n'`);
  const code = `import recording_workers as w
pid, found = ${child.pid}, w.processes("/proc")
if any(" Processing rap:process " in found[one][1] for one in w.below(pid, found) if one in found):
    print(w.drain(), len(w.workers(pid, found)[0]))`;
  let told = "";
  while (told === "") told = await python(host, code);
  expect(told).toBe("bbb-rap-resque-worker begins anew when it has finished 1 at work 2\n");
  expect(await ended).toBe(0);
  expect(readdirSync(join(host.root, "var/bigbluebutton/recording/status/processed"))).toHaveLength(1);
});
