import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { rootCertificates } from "node:tls";
import { CERTIFICATE_DAYS } from "../../bigbluebutton/certificateDays";
import { setFromFile } from "../remedies";

/** Certificate with its chain and private key, checked. */
export interface CertificateBundle {
  /** Leaf first, then the intermediates, in PEM form with a newline at the end. */
  readonly chain: string;
  /** Private key, PKCS #8 in PEM form with a newline at the end. */
  readonly key: string;
  readonly validUntil: Date;
  /** Common name of the issuer, or its whole name without one. */
  readonly issuedBy: string;
  /** True when browsers know its root, false for a private one. */
  readonly trustedByBrowsers: boolean;
  /** True when it is for a name, by wildcards also. */
  readonly covers: (name: string) => boolean;
}

/** Problem of a file: the end of a sentence that begins with it, and the advice. */
export interface FileProblem {
  readonly of: "certificate" | "key";
  readonly reason: string;
  readonly remedy: string;
}

/** Arguments of {@link readCertificateBundle}. */
export interface CertificateBundleArgs {
  readonly certificate: string;
  readonly key: string;
  /** Names that it must be for. */
  readonly names: readonly string[];
  /** Roots of a private authority, in PEM form. */
  readonly privateRoots: string;
  readonly now: Date;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;
const KEY = /-----BEGIN (?:\w+ )*PRIVATE KEY-----[\s\S]*?-----END (?:\w+ )*PRIVATE KEY-----/;
const DAY_MS = 86_400_000;

/**
 * Shortest remaining life in days, the limit at which `scripts/check` fails: so no update ends with a failed
 * verification. Less for certificates that live for less than 90 days.
 */
const MIN_DAYS = CERTIFICATE_DAYS.fail;

/** id-kp-serverAuth (RFC 5280, section 4.2.1.12). */
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

const NEW_ONE = "have a new one issued by your authority";
const FULL_CHAIN =
  "put the server's certificate first, then each intermediate in the order of issue; authorities offer this as full chain or bundle";

/** Reads certificate, chain and key for a web server; reports all problems at once. */
export function readCertificateBundle(
  args: CertificateBundleArgs,
): { readonly own: CertificateBundle } | { readonly problems: readonly FileProblem[] } {
  const { names, privateRoots, now } = args;
  const read = readCertificates(args.certificate);
  const key = readKey(args.key);
  const problems = [
    ...(Array.isArray(read) ? [] : [{ of: "certificate" as const, ...read }]),
    ...("reason" in key ? [{ of: "key" as const, ...key }] : []),
  ];
  if (!Array.isArray(read)) return { problems };
  const [leaf] = read;
  const { roots, mistakes } = judgeChain(read, [...rootCertificates, ...pemBlocks(privateRoots)]);
  const about = [...mistakes, ...judgeLeaf(leaf!, names, now), ...expiredIssuers(read.slice(1), now)];
  problems.push(...about.map((mistake) => ({ of: "certificate" as const, ...mistake })));
  if ("key" in key && !leaf!.checkPrivateKey(key.key)) {
    problems.push({
      of: "key",
      reason: `holds a key that does not belong to the certificate of ${nameOf(leaf!.subject)}`,
      remedy: "give the key with which that certificate was requested, or the certificate of this key",
    });
  }
  if (problems.length > 0 || !("key" in key)) return { problems };
  return {
    own: {
      chain: read.map((certificate) => certificate.toString()).join(""),
      key: key.key.export({ type: "pkcs8", format: "pem" }).toString(),
      validUntil: leaf!.validToDate,
      issuedBy: nameOf(leaf!.issuer),
      trustedByBrowsers: roots.some((root) => rootCertificates.includes(root)),
      covers: (name) => isFor(leaf!, name),
    },
  };
}

type Mistake = Omit<FileProblem, "of">;

function pemBlocks(pem: string): string[] {
  return pem.match(CERTIFICATE) ?? [];
}

function readCertificates(pem: string): X509Certificate[] | Mistake {
  const blocks = pemBlocks(pem);
  if (blocks.length === 0) {
    return {
      reason: "holds no certificate in PEM form",
      remedy:
        "give a file with -----BEGIN CERTIFICATE-----; openssl x509 -inform der -in FILE makes one of binary form",
    };
  }
  const certificates: X509Certificate[] = [];
  for (const [i, block] of blocks.entries()) {
    try {
      certificates.push(new X509Certificate(block));
    } catch {
      return {
        reason: `can't be read: certificate ${i + 1} of ${blocks.length} is damaged`,
        remedy: "copy the file again, whole",
      };
    }
  }
  return certificates;
}

function readKey(pem: string): { readonly key: KeyObject } | Mistake {
  const block = KEY.exec(pem)?.[0];
  if (block === undefined) {
    return {
      reason: "holds no private key in PEM form",
      remedy:
        "give a file with -----BEGIN PRIVATE KEY-----; openssl pkey -inform der -in FILE makes one of binary form",
    };
  }
  if (/ENCRYPTED/.test(block)) {
    return {
      reason: "is encrypted, and the servers could not open it",
      remedy: "openssl pkey -in FILE -out PLAIN-FILE, kept where only you can read it",
    };
  }
  try {
    return { key: createPrivateKey(block) };
  } catch {
    return { reason: "can't be read: the key is damaged", remedy: "copy the file again, whole" };
  }
}

function judgeLeaf(leaf: X509Certificate, names: readonly string[], now: Date): Mistake[] {
  const mistakes: Mistake[] = [];
  const uncovered = names.filter((name) => !isFor(leaf, name));
  if (uncovered.length > 0) {
    mistakes.push({
      reason: `is not for ${uncovered.join(" and ")}, but for ${leaf.subjectAltName ?? "no name at all"}`,
      remedy: "give a certificate with that name, or a wildcard for it, among its subject alternative names",
    });
  }
  const { validFromDate: begins, validToDate: ends } = leaf;
  const left = (ends.getTime() - now.getTime()) / DAY_MS;
  const least = MIN_DAYS * Math.min(1, (ends.getTime() - begins.getTime()) / DAY_MS / 90);
  if (begins > now) {
    mistakes.push({
      reason: `is not valid before ${day(begins)}`,
      remedy: "wait, or look at the clock here",
    });
  } else if (left < 0) {
    mistakes.push({ reason: `expired on ${day(ends)}`, remedy: NEW_ONE });
  } else if (left < least) {
    const days = `${Math.floor(left)} ${Math.floor(left) === 1 ? "day" : "days"}`;
    mistakes.push({ reason: `expires on ${day(ends)}, with ${days} left`, remedy: NEW_ONE });
  }
  const weak = weakness(leaf.publicKey);
  if (weak)
    mistakes.push({ reason: weak, remedy: `make a new key, of RSA 2048 or EC P-256, and ${NEW_ONE}` });
  if (leaf.keyUsage && !leaf.keyUsage.includes(SERVER_AUTH)) {
    mistakes.push({ reason: "is not for a server, by its extended key usage", remedy: NEW_ONE });
  }
  return mistakes;
}

function isFor(leaf: X509Certificate, name: string): boolean {
  return leaf.checkHost(name, { subject: "never" }) !== undefined;
}

function weakness(key: KeyObject): string | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "rsa") {
    return (modulusLength ?? 0) < 2048
      ? `has an RSA key of ${modulusLength} bits, which is too weak`
      : undefined;
  }
  const known = key.asymmetricKeyType === "ec" && /^(prime256v1|secp384r1)$/.test(namedCurve ?? "");
  return known
    ? undefined
    : `has a key of a kind that not all browsers take, ${namedCurve ?? key.asymmetricKeyType}`;
}

