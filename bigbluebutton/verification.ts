import type { PortRule } from "./ports";
import type { Service } from "./services";

/** A file as the deployment wrote it; its text holds a secret. */
interface DeployedFile {
  readonly path: string;
  readonly text: string;
}

interface CommonRequest {
  /** The DNS zone of both names. */
  readonly zone: string;
  readonly bbbHost: string;
  readonly turnHost: string;
  /** Public addresses of the host that is asked; its records' `ipv6` where it has an AAAA record. */
  readonly ipv4: string;
  readonly ipv6?: string;
  /** Browsers don't know the authority of the BigBlueButton server's certificate. */
  readonly untrustedCa: boolean;
  /** The same of the TURN server's. */
  readonly untrustedTurnCa: boolean;
  /** The hosts whose certificate is the operator's own, which nobody renews. */
  readonly ownCertificates: readonly ("bbb" | "turn")[];
  readonly turnSecret: string;
  /** Greenlight is what people find at the server's name. */
  readonly greenlight?: boolean;
  /** What a firewall on the host that is asked must let in, as the cloud's does. */
  readonly openPorts?: readonly Omit<PortRule, "role">[];
}

/** What the BigBlueButton host is to check: itself, its API by the public name, and the TURN server. */
export interface BbbRequest extends CommonRequest {
  readonly role: "bbb";
  /** The address on the interface, where the public one is not. */
  readonly privateIpv4?: string;
  /** Of the table of releases, e.g. "jammy-30". */
  readonly release: string;
  /** e.g. "3.0" */
  readonly version: string;
  /** What is asked whether it hangs. Missing from requests that earlier versions made. */
  readonly services?: readonly Service[];
  /** Whether recordings are on a volume of their own. */
  readonly recordings: boolean;
  readonly sharedSecret: string;
  readonly turnXml: DeployedFile;
  /** The stack that the TURN server belongs to, where that is another one. */
  readonly turnStack?: string;
  /** The TURN server's address, where it is this stack's own. */
  readonly turnIpv4?: string;
}

/** What the TURN host is to check: itself, and BigBlueButton from outside. */
export interface TurnRequest extends CommonRequest {
  readonly role: "turn";
  readonly bbbIpv4: string;
  readonly turnServerConf: DeployedFile;
}

/** What a host's own check is asked for; see scripts/host/host_check.py. */
export type HostRequest = BbbRequest | TurnRequest;

/** A request in the one line of JSON that a host reads on standard input. It holds secrets. */
export function renderHostRequest(request: HostRequest): string {
  return `${JSON.stringify(request)}\n`;
}

/** How to ask a host again: its address, the account to log in to, its public host key, and what to ask. */
export interface HostAccess<Request extends HostRequest = HostRequest> {
  readonly host: string;
  readonly user: string;
  /** In OpenSSH's form, without a comment. */
  readonly hostKey: string;
  readonly request: Request;
}

/** The output `check`, which holds all that `scripts/check` needs but for the key to log in with. Secret. */
export interface CheckOutput {
  readonly bbb: HostAccess<BbbRequest>;
  /** Missing where the TURN server is another stack's. */
  readonly turn?: HostAccess<TurnRequest>;
}

/** What is known of a certificate. */
export interface CertificateOutput {
  /** ISO 8601, UTC. */
  readonly validUntil: string;
  readonly issuedBy: string;
}

/**
 * The certificate of a host as its verification saw it, out of what that printed (check_certificate in
 * scripts/host/api_check.py); undefined where it did not.
 */
export function certificateSeen(printed: string, fqdn: string): CertificateOutput | undefined {
  const lines = printed.split("\n").filter((line) => line.includes(` ${fqdn}:443 `));
  const [, validUntil, issuedBy] =
    lines
      .map((line) =>
        /, valid until (\S+Z), -?\d+ days, by (.*?)(?:; not trusted by browsers.*)?$/.exec(
          withoutLabel(line),
        ),
      )
      .find((found) => found !== null) ?? [];
  return validUntil !== undefined && issuedBy !== undefined ? { validUntil, issuedBy } : undefined;
}

/** The page of a verification out of what its step printed: a line for each check, and how long it took. */
export function verificationPage(printed: string): string {
  const lines = printed.trimEnd().split("\n").map(withoutLabel);
  return lines.filter((line) => !line.endsWith(": started")).join("\n");
}

/** A step ends its lines with its number: " [bbb 7/7]". */
function withoutLabel(line: string): string {
  return line.replace(/ \[\w+ \d+\/\d+\]$/, "");
}
