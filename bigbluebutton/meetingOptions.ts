/** Options of meetings: defaults of bbb-web and of the client, which a front end may override for a single meeting. */
import type { Option, OptionType, Options, Place } from "./options";

const flag = { kind: "flag" } as const;

function integer(unit: string, least: number, most: number): OptionType {
  return { kind: "integer", unit, least, most };
}

function web(key: string, as?: Place["as"]): Place {
  return { file: "web", key, as };
}

function html5(key: string, as?: Place["as"]): Place {
  return { file: "html5", key: `public.${key}`, as };
}

/** Pages of BigBlueButton's docs, and its packaged defaults, from which the rows are. */
const CUSTOMIZE = "docs: customize";
const DEFAULTS = "packaged bigbluebutton.properties";
const CLIENT = "packaged settings.yml";
const NEW_40 = "docs: new features of 4.0";

const YEAR_MINUTES = 525_600;
const minutes = integer("minutes", 0, YEAR_MINUTES);

/** Locks of viewers: their names here, and the ends of their keys. */
const locks: Readonly<Record<string, string>> = {
  camera: "DisableCam",
  microphone: "DisableMic",
  privateChat: "DisablePrivateChat",
  publicChat: "DisablePublicChat",
  notes: "DisableNotes",
  userList: "HideUserList",
  cursors: "HideViewersCursor",
  annotations: "HideViewersAnnotation",
};

const FEATURES = [
  "breakoutRooms",
  "captions",
  "chat",
  "chatMessageReactions",
  "customVirtualBackgrounds",
  "deleteChatMessage",
  "downloadPresentationConvertedToPdf",
  "downloadPresentationOriginalFile",
  "downloadPresentationWithAnnotations",
  "editChatMessage",
  "externalVideos",
  "importPresentationWithAnnotationsFromBreakoutRooms",
  "importSharedNotesFromBreakoutRooms",
  "learningDashboard",
  "learningDashboardDownloadSessionData",
  "liveTranscription",
  "polls",
  "presentation",
  "privateChat",
  "replyChatMessage",
  "screenshare",
  "sharedNotes",
  "virtualBackgrounds",
] as const;

/** Layouts before 4.0, of which each line knows all or none. */
const OLD_LAYOUTS = ["CUSTOM_LAYOUT", "SMART_LAYOUT", "PRESENTATION_FOCUS", "VIDEO_FOCUS"] as const;

const BRIDGES_INSTEAD = "it has LiveKit only where somebody installed bbb-livekit";

/** Largest upload that nginx of 3.0 and 4.0 lets through to bbb-web, in MB. */
const NGINX_UPLOAD_MB = 1000;

