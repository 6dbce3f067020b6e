/** Keys of BigBlueButton's own files by their own names, for all that no option does. */
import type { ExtraFile } from "./extraFiles";
import type { Line } from "./options";
import { ownedKeyId, type SetKey } from "./ownedKeys";
import type { OverrideName, OwnedValue } from "./overrideFiles";

/** Map of keys, in maps of their own in YAML. */
export interface Tree {
  readonly [name: string]: OwnedValue;
}

/** Files whose keys the setting `overrides` sets, and what their values are. */
export const overridable = {
  web: "properties of bbb-web",
  html5: "settings of the client",
  akka: "settings of bbb-apps-akka, by their dotted names",
  sfu: "settings of bbb-webrtc-sfu",
  recorder: "settings of bbb-webrtc-recorder",
  middleware: "settings of bbb-graphql-middleware",
  livekit: "settings of LiveKit",
} as const satisfies Readonly<Partial<Record<OverrideName, string>>>;

export type Overridable = keyof typeof overridable;

/** Overrides by file, and files of the operator's own. */
export type Overrides = Readonly<Partial<Record<Overridable, Tree>>> & {
  readonly extraFiles?: readonly ExtraFile[];
};

/** Keys by file. */
export function treesOf(overrides: object): [file: Overridable, tree: Tree][] {
  return (Object.entries(overrides) as [Overridable, Tree][]).filter(([name]) =>
    Object.hasOwn(overridable, name),
  );
}

const ADDRESSES = "the deployment sets the server's addresses";
const SECRETS = "the deployment makes the secret; rotateSharedSecret makes it anew";
const NAME = "it follows from hostname and domain";
const PORTS = "the firewalls open the ports of the release";

/** Keys that the program itself owns, each with those below it, and why. */
const programOwned: Readonly<Record<Overridable, Readonly<Record<string, string>>>> = {
  web: { securitySalt: SECRETS, "bigbluebutton.web.serverURL": NAME },
  html5: {
    "public.kurento.wsUrl": NAME,
    "public.media.sipjsHackViaWs": "the installer sets how clients reach FreeSWITCH",
    "public.media.stunTurnServersFetchAddress":
      "the deployment sets the TURN server: turnHostname, turnStack",
    "public.pads.url": NAME,
  },
  akka: { "services.sharedSecret": SECRETS, "services.bbbWebAPI": NAME },
  sfu: {
    "freeswitch.ip": ADDRESSES,
    "freeswitch.sip_ip": ADDRESSES,
    "mediasoup.webrtc.listenIps": ADDRESSES,
    "mediasoup.plainRtp.listenIp": ADDRESSES,
    "mediasoup.worker.rtcMinPort": PORTS,
    "mediasoup.worker.rtcMaxPort": PORTS,
    "livekit.key": "the installer makes LiveKit's keys",
    "livekit.secret": "the installer makes LiveKit's keys",
  },
  recorder: { "webrtc.rtcMinPort": PORTS, "webrtc.rtcMaxPort": PORTS },
  middleware: {},
  livekit: {
    keys: "the installer makes LiveKit's keys",
    "rtc.node_ip": ADDRESSES,
    "rtc.use_external_ip": ADDRESSES,
    "rtc.port_range_start": PORTS,
    "rtc.port_range_end": PORTS,
  },
};

/** Keys that can't be overridden, with the file and the reason. */
export function refusedKeys(): [file: Overridable, key: string, why: string][] {
  return Object.entries(programOwned).flatMap(([file, keys]) =>
    Object.entries(keys).map(
      ([key, why]) => [file as Overridable, key, why] as [Overridable, string, string],
    ),
  );
}

/** Reason why a key can't be overridden; undefined for one that can. */
export function ownedByProgram(file: Overridable, key: readonly string[]): string | undefined {
  const name = key.join(".");
  const found = Object.entries(programOwned[file]).find(
    ([owned]) => name === owned || name.startsWith(`${owned}.`) || owned.startsWith(`${name}.`),
  );
  return found?.[1];
}

/** Keys of the client that 4.0 takes without a word and ignores: they are for SIP.js, which it does not have. */
const IGNORED =
  /^public\.(media\.(callTransferTimeout|callHangup(Timeout|MaximumRetries)|iceGatheringTimeout|audioConnectionTimeout|audioReconnection\w+|sipjs\w+|sip_ws_host|websocketKeepAlive\w*|traceSip|sdpSemantics)|app\.ipv4FallbackDomain|stats\.log|\w+\.showPushLayout\w*)$/;

/** True for a key that a line ignores. */
export function isIgnored(file: Overridable, key: readonly string[], line: Line): boolean {
  return file === "html5" && line === "4.0" && IGNORED.test(key.join("."));
}

/** Keys that some overrides set, as they are named in their files. A list is one value, a map is one for each key. */
export function overrideKeys(overrides: Overrides): SetKey[] {
  return treesOf(overrides).flatMap(([file, tree]) =>
    leaves(file, tree).map(([key, value]) => ({
      file,
      key: inYaml(file) ? key : key[0]!,
      value: file === "web" ? String(value) : value,
      setting: `overrides.${file}.${key.join(".")}`,
    })),
  );
}

/** Keys with their values, each key the names of the maps around it; those of properties and HOCON are never divided. */
export function leaves(
  file: Overridable,
  tree: Tree,
  around: readonly string[] = [],
): [key: readonly string[], value: OwnedValue][] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const key = [...around, name];
    return inYaml(file) && isTree(value) && Object.keys(value).length > 0
      ? leaves(file, value, key)
      : [[key, value] as [readonly string[], OwnedValue]];
  });
}

function inYaml(file: Overridable): boolean {
  return file !== "web" && file !== "akka";
}

function isTree(value: OwnedValue): value is Tree {
  return typeof value === "object" && !Array.isArray(value);
}

/** Keys that two settings set, by the names of both. */
export function setTwice(keys: readonly SetKey[]): [first: string, second: string][] {
  const owners = new Map<string, string>();
  return keys.flatMap((key) => {
    const id = ownedKeyId(key);
    const first = owners.get(id);
    owners.set(id, first ?? key.setting);
    return first === undefined ? [] : [[first, key.setting] as [string, string]];
  });
}
