import { type FieldValues } from "./fields";
import { removeCommand, setCommand } from "./remedies";
import { readCertificateBundle, type CertificateBundle } from "./formats/chain";
import { qualifyHostname } from "./formats/names";
import { nodeFqdns } from "./pool";
import type { Problem } from "./problems";

/** Certificates of the operator's own, by host; the other hosts' are from the certificate authority. */
export type CertificateBundles = { readonly [role in "bbb" | "turn"]?: CertificateBundle };

/** Reads a file as text, or throws as node:fs does. */
export type ReadFile = (path: string) => string;

const pairs = {
  bbb: ["certificateFile", "certificateKeyFile"],
  turn: ["turnCertificateFile", "turnCertificateKeyFile"],
} as const;

/**
 * Result of the four settings for the operator's own certificates. BigBlueButton's is also TURN's if it is for its name
 * and none is set for TURN alone.
 */
export function readOwnCertificates(
  values: Partial<FieldValues>,
  readFile: ReadFile,
  now: Date,
): { readonly own: CertificateBundles; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const chains: { bbb?: CertificateBundle; turn?: CertificateBundle } = {};
  for (const role of ["bbb", "turn"] as const) {
    const [certificateKey, keyKey] = pairs[role];
    const paths = { certificate: values[certificateKey], key: values[keyKey] };
    if (paths.certificate === undefined && paths.key === undefined) continue;
    const texts = {
      certificate: readText(certificateKey, paths.certificate, keyKey),
      key: readText(keyKey, paths.key, certificateKey),
    };
    const unread = Object.values(texts).filter((text) => typeof text !== "string");
    problems.push(...unread);
    if (unread.length > 0) continue;
    const name = fqdn(values, role);
    const nodes = role === "bbb" ? nodeFqdns(values) : [];
    const read = readCertificateBundle({
      certificate: texts.certificate as string,
      key: texts.key as string,
      names: name === undefined ? [] : [name, ...nodes],
      privateRoots: values.acmeCa ?? "",
      now,
    });
    if ("own" in read) chains[role] = read.own;
    else {
      problems.push(
        ...read.problems.map(({ of, reason, remedy }) => {
          const [key, path] = of === "key" ? [keyKey, paths.key] : [certificateKey, paths.certificate];
          return { key, reason: `names ${path}, which ${reason}`, remedy };
        }),
      );
    }
  }
  const turnName = fqdn(values, "turn");
  const { bbb, turn } = chains;
  if (bbb && values.turnCertificateFile === undefined && turnName !== undefined && bbb.covers(turnName)) {
    return { own: { bbb, turn: bbb }, problems };
  }
  return { own: { bbb, turn }, problems };

  function readText(key: keyof FieldValues, path: string | undefined, other: string): string | Problem {
    if (path === undefined) {
      const remedy = `${setCommand(key, "PATH")}, or ${removeCommand(other)}`;
      return { key, reason: `is not set, though ${other} is: the two go together`, remedy };
    }
    try {
      return readFile(path);
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      const why = { ENOENT: "is not there", EACCES: "may not be read by you", EISDIR: "is a folder" }[code];
      const remedy = `${setCommand(key, "PATH")}, of a file on the machine that deploys`;
      return { key, reason: `names ${path}, which ${why ?? `can't be read: ${code}`}`, remedy };
    }
  }
}

function fqdn({ domain, hostname, turnHostname }: Partial<FieldValues>, role: "bbb" | "turn") {
  const host = role === "bbb" ? hostname : turnHostname;
  if (domain === undefined || host === undefined) return undefined;
  const result = qualifyHostname(host, domain);
  return "fqdn" in result ? result.fqdn : undefined;
}