function issued(issuer: X509Certificate, subject: X509Certificate): boolean {
  return subject.checkIssued(issuer) && subject.verify(issuer.publicKey);
}

/** Finds the way from the leaf to a known root; `roots` are the PEM texts of those it leads to. */
function judgeChain(
  given: readonly X509Certificate[],
  known: readonly string[],
): { readonly roots: readonly string[]; readonly mistakes: readonly Mistake[] } {
  const first = given[0]!;
  const servers = given.filter((certificate) => !certificate.ca);
  if (first.ca && servers.length > 0) {
    return {
      roots: [],
      mistakes: [{ reason: "does not begin with the server's certificate", remedy: FULL_CHAIN }],
    };
  }
  const path = [first];
  for (;;) {
    const last = path.at(-1)!;
    const next = given.find((other) => !path.includes(other) && issued(other, last));
    if (!next || issued(last, last)) break;
    path.push(next);
  }
  const mistakes: Mistake[] = [];
  const strays = given.filter((certificate) => !path.includes(certificate));
  if (strays.length > 0) {
    const names = strays.map(({ subject }) => nameOf(subject)).join(", ");
    mistakes.push({
      reason: `has certificates that are not part of its chain: ${names}`,
      remedy: FULL_CHAIN,
    });
  } else if (path.some((certificate, i) => certificate !== given[i])) {
    mistakes.push({ reason: "has its chain in the wrong order", remedy: FULL_CHAIN });
  }
  const end = path.at(-1)!;
  const roots = known.filter((pem) => {
    const root = new X509Certificate(pem);
    return root.fingerprint256 === end.fingerprint256 || issued(root, end);
  });
  if (roots.length === 0) {
    mistakes.push(
      issued(end, end)
        ? {
            reason: `leads to a root that nobody knows, ${nameOf(end.subject)}`,
            remedy: `${setFromFile("acmeCa", "root.pem")}, with that root, if it is your own authority's`,
          }
        : {
            reason: `has no whole chain: the certificate of ${nameOf(end.issuer)} is missing`,
            remedy: `${FULL_CHAIN}. If it is the root of your own authority: ${setFromFile("acmeCa", "root.pem")}`,
          },
    );
  }
  return { roots, mistakes };
}

function expiredIssuers(issuers: readonly X509Certificate[], now: Date): Mistake[] {
  return issuers
    .filter(({ validToDate }) => validToDate < now)
    .map(({ subject, validToDate }) => ({
      reason: `has an expired certificate in its chain, ${nameOf(subject)} of ${day(validToDate)}`,
      remedy: "take the authority's present chain",
    }));
}

/** Name in a distinguished name of Node's form, a part a line. */
function nameOf(subject: string): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? (subject.replaceAll("\n", ", ") || "an unnamed authority");
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
