import { isIP } from "node:net";

import { z } from "zod";

import { PIN_DIGITS, SIP_PORT } from "../../bigbluebutton/dialIn";
import { dnsNameProblem } from "../formats/names";
import { parseNetwork } from "../formats/network";
import { removeCommand, secretCommand, setCommand } from "../remedies";
import { flag, integer, textThat, type Fields } from "./field";
import { group, passOn } from "./group";
import { UNPRINTABLE } from "./optionGroup";

/** Networks that a firewall's rule and an account's quota have room for. */
const MOST_NETWORKS = 16;

/** Largest network, by its prefix: nobody's telephones come from more addresses. */
const WIDEST = 8;

const shown = (path: string, value: string) => setCommand(`--path 'dialIn.${path}'`, value);

/** Texts of the docs about an entry. */
export interface EntryWords {
  readonly description: string;
  /** Default in words; undefined for an entry that must be set. */
  readonly default?: string;
  readonly example: string;
  /** Value of the advice. @default the example */
  readonly advised?: string;
}

const words = new Map<string, EntryWords>();

/** Entry with its texts. A missing or wrong value without advice of its own gets the entry's example. */
function entry<const S extends z.ZodType>(path: string, schema: S, of: EntryWords) {
  words.set(path, of);
  const { example, advised = example } = of;
  const remedy =
    path === "gateway.password"
      ? secretCommand(`dialIn.${path}`)
      : shown(path === "networks" ? "networks[0]" : path, advised);
  return z.unknown().transform((value, context): z.output<S> => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const better = issue.code === "custom" ? (issue.params?.["remedy"] as string | undefined) : undefined;
      const message = value === undefined ? "is not set" : issue.message;
      context.addIssue({ code: "custom", path: issue.path, message, params: { remedy: better ?? remedy } });
    }
    return z.NEVER;
  });
}

/** Text, or a number of which the CLI made one. */
const textOrNumber = z.union([z.string(), z.int().transform(String)], { error: "must be a text" });

/** Text that people read in the welcome text, where it is HTML. */
const number = textOrNumber.pipe(
  textThat((value) => {
    if (!/^[\w+() ./-]{3,40}$/.test(value)) {
      return `"${value}" must have 3 to 40 letters, digits, blanks and + ( ) . / -`;
    }
    return /\d/.test(value) ? undefined : `"${value}" has no digit`;
  }),
);

const networks = z
  .unknown()
  .transform((value) => (typeof value === "string" ? [value] : value))
  .pipe(
    z
      .array(z.unknown(), { error: "must be a list of addresses and networks" })
      .min(1, "must have an address or network in it")
      .max(
        MOST_NETWORKS,
        `has more than ${MOST_NETWORKS}, for which not all clouds' firewalls have room: name larger ones`,
      )
      .transform((all, context) => {
        const read = all.map((one, i) => {
          const result: Read = typeof one === "string" ? networkOf(one.trim()) : { reason: "must be a text" };
          if ("network" in result) return result.network;
          const { reason, suggestion = "PROVIDER-ADDRESS" } = result;
          const message = typeof one === "string" ? `"${one}" ${reason}` : reason;
          const remedy = shown(`networks[${i}]`, suggestion);
          context.addIssue({ code: "custom", path: [i], message, params: { remedy } });
          return "";
        });
        return [...new Set(read)];
      }),
  );

type Read = { readonly network: string } | { readonly reason: string; readonly suggestion?: string };

/** IPv4 network of a text; an address is one of its own. */
function networkOf(value: string): Read {
  const read = parseNetwork(isIP(value) === 4 ? `${value}/32` : value);
  if (!("network" in read)) return read;
  if (read.network.includes(":")) {
    return { reason: "is IPv6; BigBlueButton's FreeSWITCH takes calls over IPv4" };
  }
  if (Number(read.network.split("/")[1]) < WIDEST) {
    return {
      reason: `is larger than a /${WIDEST}: everybody in there could try out numbers of meetings`,
    };
  }
  return read;
}

const host = textThat((value) => {
  if (isIP(value) === 4) return undefined;
  if (isIP(value) === 6) return `"${value}" is IPv6; BigBlueButton's FreeSWITCH registers over IPv4`;
  if (/:\d+$/.test(value)) return `"${value}" has a port in it, which is an entry of its own: gateway.port`;
  const problem = dnsNameProblem(value.toLowerCase());
  return problem && `"${value}" ${problem}`;
});

/** Text in an attribute of FreeSWITCH's XML. */
const credential = textOrNumber.pipe(
  textThat((value) => {
    if (value === "") return "is empty";
    return /[\t\n]/.test(value) || UNPRINTABLE.test(value)
      ? "has a line break or another control character in it"
      : undefined;
  }),
);

