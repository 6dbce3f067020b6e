import { parse } from "yaml";

import { signedApiUrl } from "../../../bigbluebutton/api";
import type { OptionValues } from "../../../bigbluebutton/options";
import type { Finding } from "../../../operator/check/finding";
import { expectService, getMeetings } from "../support/checks";
import { serviceStarts } from "../support/hosts";
import {
  IN_HETZNER_DNS as NAMES,
  must,
  onHost,
  outputs,
  outside,
  sandbox,
  tryUpdate,
  update,
} from "../support/sandbox";
import type { Outputs } from "../support/sandbox";

/** Settings of meetings, from a stack's settings to what a client is told, on one deployment of each line. */

const WEB = "/etc/bigbluebutton/bbb-web.properties";
const HTML5 = "/etc/bigbluebutton/bbb-html5.yml";
const RECORD = "/var/lib/bbb-deploy/owned-keys.json";
const SITE = "/etc/bigbluebutton/nginx/school.nginx";
const SNIPPET = 'location = /school { return 200 "of the school"; }\n';
const OWN_FILE = "/etc/bigbluebutton/school.txt";
const OWN_TEXT = "Grüße 👋🏽\n";
const ROOM = { meetingID: "room", name: "Mathe 7b", voiceBridge: "12345", record: "true" };
const WELCOME = 'Grüß "Gott" & مرحبا 👋🏽 in %%CONFNAME%%, 100 %\nzweite Zeile';

const first: OptionValues = {
  ...{
    welcome: WELCOME,
    welcomeFooter: "PIN %%CONFNUM%%",
    muteOnStart: true,
    maxUsers: 150,
    recording: "never",
  },
  ...{ cameraQuality: "low", screenSharing: false, uploadMb: 100, locked: ["privateChat"] },
};

/** Hours that begin that many hours from now, and are four long. */
function hoursFrom(later: number): string {
  const at = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString().slice(11, 16);
  return `${at(later)}-${at(later + 4)}`;
}

interface Entered {
  readonly welcome: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly clientSettings: { readonly public: Readonly<Record<string, unknown>> };
}

