/** Dial-in by telephone: FreeSWITCH's gateway to a provider, its dialplan, and the words that people read. */
import { createHash } from "node:crypto";

import { create } from "xmlbuilder2";

import type { Line } from "./options";
import type { SetKey } from "./ownedKeys";
import type { PortRule } from "./ports";

/** UDP port of SIP, at which FreeSWITCH's profile `external` takes calls from outside. */
export const SIP_PORT = 5060;

/** UDP port at which livekit-sip of BigBlueButton 4.0 takes calls from FreeSWITCH (its packaged livekit-sip.yaml). */
const LIVEKIT_SIP_PORT = 5062;

/** Digits of a meeting's number that FreeSWITCH's dialplan of BigBlueButton takes (bbb_conference.xml). */
export const PIN_DIGITS = { least: 5, most: 11 } as const;

/** Times that a caller may enter the number of a meeting before the call ends. */
const ATTEMPTS = 3;

/** Name of the gateway in FreeSWITCH, and of both files. */
const GATEWAY = "bbb-deploy";

const FREESWITCH = "/opt/freeswitch/etc/freeswitch";

/** Files of FreeSWITCH that the deployment alone has. */
export const dialInPaths = {
  gateway: `${FREESWITCH}/sip_profiles/external/${GATEWAY}.xml`,
  dialplan: `${FREESWITCH}/dialplan/public/${GATEWAY}.xml`,
} as const;

/** Words for people who don't know a meeting's number, in the welcome text. */
export const DEFAULT_GREETING =
  "<br>To join by telephone, call %%DIALNUM%%, then enter %%CONFNUM%% and the # key.";

/** Server at the provider, or telephone system of one's own. */
export interface Gateway {
  readonly host: string;
  readonly port: number;
  /** Registers there with user and password. Without it, calls come from its networks, to the server's address. */
  readonly register: boolean;
  readonly user?: string;
}

/** Part of dial-in that is in BigBlueButton's own configuration. */
export interface DialInWords {
  /** Telephone number, as people read it. */
  readonly number: string;
  /** Text below the welcome text; undefined leaves what is there. */
  readonly greeting?: string;
  /** Digits of the numbers of meetings. @default BigBlueButton's own */
  readonly pinDigits?: number;
  /** True where meetings have their sound in LiveKit, which then takes calls. */
  readonly livekit: boolean;
}

/** Inbound rule for calls from the provider, and from nobody else. */
export function dialInPorts(networks: readonly string[]): readonly PortRule[] {
  const role = "SIP: calls from the telephone provider only";
  return [{ protocol: "udp", from: SIP_PORT, to: SIP_PORT, role, sources: networks }];
}

/** Keys of BigBlueButton's files that dial-in sets. */
export function dialInKeys({ number, greeting, pinDigits, livekit }: DialInWords): SetKey[] {
  const web = (name: string, key: string, value: string | undefined): SetKey[] =>
    value === undefined ? [] : [{ file: "web", key, value, setting: `dialIn.${name}` }];
  return [
    ...web("number", "defaultDialAccessNumber", number),
    ...web("greeting", "defaultWelcomeMessageFooter", greeting),
    ...web("pinDigits", "defaultNumDigitsForTelVoice", pinDigits?.toString()),
    ...(livekit
      ? [{ file: "sfu" as const, key: "livekit.sip.enabled", value: true, setting: "dialIn" }]
      : []),
  ];
}

/**
 * Renders the file of the gateway, with elements of
 * https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Configuration/Sofia-SIP-Stack/Gateways-Configuration_7144069.
 * A gateway that doesn't register is asked every 30 seconds whether it is there.
 */
export function renderGateway({ host, port, register, user }: Gateway, password?: string): string {
  const unused = "not-used";
  return rendered({
    gateway: {
      "@name": GATEWAY,
      param: parameters({
        proxy: port === SIP_PORT ? host : `${host}:${port}`,
        realm: host,
        username: user ?? unused,
        password: password ?? unused,
        register: String(register),
        ...(!register && { ping: "30" }),
        context: "public",
      }),
    },
    // FreeSWITCH puts values in for $${…} before it reads a file as XML.
  }).replaceAll("$", "&#36;");
}

function parameters(values: Readonly<Record<string, string>>) {
  // xmlbuilder2 decodes entities in what it gets, and writes what looks like one as it is.
  return Object.entries(values).map(([name, value]) => ({
    "@name": name,
    "@value": value.replaceAll("&", "&amp;amp;"),
  }));
}

/** Facts on which the dialplan depends. */
export interface DialplanArgs {
  readonly line: Line;
  readonly networks: readonly string[];
  /** Public address of the server, at which livekit-sip listens. */
  readonly ipv4: string;
}

/**
 * Renders the dialplan: a call from the provider's networks is answered and asked for the number of a meeting. It goes
 * into FreeSWITCH's conference of that number, where there is one, and with 4.0 else to livekit-sip, which knows the
 * meetings whose sound LiveKit has. A caller has three attempts.
 *
 * @see https://developer.signalwire.com/freeswitch/FreeSWITCH-Explained/Dialplan/XML-Dialplan/
 */
