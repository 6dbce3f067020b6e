import { existsSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { ownedKeysOf, textsFor, type GroupValues } from "../../../bigbluebutton/optionGroups";
import { renderOwnedKeys, type OwnedKeys } from "../../../bigbluebutton/ownedKeys";
import { renderTurnStunServers } from "../../../bigbluebutton/turnStunServers";
import { python } from "./checks";
import { MeetingsApi } from "./meetingsApi";
import { FakeHost, type Done } from "./scripts";

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";
const WEB = "etc/bigbluebutton/bbb-web.properties";
const HTML5 = "etc/bigbluebutton/bbb-html5.yml";
const PACKAGED = "usr/share/bigbluebutton/html5-client/private/config/settings.yml";
const RECORD = "var/lib/bbb-deploy/owned-keys.json";
const xml = renderTurnStunServers({ form: "override", host: "turn.example.test", secret: "turnsecret" });
const ours = `securitySalt=${SECRET}\n`;

let host: FakeHost;
const api = new MeetingsApi();

beforeAll(() => api.listen());
afterAll(() => api.close());

beforeEach(async () => {
  api.meetings = "";
  host = new FakeHost();
  host.put(WEB, `# mine\nmuteOnStart=false\nmine=1\n`);
  host.put("etc/bigbluebutton/bbb-apps-akka.conf", "services {\n}\n");
  host.fake("systemctl");
  await wire({});
  host.forgetCalls();
});
afterEach(() => host.remove());

function wireDocument(document: OwnedKeys | undefined, flags: readonly string[] = []): Promise<Done> {
  const input = `${SECRET}\n${renderOwnedKeys(document)}${xml}`;
  return host.script("wire.sh", ["--xml-path", "/etc/bigbluebutton/turn-stun-servers.xml", ...flags], input, {
    BBB_DEPLOY_API: api.url,
    BBB_DEPLOY_PATIENCE: "1",
  });
}

/** Runs the step with these settings. */
function wire(groups: GroupValues, flags: readonly string[] = []): Promise<Done> {
  const texts = textsFor(groups);
  return wireDocument(ownedKeysOf(groups), [...(texts ? ["--settings", texts] : []), ...flags]);
}

const drifted = (groups: GroupValues) =>
  python(
    host,
    `import owned_keys\nprint("; ".join(owned_keys.drifted(${JSON.stringify(host.root)}, json.loads(${JSON.stringify(JSON.stringify(ownedKeysOf(groups)))}))))`,
  );

const restarted = () =>
  host
    .called("systemctl")
    .flatMap((line) => /^systemctl (?:restart|reload|daemon-reload).*/.exec(line) ?? []);

const here = (path: string) => existsSync(join(host.root, path));

test("without such settings nothing is owned, and nothing is kept", async () => {
  await wire({});
  expect([host.read(WEB), here(HTML5), here(RECORD), restarted()]).toEqual([
    `# mine\nmuteOnStart=false\nmine=1\n${ours}`,
    false,
    false,
    [],
  ]);
});

test("keys come into their files beside what is there, one restart for all; a second run changes nothing", async () => {
  host.put(HTML5, "# mine\npublic:\n  app:\n    mine: 1\n");
  const groups = { meetings: { muteOnStart: true, welcome: "Grüß Gott 👋", cameras: false, uploadMb: 100 } };
  expect((await wire(groups)).code).toBe(0);
  expect(host.read(WEB)).toBe(
    `# mine\nmuteOnStart=true\nmine=1\n${ours}defaultWelcomeMessage=Gr\\u00FC\\u00DF Gott \\uD83D\\uDC4B\nmaxFileSizeUpload=100000000\n`,
  );
  expect(host.read(HTML5)).toBe(
    "# mine\npublic:\n  app:\n    mine: 1\n  kurento:\n    enableVideo: false\n  presentation:\n    mirroredFromBBBCore:\n      uploadSizeMax: 100000000\n",
  );
  expect(restarted()).toEqual(["systemctl restart bbb-apps-akka", "systemctl restart bbb-web"]);
  expect(statSync(join(host.root, RECORD)).mode & 0o777).toBe(0o600);
  expect(await drifted(groups)).toBe("\n");
  host.forgetCalls();
  const again = await wire(groups);
  expect([again.output, restarted()]).toEqual([expect.stringContaining("nothing to restart"), []]);
});

test("only what reads a changed file is restarted", async () => {
  await wire({ meetings: { muteOnStart: true, cameras: false } });
  host.forgetCalls();
  await wire({ meetings: { muteOnStart: true, cameras: true } });
  expect(restarted()).toEqual(["systemctl restart bbb-apps-akka"]);
});

test("a key taken back goes to what was there before, or away; a file of ours alone goes with its last key", async () => {
  const before = host.read(WEB);
  await wire({ meetings: { muteOnStart: true, welcome: "x", cameras: false } });
  expect([host.read(WEB), here(HTML5)]).toEqual([expect.stringContaining("muteOnStart=true"), true]);
  await wire({ meetings: { welcome: "x" } });
  expect([host.read(WEB), here(HTML5)]).toEqual([`${before}defaultWelcomeMessage=x\n`, false]);
  host.forgetCalls();
  await wire({});
  expect([host.read(WEB), here(RECORD), restarted()]).toEqual([before, false, ["systemctl restart bbb-web"]]);
});

test("what was there before is what was there before the first time", async () => {
  const before = host.read(WEB);
  for (const muteOnStart of [true, false, true]) await wire({ meetings: { muteOnStart } });
  await wire({});
  expect(host.read(WEB)).toBe(before);
});

test("what somebody changes by hand is told by its key, and put back by the next run", async () => {
  const groups = { meetings: { muteOnStart: true, welcome: "secret words", cameras: false } };
  await wire(groups);
  host.put(
    WEB,
    host
      .read(WEB)
      .replace("muteOnStart=true", "muteOnStart=false")
      .replace(/default.*\n/, ""),
  );
  rmSync(join(host.root, HTML5));
  expect(await drifted(groups)).toBe(
    "public.kurento.enableVideo in bbb-html5.yml is missing (meetings.cameras); " +
      "muteOnStart in bbb-web.properties is another than deployed (meetings.muteOnStart); " +
      "defaultWelcomeMessage in bbb-web.properties is missing (meetings.welcome)\n",
  );
  await wire(groups);
  expect(await drifted(groups)).toBe("\n");
});

test("a line that somebody adds behind ours counts, is told, and goes", async () => {
  const groups = { meetings: { muteOnStart: true } };
  await wire(groups);
  host.put(WEB, `${host.read(WEB)}muteOnStart=false\n`);
  expect(await drifted(groups)).toContain("muteOnStart");
  await wire(groups);
  expect(host.read(WEB).match(/^muteOnStart=.*$/gm)).toEqual(["muteOnStart=true"]);
  await wire({});
  expect(host.read(WEB).match(/^muteOnStart=.*$/gm)).toEqual(["muteOnStart=false"]);
});

test("after an installer that wrote files anew, all is put back from what is kept, meetings or not", async () => {
  const groups = { meetings: { muteOnStart: true, cameras: false } };
  await wire(groups);
  const [web, html5] = [host.read(WEB), host.read(HTML5)];
  host.put(WEB, "# mine\nmuteOnStart=false\nmine=1\nsecuritySalt=installers\n");
  host.put(HTML5, "");
  api.meetings = "<meeting><meetingID>a</meetingID></meeting>";
  const kept = host.read("var/lib/bbb-deploy/wire/written/input");
  const { code } = await host.script(
    "wire.sh",
    ["--xml-path", "/etc/bigbluebutton/turn-stun-servers.xml", "--put-back"],
    kept,
    { BBB_DEPLOY_API: api.url },
  );
  expect([code, host.read(WEB), host.read(HTML5)]).toEqual([0, web, html5]);
});

describe("a run that is cut off", () => {
  /** Runs the writer, which is killed by the first call of a function of a module. */
  const killedAt = async (place: string, document: OwnedKeys | undefined) => {
    const input = `${SECRET}\n${renderOwnedKeys(document)}${xml}`;
    await python(
      host,
      `import io, os, sys, wire_files, whole_files
def die(*_, **__):
    os._exit(9)
${place} = die
sys.stdin = io.StringIO(${JSON.stringify(input)})
sys.argv = ["wire_files.py", "--root", ${JSON.stringify(host.root)}, "--xml-path", "/etc/bigbluebutton/turn-stun-servers.xml",
    "--record", ${JSON.stringify(join(host.root, RECORD))}, "--pending", ${JSON.stringify(join(host.root, "var/lib/bbb-deploy/wire/pending"))}]
wire_files.main()
`,
    );
  };

  test("between the record and the files knows what was there before", async () => {
    const before = host.read(WEB);
    const groups = { meetings: { muteOnStart: true, cameras: false } };
    await killedAt("whole_files.Writer.put", ownedKeysOf(groups));
    expect([host.read(WEB), here(RECORD)]).toEqual([before, true]);
    await wire(groups);
    expect(host.read(WEB)).toContain("muteOnStart=true");
    await wire({});
    expect([host.read(WEB), here(HTML5)]).toEqual([before, false]);
  });

  test("between the files and the record puts the rest back the next time", async () => {
    const before = host.read(WEB);
    await wire({ meetings: { muteOnStart: true, cameras: false } });
    await killedAt("whole_files.Writer.remove", undefined);
    expect([here(HTML5), here(RECORD)]).toEqual([true, true]);
    await wire({});
    expect([host.read(WEB), here(HTML5), here(RECORD)]).toEqual([before, false, false]);
  });
});

describe("while a meeting runs", () => {
  beforeEach(() => {
    host.fake("systemctl", "[[ $1 == is-active && $* == *bbb-web* ]] || [[ $1 != is-active ]]");
    api.meetings = "<meeting><meetingID>a</meetingID></meeting>";
  });
  const groups = { meetings: { welcome: "x" } };
  const text = textsFor(groups)!.replace("meetings=", "");

  test("nothing is touched; the message names the setting, and the text that allows it", async () => {
    const before = host.read(WEB);
    const { code, output } = await wire(groups);
    expect([code, output]).toEqual([
      1,
      expect.stringContaining(
        "which a restart of BigBlueButton with its new settings (meetings.welcome) would end; nothing was touched.",
      ),
    ]);
    expect(output).toContain(
      `allow it: give the setting duringMeetings the value ${text}, which stands for this change of meetings`,
    );
    expect([host.read(WEB), restarted()]).toEqual([before, []]);
  });

  test("the text allows this change, and not the next", async () => {
    host.put("var/lib/bbb-deploy/during-meetings", text);
    expect((await wire(groups)).code).toBe(0);
    expect((await wire({ meetings: { welcome: "y" } })).code).toBe(1);
  });

  test("a group that is taken back has a text, too", async () => {
    host.put("var/lib/bbb-deploy/during-meetings", text);
    await wire(groups);
    expect((await wire({})).output).toContain("the value meetings-none, which stands for");
    host.put("var/lib/bbb-deploy/during-meetings", "meetings-none");
    expect((await wire({})).code).toBe(0);
  });

  test("a file of which nothing ends meetings is written, and what reads it reloaded", async () => {
    const document = (text: string): OwnedKeys => ({
      files: [
        {
          path: "/etc/bigbluebutton/nginx/mine.nginx",
          format: "file",
          restart: ["reload:nginx", "daemon-reload"],
          endsMeetings: false,
          base64: Buffer.from(text).toString("base64"),
          mode: "644",
          setting: "overrides.nginx",
        },
      ],
    });
    expect((await wireDocument(document("# ü\n"))).code).toBe(0);
    expect(host.read("etc/bigbluebutton/nginx/mine.nginx")).toBe("# ü\n");
    expect(statSync(join(host.root, "etc/bigbluebutton/nginx/mine.nginx")).mode & 0o777).toBe(0o644);
    expect(restarted()).toEqual(["systemctl daemon-reload", "systemctl reload nginx"]);
    expect((await wireDocument(undefined)).code).toBe(0);
    expect(here("etc/bigbluebutton/nginx/mine.nginx")).toBe(false);
  });
});

test("settings of recordings and privacy end no meeting, and restart what reads them alone", async () => {
  host.fake("systemctl", "[[ $1 == is-active && $* == *bbb-web* ]] || [[ $1 != is-active ]]");
  api.meetings = "<meeting><meetingID>a</meetingID></meeting>";
  const files = {
    cron: "etc/default/bigbluebutton-cron-config",
    cleanup: "etc/cron.daily/bbb-deploy-recordings",
    worker: "etc/systemd/system/bbb-rap-resque-worker.service.d/bbb-deploy.conf",
    site: "etc/bigbluebutton/nginx/bbb-deploy.nginx",
  };
  host.put(files.cron, "# mine\nhistory=9\nlog_history='20'\n");
  const groups: GroupValues = {
    recordings: {
      ...{ publishedDays: 180, rawDays: 30, mp4: true, workers: 2 },
      ...{ formats: ["presentation", "video"], hours: "22:00-06:00" },
    },
    privacy: { accessLog: false, logDays: 7 },
  };
  const timer = "etc/systemd/system/bbb-deploy-processing-hours.timer";
  expect((await wire(groups)).code).toBe(0);
  expect(host.read(files.cron)).toBe("# mine\nhistory=9\nlog_history=7\npublished_days=30\n");
  expect(host.read("etc/bigbluebutton/recording/presentation.yml")).toBe('video_formats: ["webm", "mp4"]\n');
  expect(statSync(join(host.root, files.cleanup)).mode & 0o777).toBe(0o755);
  expect(restarted()).toEqual([
    "systemctl daemon-reload",
    "systemctl restart bbb-rap-resque-worker",
    "systemctl reload nginx",
    "systemctl restart bbb-deploy-processing-hours.timer",
  ]);
  expect(host.called("systemctl")).toContain("systemctl enable --quiet bbb-deploy-processing-hours.timer");
  host.put(timer.replace("system/", "system/timers.target.wants/"), "");
  expect(host.read("etc/bigbluebutton/recording/recording.yml")).toBe(
    'steps: {"archive": "sanity", "sanity": "captions", "captions": ["process:presentation", "process:video"], "process:presentation": "publish:presentation", "process:video": "publish:video"}\n',
  );
  expect(await drifted(groups)).toBe("\n");
  host.put(files.site, "access_log on;\n");
  expect(await drifted(groups)).toBe(`/${files.site} is another than deployed (privacy.accessLog)\n`);
  expect((await wire({})).code).toBe(0);
  expect(host.read(files.cron)).toBe("# mine\nhistory=9\nlog_history='20'\n");
  expect([here(files.cleanup), here(files.worker), here(files.site)]).toEqual([false, false, false]);
  expect([timer, timer.replace("system/", "system/timers.target.wants/")].map(here)).toEqual([false, false]);
  expect(host.called("systemctl")).toContain("systemctl stop bbb-deploy-processing-hours.timer");
});

test("overrides come into the files of their services, beside what the wiring and the installer write there", async () => {
  const akka = "etc/bigbluebutton/bbb-apps-akka.conf";
  const sfu = "etc/bigbluebutton/bbb-webrtc-sfu/production.yml";
  const before = host.read(akka);
  host.put(sfu, "# the installer's\nmediasoup:\n  webrtc:\n    listenIps:\n    - ip: 0.0.0.0\n");
  const groups: GroupValues = {
    overrides: {
      web: { useDefaultAvatar: true },
      akka: { "services.poll": 5 },
      sfu: { mediaThresholds: { global: 2000 }, mediasoup: { workers: "auto" } },
    },
  };
  expect((await wire(groups)).code).toBe(0);
  expect(host.read(akka)).toBe(`${before}services.poll = 5\n`);
  expect(host.read(WEB)).toContain("useDefaultAvatar=true\n");
  expect(host.read(sfu)).toBe(
    `# the installer's\nmediasoup:\n  webrtc:\n    listenIps:\n    - ip: 0.0.0.0\n  workers: "auto"\nmediaThresholds:\n  global: 2000\n`,
  );
  expect(restarted()).toEqual([
    ...["systemctl restart bbb-apps-akka", "systemctl restart bbb-web", "systemctl restart bbb-webrtc-sfu"],
  ]);
  expect(await drifted(groups)).toBe("\n");
  await wire({});
  expect([host.read(akka), host.read(sfu)]).toEqual([
    before,
    "# the installer's\nmediasoup:\n  webrtc:\n    listenIps:\n    - ip: 0.0.0.0\n",
  ]);
});

describe("a list of which one entry is marked", () => {
  const groups = { meetings: { cameraQuality: "low" } };
  const list =
    "public:\n  kurento:\n    cameraProfiles:\n      - {id: low, bitrate: 100}\n      - {id: medium, bitrate: 200, default: true}\n";

  test("is that of the package, and follows it", async () => {
    host.put(PACKAGED, list);
    await wire(groups);
    expect(host.read(HTML5)).toContain(
      '[{"id": "low", "bitrate": 100, "default": true}, {"id": "medium", "bitrate": 200}]',
    );
    expect(await drifted(groups)).toBe("\n");
    host.put(PACKAGED, list.replace("bitrate: 100", "bitrate: 110"));
    expect(await drifted(groups)).toContain("cameraProfiles");
    await wire(groups);
    expect(host.read(HTML5)).toContain('"bitrate": 110');
  });

  test("that the package does not have is refused before anything is written", async () => {
    host.put(PACKAGED, list.replace("low", "tiny"));
    const { code, output } = await wire(groups);
    expect([code, output, here(HTML5)]).toEqual([
      1,
      expect.stringContaining(
        "has no low in public.kurento.cameraProfiles: meetings.cameraQuality can't be set",
      ),
      false,
    ]);
  });
});

test("a file that can't be read is told, and nothing is written", async () => {
  const before = host.read(WEB);
  host.put(HTML5, "public: [\n");
  const { code, output } = await wire({ meetings: { muteOnStart: true, cameras: false } });
  expect([code, output, host.read(WEB)]).toEqual([
    1,
    expect.stringContaining("/etc/bigbluebutton/bbb-html5.yml: it is no YAML, in line 2. Mend that by hand"),
    before,
  ]);
});

describe("files of the setting branding", () => {
  const site = "var/www/bigbluebutton-branding";
  const snippet = "etc/bigbluebutton/nginx/bbb-deploy-branding.nginx";
  const logo = { name: "logo-2.svg", file: "logo-2.svg", setting: "branding.logo", sha256: "0" };
  beforeEach(() => {
    host.put(`${site}/branding/logo-1.svg`, "<svg>1</svg>");
    host.put(`${site}/branding/logo-2.svg`, "<svg>2</svg>");
    host.put("var/lib/bbb-deploy/branding.json", JSON.stringify({ files: [logo] }));
    host.put(snippet, "# ours\n");
    host.put("etc/bigbluebutton/nginx/mine.nginx", "# mine\n");
  });
  const logos = () => [1, 2].filter((number) => here(`${site}/branding/logo-${number}.svg`));

  test("those of before go after the keys that named them", async () => {
    expect((await wire({ branding: { logo: "https://a.eu/2" } }, ["--branding-files"])).code).toBe(0);
    expect([logos(), here(snippet)]).toEqual([[2], true]);
    expect(restarted()).not.toContain("systemctl reload nginx");
  });

  test("they stay as long as meetings run that show them", async () => {
    api.meetings = "<meeting><hasBeenForciblyEnded>false</hasBeenForciblyEnded></meeting>";
    expect((await wire({ branding: { logo: "https://a.eu/2" } }, ["--branding-files"])).code).toBe(1);
    expect([logos(), here(snippet)]).toEqual([[1, 2], true]);
  });

  test("all go with the setting, and nothing of the operator's own; a second run does nothing more", async () => {
    expect((await wire({})).code).toBe(0);
    expect([here(site), here(snippet), here("var/lib/bbb-deploy/branding.json")]).toEqual([
      false,
      false,
      false,
    ]);
    expect(here("etc/bigbluebutton/nginx/mine.nginx")).toBe(true);
    expect(restarted()).toEqual(["systemctl reload nginx"]);
    host.forgetCalls();
    await wire({});
    expect(restarted()).toEqual([]);
  });

  test("an installer's put-back leaves them alone", async () => {
    await wire({}, ["--put-back"]);
    expect([logos(), here(snippet)]).toEqual([[1, 2], true]);
  });
});