/** The table: one row per option. Schema, files, plan and docs/meetings.md come from it. */
export const meetingOptions = {
  welcome: {
    type: { kind: "text", longest: 4000 },
    description: "Welcome text, simple HTML, in which placeholders are replaced.",
    example: "Willkommen in <b>%%CONFNAME%%</b>!",
    default: "BigBlueButton's own",
    at: [web("defaultWelcomeMessage")],
    source: CUSTOMIZE,
  },
  welcomeFooter: {
    type: { kind: "text", longest: 4000 },
    description:
      "Text below the welcome text, simple HTML, with the same placeholders. It stays where a front end brings a welcome text of its own.",
    example: 'Hilfe: <a href="https://school.example/help">school.example/help</a>',
    default: "BigBlueButton's own",
    at: [web("defaultWelcomeMessageFooter")],
    source: CUSTOMIZE,
  },
  muteOnStart: {
    type: flag,
    description: "Mutes everybody who joins.",
    example: true,
    default: "false",
    at: [web("muteOnStart")],
    source: CUSTOMIZE,
  },
  moderatorsMayUnmute: {
    type: flag,
    description: "Lets moderators unmute others.",
    example: true,
    default: "false",
    at: [web("allowModsToUnmuteUsers")],
    source: CUSTOMIZE,
  },
  askBeforeUnmuting: {
    type: flag,
    description: "Asks people before a moderator unmutes them.",
    example: true,
    default: "false",
    at: [web("requireUserConsentBeforeUnmuting")],
    lines: ["4.0"],
    instead: "it unmutes without a question; leave out moderatorsMayUnmute",
    source: NEW_40,
  },
  muteSounds: {
    type: flag,
    description: "Tells people by a sound that they are muted, or no longer muted.",
    example: false,
    default: "true",
    at: [html5("app.defaultSettings.application.muteUnmuteAudioAlerts")],
    lines: ["4.0"],
    instead:
      "FreeSWITCH plays the sound, from muted-sound of its conference.conf.xml, which has no override file",
    source: NEW_40,
  },
  recording: {
    type: { kind: "choice", values: ["never", "onRequest", "always"] },
    description:
      "never: no meeting is recorded, whatever its front end asks for. onRequest: moderators start and stop it. always: from beginning to end, without a button. For the last two the front end must still create the meeting with record=true.",
    example: "never",
    default: "onRequest",
    at: [
      web("disableRecordingDefault", (value) => String(value === "never")),
      web("autoStartRecording", (value) => String(value === "always")),
      web("allowStartStopRecording", (value) => String(value !== "always")),
    ],
    source: CUSTOMIZE,
  },
  recordWholeMeeting: {
    type: flag,
    description: "Keeps the media of a whole recorded meeting, not of its marked parts alone.",
    example: true,
    default: "false",
    at: [web("recordFullDurationMedia")],
    source: CUSTOMIZE,
  },
  recordBreakoutRooms: {
    type: flag,
    description: "Records breakout rooms of a recorded meeting.",
    example: true,
    default: "false",
    at: [web("breakoutRoomsRecord")],
    source: CUSTOMIZE,
  },
  maxUsers: {
    type: integer("people", 0, 10_000),
    description: "Most people in a meeting. 0: no limit.",
    example: 150,
    default: "0",
    at: [web("defaultMaxUsers")],
    source: DEFAULTS,
  },
  durationMinutes: {
    type: minutes,
    description: "Minutes after which a meeting ends. 0: no limit.",
    example: 240,
    default: "0",
    at: [web("defaultMeetingDuration")],
    source: DEFAULTS,
  },
  sessionsPerUser: {
    type: integer("sessions", 0, 100),
    description:
      "Most sessions of one person in a meeting, known by the userID of the front end. 0: no limit.",
    example: 1,
    default: "3",
    at: [web("maxUserConcurrentAccesses")],
    source: DEFAULTS,
  },
  guestPolicy: {
    type: { kind: "choice", values: ["ALWAYS_ACCEPT", "ALWAYS_DENY", "ASK_MODERATOR"] },
    description: "Treatment of guests.",
    example: "ASK_MODERATOR",
    default: "ALWAYS_ACCEPT",
    at: [web("defaultGuestPolicy")],
    source: CUSTOMIZE,
  },
  cameras: {
    type: flag,
    description: "Lets people share cameras at all.",
    example: false,
    default: "true",
    at: [html5("kurento.enableVideo")],
    source: CUSTOMIZE,
  },
  screenSharing: {
    type: flag,
    description: "Lets presenters share their screen at all.",
    example: false,
    default: "true",
    at: [html5("kurento.enableScreensharing")],
    source: CUSTOMIZE,
  },
  camerasPerMeeting: {
    type: integer("cameras", 0, 10_000),
    description: "Most cameras in a meeting. 0: no limit.",
    example: 25,
    default: "0",
    at: [web("meetingCameraCap")],
    source: CUSTOMIZE,
  },
  camerasPerUser: {
    type: integer("cameras", 0, 100),
    description: "Most cameras of one person. 0: no limit.",
    example: 1,
    default: "3",
    at: [web("userCameraCap")],
    source: CUSTOMIZE,
  },
  pinnedCameras: {
    type: integer("cameras", 0, 100),
    description: "Most cameras that can be pinned.",
    example: 1,
    default: "3",
    at: [web("maxPinnedCameras")],
    source: DEFAULTS,
  },
  moderatorsMayStopCameras: {
    type: flag,
    description: "Lets moderators stop others' cameras.",
    example: true,
    default: "false",
    at: [web("allowModsToEjectCameras")],
    source: CUSTOMIZE,
  },
  cameraQuality: {
    type: { kind: "choice", values: ["low", "medium", "high", "hd"] },
    description:
      "Quality that is chosen for a camera until its owner chooses another (about 100, 200, 500, 800 kbit/s). It is marked in the package's own list, which is written again after each upgrade.",
    example: "low",
    default: "medium",
    at: [html5("kurento.cameraProfiles", (choose) => ({ choose: String(choose), mark: "default" }))],
    source: CUSTOMIZE,
  },
  viewersSeeOnlyModeratorsCameras: {
    type: flag,
    description: "Shows viewers the cameras of moderators alone.",
    example: true,
    default: "false",
    at: [web("webcamsOnlyForModerator")],
    source: CUSTOMIZE,
  },
  locked: {
    type: { kind: "choices", values: Object.keys(locks) },
    description:
      "Locks of viewers from the beginning. They can't share a camera or microphone, chat in private or in public, write notes, see the list of users, each other's cursors or annotations. Moderators can, and may lift it.",
    example: ["camera", "privateChat"],
    default: "nothing",
    at: Object.entries(locks).map(([name, end]) =>
      web(`lockSettings${end}`, (value) =>
        (value as readonly string[]).includes(name) ? "true" : undefined,
      ),
    ),
    source: CUSTOMIZE,
  },
  lockOnJoin: {
    type: flag,
    description: "Locks viewers as soon as they join. false: a moderator has to.",
    example: false,
    default: "true",
    at: [web("lockSettingsLockOnJoin")],
    source: DEFAULTS,
  },
  presenterPolicy: {
    type: { kind: "choice", values: ["moderatorOnly", "requireApproval", "freeForAll"] },
    description: "People who may become presenter.",
    example: "moderatorOnly",
    default: "requireApproval",
    at: [web("lockSettingsPresenterPolicy")],
    lines: ["4.0"],
    instead: "moderators alone make others presenters",
    source: NEW_40,
  },
  layout: {
    type: {
      kind: "choice",
      values: {
        "3.0": OLD_LAYOUTS,
        "4.0": [
          "UNIFIED_LAYOUT",
          "CAMERAS_ONLY",
          "PARTICIPANTS_AND_CHAT_ONLY",
          "PRESENTATION_ONLY",
          "MEDIA_ONLY",
        ],
      },
    },
    description: "Layout in which a meeting begins.",
    example: "SMART_LAYOUT",
    default: "CUSTOM_LAYOUT; 4.0: UNIFIED_LAYOUT",
    at: [web("defaultMeetingLayout")],
    source: `${CUSTOMIZE}; ${NEW_40}`,
  },
  disabledFeatures: {
    type: {
      kind: "choices",
      values: {
        "3.0": [...FEATURES, "layouts", "cameraAsContent", "snapshotOfCurrentSlide", "timer"],
        "4.0": [
          ...FEATURES,
          "cameraAsContent",
          "snapshotOfCurrentSlide",
          "timer",
          "pinChatMessage",
          "multiFunctionalMode",
        ],
      },
    },
    description: "Features that meetings don't have, by BigBlueButton's own names.",
    example: ["learningDashboard", "polls"],
    default: "none",
    at: [web("disabledFeatures")],
    source: `${CUSTOMIZE}; ${NEW_40}`,
  },
  breakoutPrivateChat: {
    type: flag,
    description: "Lets people in breakout rooms chat in private.",
    example: false,
    default: "true",
    at: [web("breakoutRoomsPrivateChatEnabled")],
    source: DEFAULTS,
  },
  breakoutRoomsAtLeast: {
    type: integer("rooms", 1, 16),
    description: "Fewest breakout rooms that can be made.",
    example: 1,
    default: "2",
    at: [html5("app.breakouts.breakoutRoomMinimum")],
    lines: ["4.0"],
    instead: "it makes two and more",
    source: NEW_40,
  },
  learningDashboardMinutes: {
    type: minutes,
    description:
      "Minutes for which the learning dashboard can be opened after a meeting. 0: for ever. disabledFeatures switches it off.",
    example: 60,
    default: "2",
    at: [web("learningDashboardCleanupDelayInMinutes")],
    source: CUSTOMIZE,
  },
  inactivityCheckMinutes: {
    type: minutes,
    description: "Minutes between two looks for people who do nothing. 0: nobody looks.",
    example: 5,
    default: "0",
    at: [web("userInactivityInspectTimerInMinutes")],
    source: DEFAULTS,
  },
  inactiveAfterMinutes: {
    type: integer("minutes", 1, YEAR_MINUTES),
    description: "Minutes without a sign after which somebody is asked to give one.",
    example: 45,
    default: "30",
    at: [web("userInactivityThresholdInMinutes")],
    source: DEFAULTS,
  },
  inactivityAnswerMinutes: {
    type: integer("minutes", 1, YEAR_MINUTES),
    description: "Minutes for that sign, until the meeting goes on without that person.",
    example: 2,
    default: "5",
    at: [web("userActivitySignResponseDelayInMinutes")],
    source: DEFAULTS,
  },
  logoutMinutes: {
    type: minutes,
    description: "Minutes after the end of a meeting until the client leaves its page. 0: it stays.",
    example: 5,
    default: "0",
    at: [web("clientLogoutTimerInMinutes")],
    source: DEFAULTS,
  },
  endIfNobodyJoinsMinutes: {
    type: minutes,
    description: "Minutes after which a meeting ends that nobody joined.",
    example: 15,
    default: "5",
    at: [web("meetingExpireIfNoUserJoinedInMinutes")],
    source: DEFAULTS,
  },
  endAfterLastLeftMinutes: {
    type: minutes,
    description: "Minutes after which a meeting ends that everybody left.",
    example: 10,
    default: "1",
    at: [web("meetingExpireWhenLastUserLeftInMinutes")],
    source: DEFAULTS,
  },
  endWithoutModerator: {
    type: flag,
    description: "Ends a meeting that its last moderator left.",
    example: true,
    default: "false",
    at: [web("endWhenNoModerator")],
    source: DEFAULTS,
  },
  endWithoutModeratorMinutes: {
    type: minutes,
    description: "Minutes after which endWithoutModerator ends it.",
    example: 10,
    default: "1",
    at: [web("endWhenNoModeratorDelayInMinutes")],
    source: DEFAULTS,
  },
  uploadMb: {
    type: integer("megabytes", 1, NGINX_UPLOAD_MB),
    description: `Largest presentation in MB, for bbb-web and for what the client says about it. nginx of these releases lets up to ${NGINX_UPLOAD_MB} MB through.`,
    example: 100,
    default: "30",
    at: [
      web("maxFileSizeUpload", (value) => String(Number(value) * 1e6)),
      html5("presentation.mirroredFromBBBCore.uploadSizeMax", (value) => Number(value) * 1e6),
    ],
    source: `${CUSTOMIZE}; ${CLIENT}`,
  },
  uploadPages: {
    type: integer("pages", 1, 10_000),
    description: "Most pages of a presentation, for bbb-web and for the client.",
    example: 400,
    default: "200",
    at: [web("maxNumPages"), html5("presentation.mirroredFromBBBCore.uploadPagesMax")],
    source: `${CUSTOMIZE}; ${CLIENT}`,
  },
  virtualBackgrounds: {
    type: { kind: "names", what: "file names of pictures", form: /^[\w.-]+\.(jpe?g|png|webp)$/i },
    description:
      "Pictures that are offered as virtual backgrounds: the whole list, by their file names in BigBlueButton's folder of them. disabledFeatures switches them off.",
    example: ["board.jpg", "coffeeshop.jpg"],
    default: "home.jpg, coffeeshop.jpg, board.jpg",
    at: [html5("virtualBackgrounds.fileNames")],
    source: CUSTOMIZE,
  },
  liveCaptions: {
    type: flag,
    description:
      "Writes what is said, by the browser's own recognition of speech, which may send it to the browser's maker.",
    example: true,
    default: "false",
    at: [html5("app.audioCaptions.enabled")],
    source: CUSTOMIZE,
  },
  annotations: {
    type: integer("annotations", 1, 10_000),
    description: "Most annotations on a slide.",
    example: 500,
    default: "300",
    at: [html5("whiteboard.maxNumberOfAnnotations")],
    source: CUSTOMIZE,
  },
  plugins: {
    type: { kind: "names", what: "https URLs of plugins' manifests", form: /^https:\/\/[^\s"\\]+$/ },
    description: "Plugins of the client, by the https URLs of their manifests.",
    example: ["https://plugins.school.example/pick-random-user/manifest.json"],
    default: "none",
    at: [
      web("pluginManifests", (value) => JSON.stringify((value as readonly string[]).map((url) => ({ url })))),
    ],
    source: "docs: plugins",
  },
  audioBridge: {
    type: { kind: "choice", values: ["livekit", "bbb-webrtc-sfu", "freeswitch"] },
    description: "Media server of sound.",
    example: "bbb-webrtc-sfu",
    default: "livekit",
    at: [web("audioBridge")],
    lines: ["4.0"],
    instead: BRIDGES_INSTEAD,
    source: NEW_40,
  },
  cameraBridge: {
    type: { kind: "choice", values: ["livekit", "bbb-webrtc-sfu"] },
    description: "Media server of cameras.",
    example: "bbb-webrtc-sfu",
    default: "livekit",
    at: [web("cameraBridge")],
    lines: ["4.0"],
    instead: BRIDGES_INSTEAD,
    source: NEW_40,
  },
  screenShareBridge: {
    type: { kind: "choice", values: ["livekit", "bbb-webrtc-sfu"] },
    description: "Media server of shared screens.",
    example: "bbb-webrtc-sfu",
    default: "livekit",
    at: [web("screenShareBridge")],
    lines: ["4.0"],
    instead: BRIDGES_INSTEAD,
    source: NEW_40,
  },
} as const satisfies Readonly<Record<string, Option>> as Options;