export function renderDialplan({ line, networks, ipv4 }: DialplanArgs): string {
  const retries = Array.from({ length: ATTEMPTS - 1 }, (_, i) => i + 1);
  return rendered({
    extension: [
      joinConference(),
      ...(line === "4.0" ? [joinLivekit(ipv4)] : []),
      ...retries.map(askAgain),
      extension(
        "give-up",
        [condition("destination_number", `^${GATEWAY}-(join|again)-\\d$`)],
        [
          ["playback", "ivr/ivr-that_was_an_invalid_entry.wav"],
          ["hangup", "NORMAL_CLEARING"],
        ],
      ),
      answer(networks),
    ],
  });
}

type Action = readonly [application: string, data?: string];

const JOIN = condition("destination_number", `^${GATEWAY}-join-(\\d)$`);
const HAS_PIN = condition("${pin}", `^\\d{${PIN_DIGITS.least},${PIN_DIGITS.most}}$`);

function joinConference() {
  const isThere = condition("${conference(${pin} list)}", "sofia/");
  return extension(
    "conference",
    [JOIN, HAS_PIN, isThere],
    [
      ["set", "bbb_authorized=true"],
      ["transfer", "${pin} XML default"],
    ],
  );
}

function joinLivekit(ipv4: string) {
  return extension(
    "livekit",
    // The digit that the bridge's failure goes on with is that of the last condition.
    [HAS_PIN, JOIN],
    [
      ["set", "continue_on_fail=true"],
      ["set", "hangup_after_bridge=true"],
      ["bridge", `sofia/external/\${pin}@${ipv4}:${LIVEKIT_SIP_PORT}`],
      ["transfer", `${GATEWAY}-again-$1 XML public`],
    ],
  );
}

function askAgain(attempt: number) {
  return extension(
    `again-${attempt}`,
    [condition("destination_number", `^${GATEWAY}-(join|again)-${attempt}$`)],
    [...asking("conference/conf-bad-pin.wav"), ["transfer", `${GATEWAY}-join-${attempt + 1} XML public`]],
  );
}

/** Extension of the first step. It knows a call by its sender: providers dial a server by many names. */
function answer(networks: readonly string[]) {
  const anyOf = networks.map((network) => ({
    "@field": `\${acl(\${network_addr} ${network})}`,
    "@expression": "^true$",
  }));
  return extension(
    "dial-in",
    [{ "@regex": "any", regex: anyOf }],
    [
      ["answer"],
      // Some providers send digits as tones only.
      ["start_dtmf"],
      ["sleep", "1000"],
      ...asking("conference/conf-pin.wav"),
      ["transfer", `${GATEWAY}-join-1 XML public`],
    ],
  );
}

/** Actions that ask for digits up to #, thrice, each time for 20 seconds. */
function asking(sound: string): Action[] {
  const { least, most } = PIN_DIGITS;
  const arguments_ = [least, most, 3, 20000, "#", sound, "ivr/ivr-that_was_an_invalid_entry.wav"];
  return [
    ["set", "pin="],
    ["play_and_get_digits", `${arguments_.join(" ")} pin \\d+ 5000`],
  ];
}

function condition(field: string, expression: string) {
  return { "@field": field, "@expression": expression };
}

/** Extension whose actions are done where all conditions hold. */
function extension(name: string, conditions: readonly object[], actions: readonly Action[]) {
  const action = actions.map(([application, data]) => ({
    "@application": application,
    ...(data !== undefined && { "@data": data }),
  }));
  return {
    "@name": `${GATEWAY}-${name}`,
    condition: [...conditions.slice(0, -1), { ...conditions.at(-1), action }],
  };
}

function rendered(content: object): string {
  return `${create({ include: content }).end({ prettyPrint: true, headless: true })}\n`;
}

/** Dial-in of a host. */
export interface DialInRequest extends DialplanArgs {
  readonly gateway: Gateway;
  /** Secret. */
  readonly password?: string;
}

/** Renders the request, the one line of JSON that scripts/host/dial_in.py reads. It holds the password. */
export function renderDialInRequest(args: DialInRequest): string {
  const { networks, gateway } = args;
  const { register } = gateway;
  return `${JSON.stringify({ gateway: GATEWAY, register, networks, files: filesOf(args) })}\n`;
}

/** Renders what scripts/host/dial_in_check.py compares with. The digest of a file tells of its password. */
export function renderDialInCheck(args: DialInRequest): string {
  const { line, networks, gateway } = args;
  const { host, register } = gateway;
  const files = filesOf(args).map(({ path, text }) => ({
    path,
    sha256: createHash("sha256").update(text).digest("hex"),
  }));
  return JSON.stringify({ gateway: GATEWAY, host, register, networks, livekit: line === "4.0", files });
}

function filesOf(args: DialInRequest) {
  const { gateway, password } = args;
  return [
    { path: dialInPaths.gateway, text: renderGateway(gateway, password) },
    { path: dialInPaths.dialplan, text: renderDialplan(args) },
  ];
}
