import { parse } from "yaml";

import { meetingOptions } from "../../bigbluebutton/meetingOptions";
import { optionGroups } from "../../bigbluebutton/optionGroups";
import { linesOf } from "../../bigbluebutton/options";
import { parseSettings } from "../../settings";
import { SettingsError } from "../../settings/problems";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const at = { project: "bigbluebutton", stack: "prod" };

const groups = (meetings: unknown, more: object = {}) =>
  parseSettings({ ...required, ...more, meetings }, at).groups;

function mistakes(meetings: unknown, more: object = {}): string {
  try {
    groups(meetings, more);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  return "none";
}

test("without meetings there is no group", () => {
  expect(parseSettings(required, at).groups).toEqual({});
  expect(groups({})).toEqual({});
  expect(groups("{}")).toEqual({});
});

test.each(["3.0", "4.0"] as const)(
  "each option's example is good with %s, if it knows the option",
  (line) => {
    const known = Object.entries(meetingOptions).filter(([, option]) => linesOf(option).includes(line));
    const values = Object.fromEntries(known.map(([name, { example }]) => [name, example]));
    if (line === "4.0") values.layout = "UNIFIED_LAYOUT";
    const release = line === "3.0" ? "jammy-30" : "noble-40";
    expect(groups(values, { release })).toEqual({ meetings: values });
  },
);

test.each(["recordings", "privacy"] as const)("each example of %s is good", (group) => {
  const values = Object.fromEntries(
    Object.entries(optionGroups[group]).map(([name, { example }]) => [name, example]),
  );
  expect(parseSettings({ ...required, [group]: values }, at).groups).toEqual({ [group]: values });
});

test("a format that is retired is refused with the reason, an unknown one with those there are", () => {
  const told = (recordings: object) => mistakes({}, { recordings });
  expect(told({ formats: ["notes", "video"] })).toMatch(
    /recordings\.formats has notes, which BigBlueButton 3\.0 does not know: since 2\.4 shared notes are a part of .*; it has presentation, video/,
  );
  expect(told({ formats: ["vidio"] })).toContain(
    "recordings.formats must be one of presentation, video, screenshare, podcast (did you mean video?)",
  );
  expect(told({ hours: "22-6" })).toContain(
    'recordings.hours must be hours of the day such as 22:00-06:00, with a time zone or in UTC, not "22-6"',
  );
});

test("numbers, flags and texts are good in any form that the CLI stores", () => {
  expect(groups('{"muteOnStart":"true","maxUsers":"150","welcome":2026,"durationMinutes":60}')).toEqual({
    meetings: { muteOnStart: true, maxUsers: 150, welcome: "2026", durationMinutes: 60 },
  });
});

test("texts stay as they are", () => {
  const welcome = parse(
    '"Grüß Gott,\\n  مرحبا 👋🏽 100 % \\"sicher\\" \\\\n <b>%%CONFNAME%%</b>\\t"',
  ) as string;
  expect(groups({ welcome })).toEqual({ meetings: { welcome } });
});

test("all mistakes are told at once, each with what puts it right", () => {
  expect(
    mistakes(
      {
        muteOnStrat: true,
        zebra: 1,
        muteOnStart: "ja",
        maxUsers: -1,
        durationMinutes: 1.5,
        guestPolicy: "ASK_MODERATORS",
        locked: ["cam", "notes", "everything"],
        disabledFeatures: "polls",
        welcome: "x".repeat(4001),
        welcomeFooter: "a ${serverURL}",
        plugins: ["http://a.example/manifest.json"],
        uploadMb: 2000,
        layout: "UNIFIED_LAYOUT",
        askBeforeUnmuting: true,
      },
      { recordingsGb: 5 },
    ),
  ).toBe(`16 problems in the settings of the stack "prod"; nothing was changed.

  bigbluebutton:meetings.muteOnStrat is no setting; did you mean muteOnStart?
    → pulumi config rm --path 'meetings.muteOnStrat'; docs/meetings.md lists the options

  bigbluebutton:meetings.zebra is no setting
    → pulumi config rm --path 'meetings.zebra'; docs/meetings.md lists the options

  bigbluebutton:meetings.muteOnStart must be true or false, not "ja"
    → pulumi config set --path 'meetings.muteOnStart' true

  bigbluebutton:meetings.maxUsers must be a whole number of people from 0 to 10000, not -1
    → pulumi config set --path 'meetings.maxUsers' 150

  bigbluebutton:meetings.durationMinutes must be a whole number of minutes from 0 to 525600, not 1.5
    → pulumi config set --path 'meetings.durationMinutes' 240

  bigbluebutton:meetings.guestPolicy must be one of ALWAYS_ACCEPT, ALWAYS_DENY, ASK_MODERATOR (did you mean ASK_MODERATOR?), not "ASK_MODERATORS"
    → pulumi config set --path 'meetings.guestPolicy' ASK_MODERATOR

  bigbluebutton:meetings.locked must be one of camera, microphone, privateChat, publicChat, notes, userList, cursors, annotations, not "cam"
    → pulumi config rm --path 'meetings.locked[0]'

  bigbluebutton:meetings.locked must be one of camera, microphone, privateChat, publicChat, notes, userList, cursors, annotations, not "everything"
    → pulumi config rm --path 'meetings.locked[2]'

  bigbluebutton:meetings.disabledFeatures must be a list of texts, not "polls"
    → pulumi config set --path 'meetings.disabledFeatures[0]' learningDashboard

  bigbluebutton:meetings.welcome must have at most 4000 characters, not "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
    → pulumi config set --path 'meetings.welcome' TEXT

  bigbluebutton:meetings.welcomeFooter must not have \${, after which BigBlueButton expects one of its own settings, not "a \${serverURL}"
    → pulumi config set --path 'meetings.welcomeFooter' TEXT

  bigbluebutton:meetings.plugins must be a list of https URLs of plugins' manifests, not "http://a.example/manifest.json"
    → pulumi config rm --path 'meetings.plugins[0]'

  bigbluebutton:meetings.uploadMb must be a whole number of megabytes from 1 to 1000, not 2000
    → pulumi config set --path 'meetings.uploadMb' 100

  bigbluebutton:recordingsGb is 5; a volume has 10 to 10240 GB
    → pulumi config set recordingsGb 100, or 0 for none

  bigbluebutton:meetings.layout has UNIFIED_LAYOUT, which BigBlueButton 3.0 does not know; it has CUSTOM_LAYOUT, SMART_LAYOUT, PRESENTATION_FOCUS, VIDEO_FOCUS
    → pulumi config set --path 'meetings.layout' CUSTOM_LAYOUT

  bigbluebutton:meetings.askBeforeUnmuting is not known to BigBlueButton 3.0: it unmutes without a question; leave out moderatorsMayUnmute
    → pulumi config rm --path 'meetings.askBeforeUnmuting'
`);
});

test.each([
  ["a list", ["muteOnStart"]],
  ["a text", "muteOnStart"],
  ["a number", 1],
])("%s is no map of options", (_, value) => {
  expect(mistakes(value)).toContain("meetings must be a map of options, each of those in docs/meetings.md");
});

test.each([
  ["\u0000", "control characters"],
  ["\ud800", "control characters"],
  ["\r\n", "control characters"],
  ["${x}", "expects one of its own settings"],
])("a text with %j is refused", (text, reason) => {
  expect(mistakes({ welcome: `a${text}b` })).toContain(reason);
});

test("what the release does not know is refused by its name, with what it has", () => {
  expect(
    mistakes({ layout: "SMART_LAYOUT", disabledFeatures: ["polls", "layouts"] }, { release: "noble-40" }),
  ).toBe(
    `2 problems in the settings of the stack "prod"; nothing was changed.

  bigbluebutton:meetings.layout has SMART_LAYOUT, which BigBlueButton 4.0 does not know; it has UNIFIED_LAYOUT, CAMERAS_ONLY, PARTICIPANTS_AND_CHAT_ONLY, PRESENTATION_ONLY, MEDIA_ONLY
    → pulumi config set --path 'meetings.layout' UNIFIED_LAYOUT

  bigbluebutton:meetings.disabledFeatures has layouts, which BigBlueButton 4.0 does not know
    → pulumi config rm --path 'meetings.disabledFeatures[1]'
`,
  );
});

test("a release whose files are not known takes no meetings at all", () => {
  expect(
    mistakes({ muteOnStart: true }, { release: "focal-27", allowEndOfLife: true, image: "1" }),
  ).toContain(
    "meetings is set, but is for BigBlueButton 3.0 and 4.0; release is focal-27, 2.7, whose files it does not know",
  );
});

describe("overrides", () => {
  const overrides = (value: unknown, more: object = {}) => {
    try {
      return parseSettings({ ...required, ...more, overrides: value }, at).groups.overrides;
    } catch (error) {
      if (error instanceof SettingsError) return error.message;
      throw error;
    }
  };

  test("are keys by their own names, in any form that the CLI stores", () => {
    const value = {
      web: { useDefaultAvatar: true, "beans.x.y": "Grüße\n", n: 6 },
      html5: { public: { app: { clientTitle: "Ours" }, list: [1, { a: "b" }] } },
      akka: { "services.poll": 5 },
    };
    expect(overrides(value)).toEqual(value);
    expect(overrides(JSON.stringify(value))).toEqual(value);
    expect(overrides({})).toBeUndefined();
  });

  test("that the deployment owns, that another setting sets, or that can't be, are told all at once by their names", () => {
    const told = overrides(
      {
        web: { securitySalt: "x", muteOnStart: "true", a: "b" },
        html5: { public: { kurento: { wsUrl: "x", enableVideo: true }, media: { sipjsAllowMdns: true } } },
        sfu: { freeswitch: { ip: "1.2.3.4" }, mediasoup: 5 },
        livekit: { keys: { a: "b" } },
      },
      { release: "noble-40", meetings: { muteOnStart: true } },
    );
    expect(told).toBe(`7 problems in the settings of the stack "prod"; nothing was changed.

  bigbluebutton:overrides.web.securitySalt can't be set: the deployment makes the secret; rotateSharedSecret makes it anew
    → pulumi config rm --path 'overrides.web.securitySalt'

  bigbluebutton:overrides.html5.public.kurento.wsUrl can't be set: it follows from hostname and domain
    → pulumi config rm --path 'overrides.html5.public.kurento.wsUrl'

  bigbluebutton:overrides.html5.public.media.sipjsAllowMdns is ignored by BigBlueButton 4.0, whose clients reach LiveKit another way
    → pulumi config rm --path 'overrides.html5.public.media.sipjsAllowMdns'

  bigbluebutton:overrides.sfu.freeswitch.ip can't be set: the deployment sets the server's addresses
    → pulumi config rm --path 'overrides.sfu.freeswitch.ip'

  bigbluebutton:overrides.sfu.mediasoup can't be set: the deployment sets the server's addresses
    → pulumi config rm --path 'overrides.sfu.mediasoup'

  bigbluebutton:overrides.livekit.keys.a can't be set: the installer makes LiveKit's keys
    → pulumi config rm --path 'overrides.livekit.keys.a'

  bigbluebutton:overrides.web.muteOnStart is a key that meetings.muteOnStart sets
    → leave out one of both: pulumi config rm --path 'meetings.muteOnStart'
`);
  });

  test.each([
    [{ wbe: {} }, "overrides.wbe is no setting; did you mean web?"],
    [{ web: { a: { b: 1 } } }, "overrides.web.a must be a text, a number, true or false"],
    [{ web: { a: "x\u0000" } }, "overrides.web.a must be a text without control characters"],
    [{ html5: { public: { a: null } } }, "overrides.html5.public must be"],
    [{ html5: "x" }, "overrides.html5 must be a map of settings of the client"],
    [{ html5: { "a b": 1 } }, "by names without blanks"],
  ])("%j is refused", (value, reason) => {
    expect(overrides(value)).toContain(reason);
  });

  test("of a release whose files are not known are refused", () => {
    expect(overrides({ web: { a: 1 } }, { release: "focal-27", allowEndOfLife: true, image: "1" })).toContain(
      "overrides is set, but is for BigBlueButton 3.0 and 4.0",
    );
  });
});

test("of a component's arguments, mistakes name no command", () => {
  const component = { type: "BigBlueButton", name: "school-a" };
  expect(() =>
    parseSettings({ ...required, meetings: { muteOnStart: 3, locked: ["x"] } }, { ...at, component }),
  ).toThrow(/meetings\.muteOnStart must be true or false, not 3\n {4}→ meetings\.muteOnStart: true/);
});