const entries = group("dialIn", {
  number: entry("number", number, {
    description: "Telephone number as people read it, in the client and in the welcome text.",
    example: '"+49 30 123456"',
  }),
  networks: entry("networks", networks, {
    description: `Addresses and networks from which calls come, IPv4, at most ${MOST_NETWORKS}. The firewall lets nobody else in at port ${SIP_PORT}.`,
    example: '["198.51.100.0/24"]',
    advised: "PROVIDER-ADDRESS",
  }),
  gateway: group("dialIn.gateway", {
    host: entry("gateway.host", host, {
      description: "Name or IPv4 address of the provider's SIP server, or of your own telephone system.",
      example: "sip.provider.example",
    }),
    port: entry(
      "gateway.port",
      integer("port", (port) =>
        port >= 1 && port <= 65535 ? undefined : `is ${port}; a port is 1 to 65535`,
      ),
      { description: "UDP port of that server.", default: String(SIP_PORT), example: String(SIP_PORT) },
    ).default(SIP_PORT),
    register: entry("gateway.register", flag, {
      description:
        "Registers there, with user and password. false: a trunk by address, for a provider or an Asterisk that sends calls to the server's address.",
      default: "true",
      example: "false",
    }).default(true),
    user: entry("gateway.user", credential, {
      description: "Account at the provider.",
      default: "must be set to register",
      example: "4930123456",
    }).optional(),
    password: entry("gateway.password", credential, {
      description: "Password of the account; a secret.",
      default: "must be set to register",
      example: "(asked for)",
    }).optional(),
  }),
  pinDigits: entry(
    "pinDigits",
    integer("digits", (digits) =>
      digits >= PIN_DIGITS.least && digits <= PIN_DIGITS.most
        ? undefined
        : `is ${digits}; BigBlueButton's dialplan takes ${PIN_DIGITS.least} to ${PIN_DIGITS.most}`,
    ),
    {
      description: `Digits of the numbers that BigBlueButton gives to meetings, ${PIN_DIGITS.least} to ${PIN_DIGITS.most}. More are harder to guess. A front end may give its own.`,
      default: "BigBlueButton's own",
      example: "9",
    },
  ).optional(),
  greeting: entry(
    "greeting",
    textThat((value) => {
      if (value.length > 1000) return "is longer than 1000 characters";
      return UNPRINTABLE.test(value) ? "has a control character in it" : undefined;
    }),
    {
      description:
        "Words below the welcome text that say how to dial in, simple HTML, with the placeholders of docs/meetings.md. It can't be set beside meetings.welcomeFooter, into which the words go then.",
      default: "one sentence in English; none where meetings.welcomeFooter is set",
      example: '"<br>Telefon: %%DIALNUM%%, dann %%CONFNUM%% und #"',
      advised: '"TEXT"',
    },
  ).optional(),
});

/** Texts of the docs, by entry. */
export const dialInWords: ReadonlyMap<string, EntryWords> = words;

/** Dial-in as given; its password is still a plain text. */
export type DialInGiven = z.output<typeof entries>;

export const dialIn = {
  dialIn: {
    type: "object",
    argument: "DialInArgument",
    description:
      "Lets people dial into meetings by telephone: number, networks (of the provider), gateway (host, port, register, user, password), pinDigits, greeting. Its password must be a secret. docs/dial-in.md lists them. Not set: no telephone, and port 5060 stays closed.",
    schema: z.unknown().transform((value, context): DialInGiven => {
      const result = entries.safeParse(value);
      for (const issue of result.error?.issues ?? []) passOn(issue, context);
      for (const { key, reason, remedy } of registrationMistakes(value)) {
        context.addIssue({ code: "custom", path: ["gateway", key], message: reason, params: { remedy } });
      }
      return result.success ? result.data : z.NEVER;
    }),
    remedy: shown("number", '"+49 30 123456"'),
  },
} as const satisfies Fields;

interface RegistrationMistake {
  readonly key: "user" | "password";
  readonly reason: string;
  readonly remedy: string;
}

/** Mistakes between entries of the gateway, which are told with those of each by itself. */
function registrationMistakes(value: unknown): RegistrationMistake[] {
  const gateway = isMap(value) ? value["gateway"] : undefined;
  if (!isMap(gateway)) return [];
  const registers = gateway["register"] !== false;
  return (["user", "password"] as const).flatMap((key) => {
    const given = gateway[key] !== undefined;
    if (given === registers) return [];
    const path = `gateway.${key}`;
    return [
      registers
        ? {
            key,
            reason: "is not set, without which nobody can register",
            remedy: `${key === "password" ? secretCommand(`dialIn.${path}`) : shown(path, "ACCOUNT")}, or ${shown("gateway.register", "false")} for a trunk by address`,
          }
        : {
            key,
            reason: "is set, but gateway.register is false: nobody is told it",
            remedy: removeCommand(`--path 'dialIn.${path}'`),
          },
    ];
  });
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
