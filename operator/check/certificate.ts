import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";

import { CERTIFICATE_DAYS } from "../../bigbluebutton/certificateDays";
import { Doubtful, reasonOf, Wrong } from "./finding";

const DAY_MS = 86_400_000;

/** OpenSSL's codes for a chain with an unknown root. */
const UNKNOWN_ROOT = new Set([
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
]);

/** Checks the certificate that a server shows: its chain, its name and its remaining time. */
export async function checkCertificate(
  host: string,
  port: number,
  untrustedCa: boolean,
  own: boolean,
): Promise<string> {
  const socket = await open(host, port);
  try {
    const problem = socket.authorized ? undefined : String(socket.authorizationError);
    return judgeCertificate(host, socket.getPeerCertificate(), problem, { untrustedCa, own }, new Date());
  } finally {
    socket.destroy();
  }
}

function open(host: string, port: number): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, servername: host, rejectUnauthorized: false, timeout: 15_000 });
    const remedy = `on ${host}: ss -ltnp shows whether somebody listens on ${port}, systemctl restart helps one that hangs (nginx or coturn); its firewalls must let ${port}/tcp in`;
    const fail = (text: string) => {
      socket.destroy();
      reject(new Wrong(text, remedy));
    };
    socket.once("secureConnect", () => resolve(socket));
    socket.once("timeout", () => fail("no answer"));
    socket.once("error", (error: Error) => fail(reasonOf(error)));
  });
}

/**
 * @param problem OpenSSL's code for the fault of the chain.
 * @param given untrustedCa: this machine need not know the authority; own: the operator renews the certificate.
 */
export function judgeCertificate(
  host: string,
  certificate: PeerCertificate,
  problem: string | undefined,
  { untrustedCa, own }: { readonly untrustedCa: boolean; readonly own: boolean },
  now: Date,
): string {
  const remedy = own
    ? "put a new certificate into the file of the setting certificateFile, or turnCertificateFile, then run pulumi up"
    : `on ${host}: certbot certificates, systemctl status certbot, /var/log/letsencrypt/letsencrypt.log`;
  const text = validity(certificate, now, remedy);
  const identity = checkServerIdentity(host, certificate);
  if (identity) throw new Wrong(identity.message, remedy);
  if (problem === undefined) return text;
  if (UNKNOWN_ROOT.has(problem) && untrustedCa) return `${text}; not trusted by browsers (acmeServer)`;
  throw new Wrong(`no valid chain: ${problem}`, remedy);
}

/**
 * Judges the remaining time. Certificates shorter than Let's Encrypt's 90 days are renewed later: the limits shrink
 * with the lifetime.
 */
function validity(certificate: PeerCertificate, now: Date, remedy: string): string {
  const [begins, ends] = [Date.parse(certificate.valid_from), Date.parse(certificate.valid_to)];
  const left = (ends - now.getTime()) / DAY_MS;
  const scale = Math.min(1, (ends - begins) / DAY_MS / 90);
  const text = `valid until ${new Date(ends).toISOString().slice(0, 10)}, ${left.toFixed(0)} days`;
  if (left < 0) throw new Wrong(`expired: ${text}`, remedy);
  if (left < CERTIFICATE_DAYS.fail * scale) throw new Wrong(text, remedy);
  if (left < CERTIFICATE_DAYS.warn * scale) throw new Doubtful(text, remedy);
  return text;
}
