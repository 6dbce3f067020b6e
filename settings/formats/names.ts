import { domainToASCII } from "node:url";
import { parse as parseDomain } from "tldts";

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Domains that no public certificate authority issues for (RFC 2606, RFC 6762, RFC 7686, RFC 8375, RFC 9476). */
const specialUse = [
  "test",
  "example",
  "invalid",
  "localhost",
  "local",
  "internal",
  "alt",
  "onion",
  "home.arpa",
];

/** Name in lower case, without the dot at the end. */
export function normalizeName(name: string): string {
  return name.trim().toLowerCase().replace(/\.$/, "");
}

/** Problem of a DNS name, fully qualified or a single label; undefined for a good one. */
export function dnsNameProblem(name: string): string | undefined {
  if (/[^\x20-\x7e]/.test(name)) {
    const ascii = domainToASCII(name);
    return ascii ? `must be in its ASCII form, ${ascii}` : "is not a DNS name";
  }
  if (/^[a-z]+:\/\//.test(name)) return "is a URL, not a DNS name";
  if (parseDomain(name).isIp) return "is an IP address, not a DNS name";
  if (name.length > 253) return "is longer than the 253 characters of a DNS name";
  const bad = name.split(".").find((label) => !LABEL.test(label));
  return bad === undefined
    ? undefined
    : `is not a DNS name: "${bad}" must be 1 to 63 letters, digits and inner hyphens`;
}

/**
 * DNS name that somebody meant who wrote a URL, an address of a mailbox or a name that is not in ASCII; undefined for
 * none.
 */
export function meantName(text: string): string | undefined {
  const name = text
    .trim()
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/^[^/@]*@/, "")
    .replace(/[/:?#].*$/, "");
  const ascii = normalizeName((domainToASCII(name) || name).replace(/[\s_]+/g, "-"));
  return ascii !== "" && dnsNameProblem(ascii) === undefined ? ascii : undefined;
}

/** Problem of a zone's name that is a valid DNS name; undefined for a good one. */
export function zoneProblem(zone: string): string | undefined {
  if (!zone.includes(".")) return "is not a zone of your own, as it has one label only";
  return parseDomain(zone).publicSuffix === zone ? "is a public suffix, not a zone of your own" : undefined;
}

/** True for a name that no public certificate authority can issue for. */
export function isSpecialUse(name: string): boolean {
  return specialUse.some((domain) => name === domain || name.endsWith(`.${domain}`));
}

/**
 * Longest full name, so that names made from the host's fit: a certificate's common name and a Hetzner volume's name
 * may have 64 characters (RFC 5280; https://docs.hetzner.cloud), the volume's ends in "-recordings".
 */
const MAX_FQDN = 53;

/** Full name of a host given as a label or in full, or the reason why it cannot be one in this zone. */
export function qualifyHostname(
  hostname: string,
  zone: string,
): { readonly fqdn: string } | { readonly reason: string; readonly suggestion?: string } {
  const name = normalizeName(hostname);
  const problem = dnsNameProblem(name);
  if (problem) {
    const meant = meantName(name);
    return { reason: problem, suggestion: meant && inZone(meant, zone) };
  }
  if (name === zone) return { reason: `is the zone itself, where a name in it is needed` };
  const fqdn = name.includes(".") ? name : `${name}.${zone}`;
  if (!fqdn.endsWith(`.${zone}`)) {
    return { reason: `is outside the zone ${zone}`, suggestion: inZone(name, zone) };
  }
  if (fqdn.length > MAX_FQDN) {
    return { reason: `makes a name of ${fqdn.length} characters, ${fqdn}; ${MAX_FQDN} are the most` };
  }
  return { fqdn };
}

/** Name in a zone: unchanged if it is in there, else its first label. */
function inZone(name: string, zone: string): string | undefined {
  if (name === zone) return undefined;
  return name.endsWith(`.${zone}`) ? name : name.split(".")[0];
}
