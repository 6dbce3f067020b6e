/** Files of the operator's own on the BigBlueButton server, and where they may be. */
import { overrideFiles, type OverrideFile } from "./overrideFiles";
import type { OwnedWholeFile } from "./ownedKeys";

/** File of the operator's own. */
export interface ExtraFile {
  /** Setting that asks for it, e.g. "overrides.nginx.school". */
  readonly setting: string;
  readonly path: string;
  /** Content, in base64. */
  readonly base64: string;
  /** Octal, e.g. "644". */
  readonly mode: string;
  /** User and group, e.g. "root:root". */
  readonly owner: string;
  /** True to put it in the place of a file that was there before the deployment's. */
  readonly replace: boolean;
  /** Units to restart after a change, beside what its folder asks for. */
  readonly restart: readonly string[];
}

/** Most bytes of one file, and of all together: they travel, and are kept in the state, with the settings. */
export const MOST_BYTES = { one: 1_000_000, all: 4_000_000 } as const;

/** Folder below which such files may be. */
interface Root {
  readonly what: string;
  /** What a change needs in any case, in the words of {@link OverrideFile.restart}. */
  readonly restart?: readonly string[];
}

/** Folders below which such files may be. */
export const extraFileRoots: Readonly<Record<string, Root>> = {
  "/etc/bigbluebutton/": { what: "BigBlueButton's own, e.g. `bbb-conf/apply-config.sh`" },
  "/etc/nginx/conf.d/": { what: "nginx, beside BigBlueButton's site", restart: ["reload:nginx"] },
  "/etc/systemd/system/": { what: "units and additions to units", restart: ["daemon-reload"] },
  "/etc/cron.d/": { what: "jobs" },
  "/etc/cron.daily/": { what: "daily jobs" },
  "/etc/logrotate.d/": { what: "logs" },
  "/opt/freeswitch/etc/freeswitch/": { what: "FreeSWITCH, e.g. a dialplan" },
  "/opt/freeswitch/share/freeswitch/sounds/": { what: "FreeSWITCH's sounds" },
  "/usr/local/bigbluebutton/core/scripts/": { what: "scripts for recordings, e.g. `post_publish/mine.rb`" },
  "/usr/local/bin/": { what: "programs" },
  "/usr/local/sbin/": { what: "programs of root" },
  "/usr/local/share/": { what: "data of those" },
  "/usr/share/bigbluebutton/html5-client/resources/images/virtual-backgrounds/": {
    what: "pictures for `meetings.virtualBackgrounds`",
  },
  "/usr/share/fonts/": { what: "fonts for presentations" },
  "/var/www/bigbluebutton-default/assets/": { what: "the web server's own pages" },
};

/** Folder of additions to nginx's site of BigBlueButton. */
const NGINX_FOLDER = "/etc/bigbluebutton/nginx";

/** Path of an addition to nginx's site. */
function nginxPath(name: string): string {
  return `${NGINX_FOLDER}/${name}.nginx`;
}

/** Files that the deployment or the installer writes, by their paths, and what to use in their place. */
const owned: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries<OverrideFile>(overrideFiles).map(([name, { path, format }]) => [
      path,
      format === "file" ? "it is the deployment's own" : `the deployment writes single keys of it (${name})`,
    ]),
  ),
  "/etc/bigbluebutton/turn-stun-servers.xml": "the deployment sets the TURN servers: turnHostname, turnStack",
  "/etc/bigbluebutton/bbb-fsesl-akka.conf": "the installer makes FreeSWITCH's password",
  "/etc/bigbluebutton/bbb-webhooks/production.yml": "the deployment writes the shared secret into it",
  "/etc/bigbluebutton/livekit-sip.yaml": "the installer makes LiveKit's keys",
  "/etc/bigbluebutton/bigbluebutton-release": "the packages say in it which release runs",
};

/** Finds why a path can't be that of an extra file; undefined for one that can. */
export function extraPathProblem(path: string): string | undefined {
  if (!/^(?:\/[\w@%+=:,.-]+)+$/.test(path) || /\/\.{1,2}(?:\/|$)/.test(path)) {
    return "is no path of a file, absolute and without blanks or ..";
  }
  if (path.startsWith(`${NGINX_FOLDER}/`)) return "is an addition to nginx's site: use overrides.nginx";
  const why = Object.hasOwn(owned, path) ? owned[path] : undefined;
  if (why !== undefined) return `can't be replaced whole: ${why}`;
  if (/\/(?:50-)?bbb-deploy[^/]*(?:\/|$)/.test(path)) return "can't be replaced: it is the deployment's own";
  return rootOf(path) === undefined
    ? `is in none of the folders for such files: ${Object.keys(extraFileRoots).join(", ")}`
    : undefined;
}

function rootOf(path: string): Root | undefined {
  if (path.startsWith(`${NGINX_FOLDER}/`)) return { what: "nginx's site", restart: ["reload:nginx"] };
  const [, root] = Object.entries(extraFileRoots).find(([folder]) => path.startsWith(folder)) ?? [];
  return root;
}

/** Renders a file as a part of the document of owned keys. */
export function ownedExtraFile(file: ExtraFile): OwnedWholeFile {
  const { path, base64, mode, owner, setting, replace, restart } = file;
  return {
    ...({ path, format: "file", base64, mode, owner, replace, setting } as const),
    restart: [...(rootOf(path)?.restart ?? []), ...restart],
    // Nobody knows of which units.
    endsMeetings: restart.length > 0,
  };
}

/** Extra file of nginx's site. */
export function nginxFile(
  name: string,
  { base64, replace }: Pick<ExtraFile, "base64" | "replace">,
): ExtraFile {
  return {
    ...{ setting: `overrides.nginx.${name}`, path: nginxPath(name), base64, replace },
    ...{ mode: "644", owner: "root:root", restart: [] },
  };
}
