import { z } from "zod";

import { defaultRelease, releaseNames } from "../bigbluebutton/releases";
import { canonicalAddress, publicAddressProblem } from "./formats/addresses";
import { rootsProblem } from "./formats/certificates";
import { dnsNameProblem, meantName, normalizeName, zoneProblem } from "./formats/names";
import { parseNetwork, unreachableProblem } from "./formats/network";
import { sshPublicKeyProblem } from "./formats/sshPublicKey";

/** A setting: how its value is read and checked by itself. */
interface Field<T extends z.ZodType = z.ZodType> {
  /** The value's type in Pulumi.yaml; all but strings reach the program as JSON text. */
  readonly type: "string" | "boolean" | "integer" | "array";
  readonly schema: T;
  /** What puts a mistake right where the check itself knows nothing better. */
  readonly remedy: string;
}

function field<T extends z.ZodType>(type: Field["type"], schema: T, remedy: string): Field<T> {
  return { type, schema, remedy };
}

/** The command that sets a key. */
export function setCommand(key: string, value: string): string {
  return `pulumi config set ${key} ${value}`;
}

type Mistake = string | { readonly reason: string; readonly remedy?: string } | undefined;

/** A check that says in words what is wrong, and what to do where it knows that better than the field. */
function must<T>(mistakes: (value: T) => Mistake | readonly Mistake[]) {
  return (value: T, context: z.RefinementCtx) => {
    for (const found of [mistakes(value)].flat()) {
      if (!found) continue;
      const { reason, remedy } =
        typeof found === "string" ? { reason: found, remedy: undefined } : (found as never);
      context.addIssue({ code: "custom", message: reason, params: { remedy } });
    }
  };
}

/** As {@link must}, for a setting that may be left out. */
function mustIfSet(mistakes: (value: string) => Mistake) {
  return must<string | undefined>((value) => (value === undefined ? undefined : mistakes(value)));
}

const orNotSet = (message: string) => (issue: { input?: unknown }) =>
  issue.input === undefined ? "is not set" : message;

const text = z.string({ error: orNotSet("must be a text") }).trim();
const optionalText = text.optional();
const flag = z.boolean({ error: "must be true or false" }).default(false);

/** true or false, with a third state, not set, that no boolean of Pulumi.yaml's can have. */
const unlessSaid = z
  .union([z.boolean(), z.enum(["true", "false"]).transform((value) => value === "true")], {
    error: ({ input }) => `must be true or false, not ${JSON.stringify(input)}`,
  })
  .optional();