describe.each(["jammy-30", "noble-40"])("%s", (release) => {
  let out: Outputs;
  let settings: Record<string, string> = { release };
  const up = (more: Record<string, string> = {}) => {
    settings = { ...settings, ...more };
    return update("up", "embedded", given(settings));
  };
  const given = (all: Record<string, string>) =>
    Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const meetings = (values: OptionValues) => ({ meetings: JSON.stringify(values) });
  const formats = ["presentation", "video"];
  const others = {
    recordings: JSON.stringify({
      ...{ publishedDays: 30, rawDays: 7, mp4: true, workers: 2, formats },
      hours: hoursFrom(2),
    }),
    privacy: JSON.stringify({ accessLog: false, logDays: 7 }),
    overrides: JSON.stringify({
      html5: { public: { app: { audioCaptions: { language: "Grüße" } } } },
      sfu: { mediaThresholds: { global: 2000 } },
      nginx: { school: { text: SNIPPET } },
      files: {
        [OWN_FILE]: { text: OWN_TEXT, mode: "600", owner: "bigbluebutton:bigbluebutton", replace: true },
      },
    }),
  };

  const ask = async (call: string, parameters: Record<string, string>) => {
    const url = signedApiUrl(out.apiUrl, call, parameters, out.sharedSecret);
    return (await outside(["curl", "-sS", url])).stdout;
  };

  /** Makes the room, and joins it as a client does. */
  async function enter(): Promise<Entered> {
    expect(await ask("create", ROOM)).toContain("<returncode>SUCCESS</returncode>");
    const join = signedApiUrl(
      out.apiUrl,
      "join",
      { meetingID: "room", fullName: "L", role: "MODERATOR", redirect: "false" },
      out.sharedSecret,
    );
    const script = `set -euo pipefail
jar=$(mktemp)
token=$(curl -sS -c "$jar" "$1" | sed -n 's|.*<session_token>\\(.*\\)</session_token>.*|\\1|p')
curl -sS -b "$jar" "$2/enter?sessionToken=$token"`;
    const { stdout } = await outside(["bash", "-c", script, "bash", join, out.apiUrl]);
    return (JSON.parse(stdout) as { response: Entered }).response;
  }
  const end = () => ask("end", { meetingID: "room" });

  /** Findings of scripts/check about the keys that settings set. */
  async function findings(): Promise<readonly Finding[]> {
    const { stdout } = await sandbox(["operator", "check", "--json", "--sandbox"]);
    const { checks } = JSON.parse(stdout) as { checks: readonly Finding[] };
    return checks.filter(({ name }) => name === "keys of settings" || name === "recordings' processing");
  }

  const read = (script: string) => onHost(NAMES.bbb, ["bash", "-c", script]);

  beforeAll(async () => {
    await must(["reset"]);
    await up();
    out = await outputs();
  });

  test("a deployment without such settings owns nothing, and its check has no line about them", async () => {
    await onHost(NAMES.bbb, ["test", "!", "-e", RECORD]);
    expect(await findings()).toEqual([]);
  });

  test("settings arrive where clients see them; what was there by hand stays", async () => {
    await onHost(NAMES.bbb, [
      "bash",
      "-c",
      `printf '# by hand\\nallowRevealOfBBBVersion=true\\nmuteOnStart=false\\n' >>${WEB}; printf '# by hand\\npublic:\\n  app:\\n    clientTitle: Ours\\n' >${HTML5}; echo by hand >${OWN_FILE}`,
    ]);
    const { stdout } = await up({ ...meetings(first), ...others });
    expect(stdout).toMatch(/restarting bbb-web \[bbb/);
    expect(stdout).toMatch(/restarting bbb-apps-akka \[bbb/);
    const client = await enter();
    expect(client.welcome).toBe(`${WELCOME.replace("%%CONFNAME%%", "Mathe 7b")}<br><br>PIN 12345`);
    expect(client.settings).toMatchObject({
      ...{ muteOnStart: true, maxFileSizeUpload: 100_000_000, lockSettingsDisablePrivateChat: true },
      ...{ lockSettingsDisableCam: false, defaultMaxUsers: 150 },
    });
    expect(client.clientSettings.public).toMatchObject({
      app: {
        ...{ clientTitle: "Ours", basename: "/html5client" },
        audioCaptions: { language: "Grüße", enabled: false },
      },
      kurento: {
        enableScreensharing: false,
        cameraProfiles: [
          { id: "low", bitrate: 100, default: true },
          { id: "medium" },
          { id: "high" },
          { id: "hd" },
        ],
      },
      presentation: { mirroredFromBBBCore: { uploadSizeMax: 100_000_000, uploadPagesMax: 200 } },
    });
    expect(await ask("getMeetingInfo", ROOM)).toMatch(/<recording>false<.*<maxUsers>150</);
    expect(await onHost(NAMES.bbb, ["cat", WEB])).toMatch(/# by hand\nallowRevealOfBBBVersion=true\n/);
    expect(await findings()).toMatchObject([
      { verdict: "ok" },
      { verdict: "ok", answer: "presentation, video" },
    ]);
  });

  test("recordings, privacy and overrides reach what reads them", async () => {
    expect(await read("systemctl show -P Environment bbb-rap-resque-worker")).toContain("COUNT=2");
    await read("systemctl is-active bbb-deploy-processing-hours.timer && dpkg -s bbb-playback-video");
    expect(await read("sort /etc/default/bigbluebutton-cron-config")).toBe(
      "log_history=7\npublished_days=7\n",
    );
    expect(await read("run-parts --test /etc/cron.daily")).toContain("/etc/cron.daily/bbb-deploy-recordings");
    expect(await read("cat /etc/bigbluebutton/bbb-webrtc-sfu/production.yml")).toMatch(
      /mediaThresholds:\n {2}global: 2000\n/,
    );
    expect(await read(`stat -c '%U %a' ${OWN_FILE}; cat ${OWN_FILE}`)).toBe(`bigbluebutton 600\n${OWN_TEXT}`);
    const page = await outside(["curl", "-sS", `${out.url}/school`.replace("//school", "/school")]);
    expect(page.stdout).toBe("of the school");
    const log = "/var/log/nginx/bigbluebutton.access.log";
    const size = await read(`stat -c %s ${log} 2>/dev/null || echo 0`);
    await outside(["curl", "-sS", "-o", "/dev/null", out.url]);
    expect(await read(`stat -c %s ${log} 2>/dev/null || echo 0`)).toBe(size);
    const [old, young] = [1, 2].map(
      (n) => `${"a".repeat(39)}${n}-${Date.now() - (n === 1 ? 31 : 29) * 86_400_000}`,
    );
    const published = "/var/bigbluebutton/published/presentation";
    await read(`mkdir -p ${published}/${old} ${published}/${young} && /etc/cron.daily/bbb-deploy-recordings`);
    expect(await read(`ls ${published} | grep ^aaa`)).toBe(`${young}\n`);
    await read(`rm -r ${published}/${young}`);
  });

  test("a second up changes nothing", async () => {
    expect(Object.keys((await up()).summary)).toEqual(["unchanged"]);
  });

  test("another welcome text while a meeting runs is refused, and ends nothing; its own text allows it", async () => {
    const before = [await serviceStarts(NAMES), await onHost(NAMES.bbb, ["cat", WEB, HTML5, RECORD])];
    const next = meetings({ ...first, welcome: "Moin", recording: "onRequest" });
    const refused = await tryUpdate("up", "embedded", given({ ...settings, ...next }));
    expect(refused.code).not.toBe(0);
    const output = refused.stdout + refused.stderr;
    expect(output).toMatch(
      /1 meeting\(s\) run .*its new settings \(meetings\.welcome, meetings\.recording\) would end; nothing was touched/,
    );
    expect([await serviceStarts(NAMES), await onHost(NAMES.bbb, ["cat", WEB, HTML5, RECORD])]).toEqual(
      before,
    );
    expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("<meetingID>room</meetingID>");
    const duringMeetings = /duringMeetings the value (meetings-[0-9a-f]{8})/.exec(output)![1]!;
    const { stdout } = await up({ ...next, duringMeetings });
    expect(stdout).toContain("as the setting duringMeetings allows");
    expect(stdout).not.toContain("restarting bbb-apps-akka");
    expect((await enter()).welcome).toBe("Moin<br><br>PIN 12345");
    await end();
  });

  test("outside of the hours a recording waits to be processed", async () => {
    const waiting = "/var/bigbluebutton/recording/resque/rap:process";
    await expect(
      read(`for i in {1..60}; do ls ${waiting} 2>/dev/null | grep -c : | grep -x 2 && exit; sleep 0.5; done`),
    ).resolves.toBe("2\n");
    await read("systemctl start bbb-deploy-processing-hours.service");
    await read(`sleep 5; test "$(ls ${waiting} | wc -l)" = 2`);
    expect(await ask("getRecordings", { meetingID: "room" })).toContain("noRecordings");
  });

  test("what nginx refuses is taken back, and told by nginx's own line; a file of a package is refused", async () => {
    const attempt = async (more: object) => {
      const overrides = JSON.stringify({ ...(JSON.parse(others.overrides) as object), ...more });
      const { code, stdout, stderr } = await tryUpdate("up", "embedded", given({ ...settings, overrides }));
      expect(code).not.toBe(0);
      return stdout + stderr;
    };
    expect(await attempt({ nginx: { school: { text: "no_such_directive;\n" } } })).toMatch(
      /\(overrides\.nginx\.school\): .*\[emerg\] .*unknown directive "no_such_directive"/,
    );
    expect(await read(`cat ${SITE}; nginx -t 2>&1`)).toContain(SNIPPET);
    const index = "/var/www/bigbluebutton-default/assets/index.html";
    expect(await attempt({ files: { [index]: { text: "x", replace: true } } })).toContain(
      `${index} is of the package bbb-config, whose next upgrade would write over it`,
    );
    await expectService(out, NAMES.turn);
  });

  test("what somebody changes by hand is told by its key; an upgrade puts it back", async () => {
    await onHost(NAMES.bbb, ["sed", "-i", "s/^muteOnStart=true/muteOnStart=false/", WEB]);
    await onHost(NAMES.bbb, ["sed", "-i", "s/enableScreensharing: false/enableScreensharing: true/", HTML5]);
    const [finding, processing] = await findings();
    expect(processing).toMatchObject({ verdict: "ok" });
    expect(finding).toMatchObject({ verdict: "warn" });
    expect(finding!.answer).toContain(
      "muteOnStart in bbb-web.properties is another than deployed (meetings.muteOnStart)",
    );
    expect(finding!.answer).toContain("public.kurento.enableScreensharing in bbb-html5.yml");
    await up({ upgrade: "mended", recordings: JSON.stringify({ formats, hours: hoursFrom(-1) }) });
    expect(await findings()).toMatchObject([{ verdict: "ok" }, { verdict: "ok" }]);
    const { settings: told, clientSettings } = await enter();
    expect([told.muteOnStart, clientSettings.public.kurento]).toMatchObject([
      true,
      { enableScreensharing: false },
    ]);
    await end();
  });

  test("in the hours a recording is published in the formats of the settings", async () => {
    // One that waited for the hours, and one of since then.
    const types = async () =>
      (await ask("getRecordings", { meetingID: "room" })).match(/(?<=<type>)\w+/g) ?? [];
    for (let i = 0; i < 30 && (await types()).length < 4; i++) await read("sleep 1");
    expect(await types()).toEqual([...formats, ...formats]);
  });

  test("what is taken back goes to what was there before", async () => {
    await up({ meetings: "{}", recordings: "{}", privacy: "{}", overrides: "{}" });
    const { welcome, settings: told, clientSettings } = await enter();
    expect(welcome).toBe("Welcome to the stand-in of <b>Mathe 7b</b>!");
    expect(told).toMatchObject({ muteOnStart: false, defaultMaxUsers: 0, maxFileSizeUpload: 30_000_000 });
    expect(clientSettings.public).toMatchObject({
      app: { clientTitle: "Ours" },
      kurento: { enableScreensharing: true },
    });
    // 3.0's installer writes a key of its own there at each run, and keeps no comment.
    const html5 = parse(await onHost(NAMES.bbb, ["cat", HTML5])) as { readonly public: object };
    expect(html5.public).toEqual({
      app: { clientTitle: "Ours" },
      ...(release === "jammy-30" && { media: { sipjsHackViaWs: true } }),
    });
    await onHost(NAMES.bbb, ["test", "!", "-e", RECORD]);
    expect(await findings()).toEqual([]);
    await end();
    expect(await read(`cat ${OWN_FILE}; test ! -e ${SITE}`)).toBe("by hand\n");
    // What was published in a format stays, with what plays it.
    await read("test -d /var/bigbluebutton/published/video && dpkg -s bbb-playback-video");
    expect(await read("cat /etc/bigbluebutton/recording/recording.yml 2>/dev/null || echo none")).toBe(
      "none\n",
    );
    await expectService(out, NAMES.turn);
  });
});
