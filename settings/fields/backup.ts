import { z } from "zod";

import { STORAGE_BOX } from "../../bigbluebutton/backup";
import { secretCommand, setCommand } from "../remedies";
import { flag, integer, isUrl, textThat, type Fields } from "./field";
import { group, passOn } from "./group";

const EXAMPLE = "s3:https://fsn1.your-objectstorage.com/BUCKET/prod";

const advice = (path: string, example: string) => setCommand(`--path 'backup.${path}'`, example);
const secretAdvice = (path: string) => secretCommand(`backup.${path}`);

const place = textThat((value) => {
  if (value === STORAGE_BOX) return undefined;
  if (value.startsWith("s3:")) return s3Problem(value.slice(3));
  if (value.startsWith("sftp:")) return sftpProblem(value.slice(5));
  return {
    reason: `is "${value}"; it begins with s3: or sftp:, or is ${STORAGE_BOX}`,
    remedy: advice("to", EXAMPLE),
  };
});

function s3Problem(address: string) {
  const url = address.includes("://") ? address : `https://${address}`;
  if (isUrl(url, "https:", "http:") && new URL(url).username === "" && new URL(url).pathname.length > 1)
    return undefined;
  return { reason: "names no bucket of a server", remedy: advice("to", EXAMPLE) };
}

function sftpProblem(address: string) {
  const isPlace = address.startsWith("//")
    ? isUrl(`sftp:${address}`, "sftp:") && /^\/\/[\w.-]+@[\w.-]+(:\d+)?\/\S+$/.test(address)
    : /^[\w.-]+@[\w.-]+:\S+$/.test(address);
  if (isPlace) return undefined;
  return { reason: "names no user, server and folder", remedy: advice("to", "sftp://USER@HOST:22//FOLDER") };
}

const time = textThat((value) =>
  /^([01]\d|2[0-3]):[0-5]\d$/.test(value)
    ? undefined
    : { reason: `is "${value}"; it is a time of the day, UTC`, remedy: advice("at", "02:30") },
);

const hostKey = textThat((value) =>
  /^(ssh-|ecdsa-)[\w-]+ [A-Za-z0-9+/]+=*$/.test(value)
    ? undefined
    : {
        reason: "is no public host key, such as ssh-keyscan prints behind the name",
        remedy: advice("hostKey", `"ssh-ed25519 AAAA…"`),
      },
);

const privateKey = textThat((value) =>
  /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n[\s\S]+-----END [A-Z ]*PRIVATE KEY-----$/.test(value)
    ? undefined
    : { reason: "is no private key in PEM or OpenSSH's form", remedy: secretAdvice("sshKey") },
);

const boxType = textThat((value) =>
  /^bx\d+$/.test(value)
    ? undefined
    : { reason: `is "${value}"; Hetzner's types are bx11, bx21 …`, remedy: advice("boxType", "bx21") },
);

const boxLocation = textThat((value) =>
  /^[a-z]{3}\d*$/.test(value)
    ? undefined
    : { reason: `is "${value}"; it is a location of Hetzner's`, remedy: advice("boxLocation", "hel1") },
);

const secret = z.string({ error: "must be a text" }).min(1, "is empty");

const count = (unit: string) => (name: string) =>
  integer(unit, (value) =>
    value >= 0 && value <= 1000
      ? undefined
      : { reason: `is ${value}; 0 to 1000 can be kept`, remedy: advice(`keep.${name}`, "7") },
  );

const entries = group("backup", {
  to: place,
  accessKeyId: secret.optional(),
  secretAccessKey: secret.optional(),
  sshKey: privateKey.optional(),
  hostKey: hostKey.optional(),
  boxType: boxType.optional(),
  boxLocation: boxLocation.optional(),
  password: secret.optional(),
  at: time.default("02:30"),
  keep: group("backup.keep", {
    daily: count("backups")("daily").default(7),
    weekly: count("backups")("weekly").default(4),
    monthly: count("backups")("monthly").default(6),
  }).default({ daily: 7, weekly: 4, monthly: 6 }),
  raw: flag.default(false),
  restoreFrom: textThat((value) =>
    /^(latest|[0-9a-f]{8,64}|run-\d{8}T\d{6}Z)$/.test(value)
      ? undefined
      : {
          reason: `is "${value}"; it is latest, or an id of scripts/backup list`,
          remedy: advice("restoreFrom", "latest"),
        },
  ).optional(),
});

export const backup = {
  backup: {
    type: "object",
    argument: "BackupArgument",
    description:
      "Saves overrides, Greenlight and recordings each night in a storage of your own, encrypted: to (storage-box for a Hetzner Storage Box that the stack makes, or a place of restic's, s3: or sftp:), accessKeyId and secretAccessKey, or sshKey and hostKey, or boxType and boxLocation; at, keep (daily, weekly, monthly), raw, password, restoreFrom. Its keys must be secrets; docs/backup.md has examples. Not set: nothing is saved.",
    schema: z.unknown().transform((value, context): z.output<typeof entries> => {
      const result = entries.safeParse(value);
      for (const issue of result.error?.issues ?? []) passOn(issue, context);
      for (const { path, reason, remedy } of between(value)) {
        context.addIssue({ code: "custom", path: [path], message: reason, params: { remedy } });
      }
      return result.success ? result.data : z.NEVER;
    }),
    remedy: advice("to", EXAMPLE),
  },
} as const satisfies Fields;

interface EntryMistake {
  readonly path: string;
  readonly reason: string;
  readonly remedy: string;
}

/** Entries that a kind of place needs, and others that it has a use for. */
const kinds = {
  s3: { needs: ["accessKeyId", "secretAccessKey"], takes: [], is: "begins with s3:" },
  sftp: { needs: ["sshKey", "hostKey"], takes: [], is: "begins with sftp:" },
  [STORAGE_BOX]: { needs: [], takes: ["hostKey", "boxType", "boxLocation"], is: `is ${STORAGE_BOX}` },
} as const;

const ofSomeKind = [...new Set(Object.values(kinds).flatMap(({ needs, takes }) => [...needs, ...takes]))];

/** Mistakes between entries: what a place needs and what it has no use for. */
function between(value: unknown): EntryMistake[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const given = value as Readonly<Record<string, unknown>>;
  const kind =
    typeof given.to === "string" ? /^(?:s3|sftp)(?=:)|^storage-box$/.exec(given.to)?.[0] : undefined;
  if (kind === undefined) return [];
  const { needs, takes, is } = kinds[kind as keyof typeof kinds];
  const known: readonly string[] = [...needs, ...takes];
  return [
    ...needs
      .filter((name) => given[name] === undefined)
      .map((path) => ({
        path,
        reason: `is not set, though backup.to ${is}`,
        remedy: path === "hostKey" ? advice(path, `"ssh-ed25519 AAAA…"`) : secretAdvice(path),
      })),
    ...ofSomeKind
      .filter((name) => !known.includes(name) && given[name] !== undefined)
      .map((path) => ({
        path,
        reason: `is set, though backup.to ${is}, which has no use for it`,
        remedy: `pulumi config rm --path 'backup.${path}'`,
      })),
  ];
}