function choice<const T extends readonly [string, ...string[]]>(values: T) {
  const known = `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return z.enum(values, { error: ({ input }) => `must be ${known}, not ${JSON.stringify(input)}` });
}

/** A list of texts; an entry that is none is told with its place and what to write instead of it. */
function list(key: string, what: string, example: string) {
  const entries = z.array(z.unknown(), { error: orNotSet(`must be a list of ${what}`) });
  const texts = must<unknown[]>((values) =>
    values.map((value, i) => {
      if (typeof value === "string" && value.trim() !== "") return undefined;
      const only = Array.isArray(value) && value.length === 1 ? (value as unknown[])[0] : undefined;
      const meant = typeof only === "string" && /^[\w.:/-]+$/.test(only) ? only : example;
      const found =
        typeof value === "string"
          ? "an empty text"
          : `${JSON.stringify(value)}, ${Array.isArray(value) ? "a list in the list" : "no text"}`;
      return {
        reason: `has ${found} as entry number ${i + 1}, where one of the ${what} belongs`,
        remedy: `pulumi config rm --path '${key}[${i}]', then ${setCommand(`--path '${key}[${i}]'`, meant)}`,
      };
    }),
  );
  return entries.superRefine(texts).pipe(z.array(text));
}

const location = optionalText.superRefine(
  mustIfSet((value) =>
    /^[a-z]+[a-z0-9-]*$/.test(value) ? undefined : `"${value}" is not the name of a location`,
  ),
);

const serverType = optionalText.superRefine(
  mustIfSet((value) =>
    /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)?$/i.test(value)
      ? undefined
      : `"${value}" is not the name of a server type`,
  ),
);

function awsId(prefix: string, what: string) {
  return optionalText.superRefine(
    mustIfSet((value) =>
      new RegExp(`^${prefix}-[0-9a-f]{8,17}$`).test(value)
        ? undefined
        : `"${value}" is not the id of ${what}, ${prefix}-…`,
    ),
  );
}

const occasion = optionalText.superRefine(
  mustIfSet((value) =>
    /^[\x20-\x7e]{1,100}$/.test(value) ? undefined : "must be at most 100 ASCII characters",
  ),
);

/** A path, never the file's own text: a key is not to be in the settings. */
const pemFile = optionalText.superRefine(
  mustIfSet((value) =>
    /-----BEGIN|[\0\n]/.test(value) ? "must be the path of a file, not what is in it" : undefined,
  ),
);

function isUrl(value: string, ...protocols: string[]): boolean {
  return URL.canParse(value) && protocols.includes(new URL(value).protocol) && !/\s/.test(value);
}

/** How many daily snapshots of its volumes EC2 keeps. */
export const DEFAULT_SNAPSHOT_DAYS = 7;

/** Every setting there is. What depends on more than one of them is checked in conflicts.ts and index.ts. */
export const fields = {
  cloud: field("string", choice(["hetzner", "aws"]).default("hetzner"), setCommand("cloud", "hetzner")),
  domain: field(
    "string",
    text.transform(normalizeName).superRefine(
      must((value) => {
        const problem = dnsNameProblem(value);
        if (problem) {
          const meant = meantName(value);
          const remedy = meant && !zoneProblem(meant) ? setCommand("domain", meant) : undefined;
          return { reason: `"${value}" ${problem}`, remedy };
        }
        const notOwn = zoneProblem(value);
        return notOwn && `"${value}" ${notOwn}`;
      }),
    ),
    setCommand("domain", "example.org"),
  ),
  hostname: field("string", text.default("bbb"), setCommand("hostname", "bbb")),
  turnHostname: field("string", text.default("turn"), setCommand("turnHostname", "turn")),
  email: field(
    "string",
    text.superRefine(
      must((value) => {
        if (value === "info@example.com") {
          return "is info@example.com, the placeholder in BigBlueButton's docs that its installer refuses";
        }
        if (z.email().safeParse(value).success) return undefined;
        const [, mailbox, host] = /^([^@\s]+)@([^@\s]+)$/.exec(value) ?? [];
        const meant = host && meantName(host);
        if (!meant || !z.email().safeParse(`${mailbox}@${meant}`).success) {
          return `"${value}" is not an e-mail address`;
        }
        const reason = `"${value}" is not an e-mail address in ASCII, as the certificate authority wants it`;
        return { reason, remedy: setCommand("email", `${mailbox}@${meant}`) };
      }),
    ),
    setCommand("email", "YOUR-ADDRESS"),
  ),
  release: field(
    "string",
    choice(releaseNames).default(defaultRelease),
    setCommand("release", defaultRelease),
  ),
  allowEndOfLife: field("boolean", flag, setCommand("allowEndOfLife", "true")),
  location: field("string", location, setCommand("location", "fsn1")),
  serverType: field("string", serverType, setCommand("serverType", "ccx33")),
  turnCloud: field("string", choice(["hetzner", "aws"]).optional(), setCommand("turnCloud", "hetzner")),
  turnLocation: field("string", location, setCommand("turnLocation", "fsn1")),
  turnServerType: field("string", serverType, setCommand("turnServerType", "cpx22")),
  turnPeers: field(
    "array",
    list("turnPeers", "addresses", "ADDRESS")
      .default([])
      .superRefine(
        must((peers) =>
          peers.map((peer, i) => {
            const problem = publicAddressProblem(peer);
            const again = peers.findIndex((other) => canonicalAddress(other) === canonicalAddress(peer)) < i;
            return problem || again ? `has "${peer}", which ${problem ?? "is there already"}` : undefined;
          }),
        ),
      )
      .transform((peers) => peers.map(canonicalAddress)),
    `${setCommand("--path 'turnPeers[0]'", "ADDRESS")}, with the addresses.bbb.ipv4 that the other stack's outputs tell`,
  ),
  turnStack: field(
    "string",
    optionalText.superRefine(
      mustIfSet((value) =>
        /^[\w.-]{1,100}$/.test(value) ? undefined : `"${value}" is not the name of a stack of this project`,
      ),
    ),
    "pulumi config rm turnStack, for a TURN server of its own",
  ),
  image: field(
    "string",
    optionalText.superRefine(
      mustIfSet((value) =>
        /^[\w./*?-]+$/.test(value) ? undefined : `"${value}" is not an image's name or id`,
      ),
    ),
    `${setCommand("image", "NAME-OR-ID")}, or pulumi config rm image for the release's own`,
  ),
  vpcId: field(
    "string",
    awsId("vpc", "a VPC"),
    `${setCommand("vpcId", "vpc-…")}, or pulumi config rm vpcId for the region's default VPC`,
  ),
  subnetId: field(
    "string",
    awsId("subnet", "a subnet"),
    `${setCommand("subnetId", "subnet-…")}, or pulumi config rm subnetId for a public one of the VPC`,
  ),
  sshNetworks: field(
    "array",
    list("sshNetworks", "networks in CIDR form", "YOUR-ADDRESS/32")
      .superRefine(
        must((networks) =>
          networks.map((network, i) => {
            const read = parseNetwork(network);
            const meant = "network" in read ? read.network : read.suggestion;
            const unreachable = meant === undefined ? undefined : unreachableProblem(meant);
            const result = unreachable ?? ("network" in read ? undefined : read);
            if (!result) return undefined;
            const remedy = setCommand(`--path 'sshNetworks[${i}]'`, result.suggestion ?? "YOUR-ADDRESS/32");
            return { reason: `has "${network}", which ${result.reason}`, remedy };
          }),
        ),
      )
      .transform((networks) => {
        const canonical = networks
          .map(parseNetwork)
          .flatMap((result) => ("network" in result ? [result.network] : []));
        return [...new Set(canonical)];
      }),
    `${setCommand("--path 'sshNetworks[0]'", "YOUR-ADDRESS/32")}; without any, nobody could reach SSH`,
  ),
  sshPublicKeys: field(
    "array",
    list("sshPublicKeys", "public keys", '"$(cat ~/.ssh/id_ed25519.pub)"')
      .default([])
      .superRefine(
        must((keys) =>
          keys.map((key, i) => {
            const problem = sshPublicKeyProblem(key);
            return problem && `has key number ${i + 1}, which ${problem}`;
          }),
        ),
      ),
    `${setCommand("--path 'sshPublicKeys[0]'", '"$(cat ~/.ssh/id_ed25519.pub)"')}`,
  ),
  dns: field("string", choice(["hetzner", "route53", "manual"]).optional(), setCommand("dns", "manual")),
  acmeServer: field(
    "string",
    text
      .default("production")
      .superRefine(
        must((value) =>
          ["production", "staging"].includes(value) || isUrl(value, "https:")
            ? undefined
            : `"${value}" is neither production, staging nor an https URL`,
        ),
      ),
    setCommand("acmeServer", "production"),
  ),
  acmeCa: field(
    "string",
    optionalText.superRefine(mustIfSet(rootsProblem)),
    "pulumi config set acmeCa < roots.pem",
  ),
  certificateFile: field("string", pemFile, setCommand("certificateFile", "PATH/fullchain.pem")),
  certificateKeyFile: field("string", pemFile, setCommand("certificateKeyFile", "PATH/privkey.pem")),
  turnCertificateFile: field("string", pemFile, setCommand("turnCertificateFile", "PATH/fullchain.pem")),
  turnCertificateKeyFile: field("string", pemFile, setCommand("turnCertificateKeyFile", "PATH/privkey.pem")),
  greenlight: field("boolean", flag, setCommand("greenlight", "true")),
  recordingsGb: field(
    "integer",
    z
      .int({ error: "must be a whole number of gigabytes" })
      .default(0)
      .superRefine(
        must((value) =>
          value === 0 || (value >= 10 && value <= 10240)
            ? undefined
            : `is ${value}; a volume has 10 to 10240 GB`,
        ),
      ),
    `${setCommand("recordingsGb", "100")}, or 0 for none`,
  ),
  recordingsVolumeId: field(
    "string",
    optionalText.superRefine(
      mustIfSet((value) => (/^[\w-]+$/.test(value) ? undefined : `"${value}" is not a volume's id`)),
    ),
    setCommand("recordingsVolumeId", "ID"),
  ),
  snapshotDays: field(
    "integer",
    z
      .int({ error: "must be a whole number of days" })
      .default(DEFAULT_SNAPSHOT_DAYS)
      .superRefine(
        must((value) =>
          value >= 0 && value <= 1000 ? undefined : `is ${value}; from 1 to 1000 snapshots can be kept`,
        ),
      ),
    `${setCommand("snapshotDays", String(DEFAULT_SNAPSHOT_DAYS))}, or 0 for none`,
  ),
  installerUrl: field(
    "string",
    optionalText.superRefine(
      mustIfSet((value) =>
        isUrl(value, "https:", "http:") ? undefined : `"${value}" is not an http or https URL`,
      ),
    ),
    "pulumi config rm installerUrl, for the release's own place",
  ),
  installerSha256: field(
    "string",
    optionalText
      .transform((value) => value?.toLowerCase())
      .superRefine(
        mustIfSet((value) =>
          /^[0-9a-f]{64}$/.test(value) ? undefined : "must be the 64 hexadecimal digits of a SHA-256",
        ),
      ),
    `${setCommand("installerSha256", "DIGITS")}, with what sha256sum prints for the installer`,
  ),
  upgrade: field("string", occasion, setCommand("upgrade", "2026-12-01")),
  duringMeetings: field("string", occasion, setCommand("duringMeetings", "2026-12-01")),
  rotateTurnSecret: field("string", occasion, setCommand("rotateTurnSecret", "2026-12-01")),
  rotateSharedSecret: field("string", occasion, setCommand("rotateSharedSecret", "2026-12-01")),
  environment: field(
    "string",
    choice(["test", "staging", "prod"]).default("test"),
    setCommand("environment", "prod"),
  ),
  protect: field("string", unlessSaid, "pulumi config rm protect, for what the environment has"),
  protectRecordings: field(
    "string",
    unlessSaid,
    "pulumi config rm protectRecordings, for what the environment has",
  ),
  backups: field("string", unlessSaid, "pulumi config rm backups, for what the environment has"),
  expires: field(
    "string",
    optionalText.superRefine(
      mustIfSet((value) =>
        /^[1-9]\d{9}$/.test(value) ? undefined : `"${value}" is not a time in seconds since 1970`,
      ),
    ),
    "pulumi config rm expires, for what is to stay; scripts/test-server makes what is not",
  ),
} as const;

/** The name of a setting. */
export type FieldName = keyof typeof fields;

/** The value of every setting, each valid by itself. */
export type FieldValues = { readonly [K in FieldName]: z.output<(typeof fields)[K]["schema"]> };
