import { customizations } from "../../bigbluebutton/customizations";
import { meetingOptions } from "../../bigbluebutton/meetingOptions";
import { optionGroups, ownedKeysOf, textsFor, type GroupValues } from "../../bigbluebutton/optionGroups";
import { overrideFiles } from "../../bigbluebutton/overrideFiles";
import { keysOf, linesOf, optionLines, type OptionValues } from "../../bigbluebutton/options";
import { renderOwnedKeys } from "../../bigbluebutton/ownedKeys";
import { releases } from "../../bigbluebutton/releases";
import { fieldNames } from "../../settings/fields";

/** Keys of some meetings, as lines "file key=value". */
const lines = (meetings: OptionValues) =>
  keysOf("meetings", meetingOptions, meetings).map(
    ({ file, key, value }) =>
      `${file} ${String(key)}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );

test.each<[OptionValues, string[]]>([
  [{ welcome: "Grüß Gott\n%%CONFNAME%%" }, ["web defaultWelcomeMessage=Grüß Gott\n%%CONFNAME%%"]],
  [{ muteOnStart: true, maxUsers: 150 }, ["web muteOnStart=true", "web defaultMaxUsers=150"]],
  [
    { recording: "never" },
    ["web disableRecordingDefault=true", "web autoStartRecording=false", "web allowStartStopRecording=true"],
  ],
  [
    { recording: "onRequest" },
    ["web disableRecordingDefault=false", "web autoStartRecording=false", "web allowStartStopRecording=true"],
  ],
  [
    { recording: "always" },
    ["web disableRecordingDefault=false", "web autoStartRecording=true", "web allowStartStopRecording=false"],
  ],
  [
    { locked: ["camera", "userList"] },
    ["web lockSettingsDisableCam=true", "web lockSettingsHideUserList=true"],
  ],
  [{ disabledFeatures: ["polls", "chat"] }, ["web disabledFeatures=polls,chat"]],
  [{ cameras: false }, ["html5 public.kurento.enableVideo=false"]],
  [{ cameraQuality: "hd" }, ['html5 public.kurento.cameraProfiles={"choose":"hd","mark":"default"}']],
  [
    { uploadMb: 100 },
    [
      "web maxFileSizeUpload=100000000",
      "html5 public.presentation.mirroredFromBBBCore.uploadSizeMax=100000000",
    ],
  ],
  [
    { uploadPages: 400 },
    ["web maxNumPages=400", "html5 public.presentation.mirroredFromBBBCore.uploadPagesMax=400"],
  ],
  [{ virtualBackgrounds: ["a.jpg"] }, ['html5 public.virtualBackgrounds.fileNames=["a.jpg"]']],
  [{ plugins: ["https://a.example/m.json"] }, ['web pluginManifests=[{"url":"https://a.example/m.json"}]']],
])("%j", (meetings, expected) => {
  expect(lines(meetings)).toEqual(expected);
});

test("each option sets a key for its example, and no key has two options", () => {
  const owners = Object.entries(optionGroups).flatMap(([group, options]) =>
    Object.entries(options).flatMap(([name, { type, example, at }]) => {
      // A file may be all that there is of an option; a step of its own brings it.
      if (type.kind !== "file") expect(keysOf(group, options, { [name]: example })).not.toEqual([]);
      return at.map(({ file, key }) => `${file} ${key}`);
    }),
  );
  expect(new Set(owners).size).toBe(owners.length);
});

test("an option that a line does not know says what that line has", () => {
  for (const option of Object.values(optionGroups).flatMap((options) => Object.values(options))) {
    expect(option.instead !== undefined).toBe(linesOf(option).length < optionLines.length);
  }
  expect(Object.values(releases).map(({ version }) => version)).toEqual(
    expect.arrayContaining([...optionLines]),
  );
});

test("the document of the hosts, by file", () => {
  expect(ownedKeysOf({})).toBeUndefined();
  expect(renderOwnedKeys(undefined)).toBe("");
  const text = renderOwnedKeys(
    ownedKeysOf({ meetings: { muteOnStart: true, cameras: false, cameraQuality: "low", welcome: "ü\n" } }),
  );
  expect(text.match(/\n/g)).toHaveLength(1);
  expect(JSON.parse(text)).toEqual({
    files: [
      {
        path: "/etc/bigbluebutton/bbb-html5.yml",
        format: "yaml",
        restart: ["bbb-apps-akka"],
        endsMeetings: true,
        keys: [
          { key: ["public", "kurento", "enableVideo"], value: false, setting: "meetings.cameras" },
          {
            key: ["public", "kurento", "cameraProfiles"],
            ...{ choose: "low", mark: "default" },
            from: "/usr/share/bigbluebutton/html5-client/private/config/settings.yml",
            setting: "meetings.cameraQuality",
          },
        ],
      },
      {
        path: "/etc/bigbluebutton/bbb-web.properties",
        format: "properties",
        restart: ["bbb-web"],
        endsMeetings: true,
        keys: [
          { key: "muteOnStart", value: "true", setting: "meetings.muteOnStart" },
          { key: "defaultWelcomeMessage", value: "ü\n", setting: "meetings.welcome" },
        ],
      },
    ],
  });
});

/** Files of some groups, as texts: "path=text" of whole ones, "path key=value" of others. */
const texts = (groups: GroupValues) =>
  ownedKeysOf(groups)!.files.flatMap((file) =>
    file.format === "file"
      ? [`${file.path} ${file.mode}=${Buffer.from(file.base64, "base64").toString()}`]
      : file.keys.map(({ key, value }) => `${file.path} ${String(key)}=${JSON.stringify(value)}`),
  );

test.each<[GroupValues, string[]]>([
  [
    { recordings: { publishedDays: 180 } },
    [
      "/etc/cron.daily/bbb-deploy-recordings 755=#!/bin/sh\nexec /usr/bin/python3 -B /usr/local/lib/bbb-deploy/remove_recordings.py --days 180\n",
    ],
  ],
  [
    { recordings: { rawDays: 30, unrecordedDays: 3 }, privacy: { logDays: 7 } },
    [
      '/etc/default/bigbluebutton-cron-config published_days="30"',
      '/etc/default/bigbluebutton-cron-config unrecorded_days="3"',
      '/etc/default/bigbluebutton-cron-config log_history="7"',
    ],
  ],
  [
    { recordings: { mp4: true } },
    ['/etc/bigbluebutton/recording/presentation.yml video_formats=["webm","mp4"]'],
  ],
  [
    { recordings: { formats: ["presentation", "video"] } },
    [
      '/etc/bigbluebutton/recording/recording.yml steps={"archive":"sanity","sanity":"captions","captions":["process:presentation","process:video"],"process:presentation":"publish:presentation","process:video":"publish:video"}',
    ],
  ],
  [
    { recordings: { workers: 2 } },
    [
      "/etc/systemd/system/bbb-rap-resque-worker.service.d/bbb-deploy.conf 644=[Service]\nEnvironment=COUNT=2\n",
    ],
  ],
  [
    {
      overrides: {
        web: { "a.b": true },
        html5: { public: { app: { "x.y": 1, list: [1, 2], empty: {} } } },
        akka: { "services.poll": 5 },
      },
    },
    [
      "/etc/bigbluebutton/bbb-apps-akka.conf services.poll=5",
      "/etc/bigbluebutton/bbb-html5.yml public,app,x.y=1",
      "/etc/bigbluebutton/bbb-html5.yml public,app,list=[1,2]",
      "/etc/bigbluebutton/bbb-html5.yml public,app,empty={}",
      '/etc/bigbluebutton/bbb-web.properties a.b="true"',
    ],
  ],
  [{ privacy: { accessLog: false } }, ["/etc/bigbluebutton/nginx/bbb-deploy.nginx 644=access_log off;\n"]],
  [
    { privacy: { listAllRecordings: false } },
    ['/etc/bigbluebutton/bbb-web.properties allowFetchAllRecordings="false"'],
  ],
])("%j", (groups, expected) => {
  expect(texts(groups)).toEqual(expected);
});

test("a restart of what serves meetings ends them, and of nothing else", () => {
  const ending = Object.values(overrideFiles).filter(({ endsMeetings }) => endsMeetings);
  expect(ending.flatMap(({ restart }) => restart).sort()).toEqual([
    ...["bbb-apps-akka", "bbb-apps-akka", "bbb-graphql-middleware", "bbb-web", "bbb-webrtc-recorder"],
    ...["bbb-webrtc-sfu", "livekit-server"],
  ]);
  expect(ownedKeysOf({ privacy: { accessLog: true } })).toBeUndefined();
});

test("the text of a group changes with its values alone", () => {
  expect(textsFor({})).toBeUndefined();
  const texts = [{ muteOnStart: true }, { muteOnStart: false }, { muteOnStart: true }].map((meetings) =>
    textsFor({ meetings }),
  );
  expect(texts[0]).toMatch(/^meetings=meetings-[0-9a-f]{8}$/);
  expect([texts[1] === texts[0], texts[2] === texts[0]]).toEqual([false, true]);
});

test("each customization of earlier guides is a setting that exists, or says why it is none", () => {
  const names = [
    ...fieldNames,
    ...Object.entries(optionGroups).flatMap(([group, options]) =>
      Object.keys(options).map((name) => `${group}.${name}`),
    ),
  ];
  for (const { settings = [], note } of customizations) {
    expect(names).toEqual(expect.arrayContaining([...settings]));
    expect(settings.length > 0 || note !== undefined).toBe(true);
  }
  expect(customizations).toHaveLength(32);
});
