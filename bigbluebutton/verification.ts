import { wrapPage } from "./checkPage";
import type { MetricsRequest } from "./metrics";
import type { PortRule } from "./ports";
import type { Service } from "./services";

/** File as the deployment wrote it; its text holds a secret. */
interface DeployedFile {
  readonly path: string;
  readonly text: string;
}

interface CommonRequest {
  /** DNS zone of both names. */
  readonly zone: string;
  readonly bbbHost: string;
  readonly turnHost: string;
  /** Public addresses of the host that is asked; `ipv6` is that of its AAAA record, if it has one. */
  readonly ipv4: string;
  readonly ipv6?: string;
  /** True when browsers don't know the authority of the BigBlueButton server's certificate. */
  readonly untrustedCa: boolean;
  /** True when browsers don't know the authority of the TURN server's certificate. */
  readonly untrustedTurnCa: boolean;
  /** Hosts with a certificate of the operator's own, which the deployment does not renew. */
  readonly ownCertificates: readonly ("bbb" | "turn")[];
  readonly turnSecret: string;
  /** True when the server's name shows Greenlight. */
  readonly greenlight?: boolean;
  /** URL elsewhere to which the server's name leads, if it does. */
  readonly frontPageUrl?: string;
  /** Limits in days of a certificate, as certificateDays.ts has them. Missing from requests of earlier versions. */
  readonly certificateDays?: { readonly fail: number; readonly warn: number };
  /** UDP ports of BigBlueButton's media. Missing from requests of earlier versions. */
  readonly mediaPorts?: { readonly from: number; readonly to: number };
  /** True when the host tells of faults by itself, which scripts/check looks after. */
  readonly alerts?: boolean;
  /** Metrics that the host offers, if it does, which scripts/check looks after. */
  readonly metrics?: MetricsRequest;
  /** True when the host is backed up each night, which scripts/check looks after. */
  readonly backup?: boolean;
  /** Ports that a firewall on the asked host must allow, as the cloud's does. */
  readonly openPorts?: readonly Omit<PortRule, "role">[];
}

/** Checks of the BigBlueButton host: itself, its API by the public name, and the TURN server. */
export interface BbbRequest extends CommonRequest {
  readonly role: "bbb";
  /** Address of the interface, if it is not the public one. */
  readonly privateIpv4?: string;
  /** Name in the table of releases, e.g. "jammy-30". */
  readonly release: string;
  /** Version line, e.g. "3.0". */
  readonly version: string;
  /** Services to ask for an answer. Missing from requests of earlier versions. */
  readonly services?: readonly Service[];
  /** True when recordings are on a volume of their own. */
  readonly recordings: boolean;
  readonly sharedSecret: string;
  /** Greenlight's administrator, if the deployment makes one. */
  readonly greenlightAdmin?: { readonly email: string; readonly password: string };
  readonly turnXml: DeployedFile;
  /** Keys of BigBlueButton's files that the settings decide about, if they do: the JSON of ownedKeys.ts. */
  readonly ownedKeys?: string;
  /** Files of the setting branding, if there are any: the JSON of brandingSite.ts. */
  readonly branding?: string;
  /** Dial-in, if it is set: the JSON of dialIn.ts. */
  readonly dialIn?: string;
  /** Stack of the TURN server, if it is another one. */
  readonly turnStack?: string;
  /** True for a server of a pool. */
  readonly pool?: true;
  /** Address of the TURN server, if it is this stack's own. */
  readonly turnIpv4?: string;
}

/** Checks of the TURN host: itself, and BigBlueButton from outside. */
export interface TurnRequest extends CommonRequest {
  readonly role: "turn";
  readonly bbbIpv4: string;
  readonly turnServerConf: DeployedFile;
  /** Addresses that coturn relays to, by its database. Missing from requests of earlier versions. */
  readonly turnPeers?: readonly string[];
}

/** Checks of a TURN host that serves several BigBlueButton servers: itself, and none of these. */
export type SharedTurnRequest = Omit<TurnRequest, "bbbHost" | "bbbIpv4" | "mediaPorts">;

/** Checks of a pool's balancer: itself, the API by its public name, and whether its servers are in the pool. */
export interface BalancerRequest extends Omit<
  CommonRequest,
  "turnHost" | "turnSecret" | "untrustedTurnCa" | "mediaPorts" | "ipv6"
> {
  readonly role: "balancer";
  /** Address of the interface, if it is not the public one. */
  readonly privateIpv4?: string;
  /** Secret with which front ends sign. */
  readonly sharedSecret: string;
  /** Full names of the servers. */
  readonly nodes: readonly string[];
  /** True when the pool's recordings are on a volume of their own. Missing from requests of earlier versions. */
  readonly recordings?: boolean;
}

/** Request for a host's own check; see scripts/host/host_check.py. */
export type HostRequest = BbbRequest | TurnRequest;

/** Renders a request as the one line of JSON that a host reads on standard input. It holds secrets. */
export function renderHostRequest(request: HostRequest): string {
  return `${JSON.stringify(request)}\n`;
}

/** Access to a host for another check: its address, the account to log in to, its public host key, and the request. */
export interface HostCheck<Request extends HostRequest | BalancerRequest = HostRequest> {
  readonly host: string;
  readonly user: string;
  /** Public key in OpenSSH's form, without a comment. */
  readonly hostKey: string;
  readonly request: Request;
}

/** Output `check`: everything that `scripts/check` needs except the key to log in with. Secret. */
export interface CheckOutput {
  readonly bbb: HostCheck<BbbRequest>;
  /** Access to the TURN host; undefined if it is another stack's. */
  readonly turn?: HostCheck<TurnRequest>;
}

/** Output `check` of a pool. Secret. */
export interface PoolCheckOutput {
  readonly balancer: HostCheck<BalancerRequest>;
  /** Access to the TURN host; undefined if it is another stack's. */
  readonly turn?: HostCheck<TurnRequest>;
  /** Servers by their names in the deployment, e.g. "bbb-2". */
  readonly nodes: Readonly<Record<string, HostCheck<BbbRequest>>>;
}

/** Facts about a certificate. */
export interface CertificateOutput {
  /** End of validity, ISO 8601, UTC. */
  readonly validUntil: string;
  /** Name of the authority. */
  readonly issuedBy: string;
}

/**
 * Certificate of a host in the output of its verification (check_certificate in scripts/host/api_check.py); undefined
 * if it is not there.
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

/**
 * Page of a verification, from its step's output: a line for each check, and its duration.
 *
 * @param width Columns to wrap it in; without one, each line is as long as it is.
 */
export function verificationPage(printed: string, width?: number): string {
  const lines = printed.trimEnd().split("\n").map(withoutLabel);
  const page = lines.filter((line) => !line.endsWith(": started")).join("\n");
  return width === undefined ? page : wrapPage(page, width);
}

/** Removes the step's role and number at the end of a line: " [bbb 7/7]". */
function withoutLabel(line: string): string {
  return line.replace(/ \[\w+(?: \d+\/\d+)?\]$/, "");
}
