/** File of BigBlueButton's configuration that no package of its own writes to, and what reads it. */
export interface OverrideFile {
  readonly path: string;
  /** Format, by which scripts/host/keyed_text.py finds a key; `file` is a file that the deployment alone has. */
  readonly format: "properties" | "yaml" | "hocon" | "env" | "file";
  /** Octal mode of a file that the deployment alone has. */
  readonly mode?: string;
  /**
   * Units that read it at their start; `reload:UNIT`; `drain:UNIT` for one that first finishes what it is at;
   * `timer:UNIT` for a timer that is to run if its file is there; or `daemon-reload`.
   */
  readonly restart: readonly string[];
  /** True when the restart of one of them ends meetings. */
  readonly endsMeetings: boolean;
  /** File of the package with the same keys, whose values count where this one has none. */
  readonly packaged?: string;
}

/** Workers that process recordings: one that is killed at work loses its place in the queue. */
const WORKERS = "drain:bbb-rap-resque-worker";
const HOURS_TIMER = "bbb-deploy-processing-hours.timer";

/** Override files by a short name. The rows are reference/operations.md's, from the docs' page of configuration files. */
export const overrideFiles = {
  /** bbb-web: what is true for a meeting unless its creation says otherwise. */
  web: {
    path: "/etc/bigbluebutton/bbb-web.properties",
    format: "properties",
    restart: ["bbb-web"],
    endsMeetings: true,
    packaged: "/usr/share/bbb-web/WEB-INF/classes/bigbluebutton.properties",
  },
  /** Client; from 3.0 on bbb-apps-akka reads it and hands it out. Lists replace the package's. */
  html5: {
    path: "/etc/bigbluebutton/bbb-html5.yml",
    format: "yaml",
    restart: ["bbb-apps-akka"],
    endsMeetings: true,
    packaged: "/usr/share/bigbluebutton/html5-client/private/config/settings.yml",
  },
  /** State of meetings; the file includes the package's. */
  akka: {
    path: "/etc/bigbluebutton/bbb-apps-akka.conf",
    format: "hocon",
    restart: ["bbb-apps-akka"],
    endsMeetings: true,
  },
  /** Media server of 3.0; lists replace the package's. */
  sfu: {
    path: "/etc/bigbluebutton/bbb-webrtc-sfu/production.yml",
    format: "yaml",
    restart: ["bbb-webrtc-sfu"],
    endsMeetings: true,
  },
  /** Recorder of what the media servers pass on. */
  recorder: {
    path: "/etc/bigbluebutton/bbb-webrtc-recorder.yml",
    format: "yaml",
    restart: ["bbb-webrtc-recorder"],
    endsMeetings: true,
  },
  /** Way of clients to their data. */
  middleware: {
    path: "/etc/bigbluebutton/bbb-graphql-middleware.yml",
    format: "yaml",
    restart: ["bbb-graphql-middleware"],
    endsMeetings: true,
  },
  /** Media server of 4.0. */
  livekit: {
    path: "/etc/bigbluebutton/livekit.yaml",
    format: "yaml",
    restart: ["livekit-server"],
    endsMeetings: true,
  },
  /** Daily clean-up of bbb-config, which runs it as shell. */
  cron: {
    path: "/etc/default/bigbluebutton-cron-config",
    format: "env",
    restart: [],
    endsMeetings: false,
  },
  /** Format "presentation" of recordings. */
  presentation: {
    path: "/etc/bigbluebutton/recording/presentation.yml",
    format: "yaml",
    restart: [WORKERS],
    endsMeetings: false,
  },
  /** Recording itself; a map of it replaces the package's whole. */
  recording: {
    path: "/etc/bigbluebutton/recording/recording.yml",
    format: "yaml",
    restart: [WORKERS],
    endsMeetings: false,
  },
  /** Environment of the workers that process recordings. */
  worker: {
    path: "/etc/systemd/system/bbb-rap-resque-worker.service.d/bbb-deploy.conf",
    format: "file",
    mode: "644",
    restart: ["daemon-reload", WORKERS],
    endsMeetings: false,
  },
  /** Hours of these workers. */
  hoursOfWorkers: {
    path: "/etc/systemd/system/bbb-rap-resque-worker.service.d/bbb-deploy-hours.conf",
    format: "file",
    mode: "644",
    restart: ["daemon-reload", WORKERS],
    endsMeetings: false,
  },
  hoursService: {
    path: "/etc/systemd/system/bbb-deploy-processing-hours.service",
    format: "file",
    mode: "644",
    restart: ["daemon-reload"],
    endsMeetings: false,
  },
  hoursTimer: {
    path: `/etc/systemd/system/${HOURS_TIMER}`,
    format: "file",
    mode: "644",
    restart: ["daemon-reload", `timer:${HOURS_TIMER}`],
    endsMeetings: false,
  },
  /** Daily deletion of old recordings. */
  cleanup: {
    path: "/etc/cron.daily/bbb-deploy-recordings",
    format: "file",
    mode: "755",
    restart: [],
    endsMeetings: false,
  },
  /** Addition to nginx's site of BigBlueButton. */
  site: {
    path: "/etc/bigbluebutton/nginx/bbb-deploy.nginx",
    format: "file",
    mode: "644",
    restart: ["reload:nginx"],
    endsMeetings: false,
  },
} as const satisfies Readonly<Record<string, OverrideFile>>;

export type OverrideName = keyof typeof overrideFiles;

/** Value of a key; that of Java properties is a text. */
export type OwnedValue =
  string | number | boolean | readonly OwnedValue[] | { readonly [name: string]: OwnedValue } | Chosen;

/**
 * List as the package of the running version has it, in which `mark` is true in the entry whose id is `choose`. It
 * spares a copy of the list, which would hide what a later version adds.
 */
export interface Chosen {
  readonly choose: string;
  readonly mark: string;
}

/** Key of an override file with its value. */
export interface KeyValue {
  readonly file: OverrideName;
  /** Key; in YAML the names of the maps around it, joined by dots or as a list; "" for a whole file. */
  readonly key: string | readonly string[];
  readonly value: OwnedValue;
}
