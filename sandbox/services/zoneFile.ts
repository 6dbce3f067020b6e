import ipaddr from "ipaddr.js";

import type { ZoneRecord } from "../runtime";
import { SERVICE_ZONE, SERVICES, serviceIpv6 } from "../network/addresses";

/** Name servers of every zone in the sandbox. */
export const NAME_SERVERS = [`ns1.${SERVICE_ZONE}.`, `ns2.${SERVICE_ZONE}.`] as const;

/** Name server of the root and of the top-level zones. */
export const ROOT_SERVER = `root.${SERVICE_ZONE}.`;

/** Seconds for which resolvers may remember that a name does not exist: new records appear at once. */
const NEGATIVE_TTL = 1;

/** Text of a zone; SOA and the apex's NS are the sandbox's own. */
export function renderZone(
  name: string,
  serial: number,
  records: readonly ZoneRecord[],
  nameServers: readonly string[] = NAME_SERVERS,
): string {
  const own: ZoneRecord[] = [
    {
      name: "@",
      type: "SOA",
      ttl: NEGATIVE_TTL,
      value: `${nameServers[0]} hostmaster.${SERVICE_ZONE}. ${serial} 3600 600 604800 ${NEGATIVE_TTL}`,
    },
    ...nameServers.map((value) => ({ name: "@", type: "NS", ttl: 60, value })),
  ];
  const others = records.filter(({ name: at, type }) => type !== "SOA" && !(type === "NS" && at === "@"));
  const origin = name === "." ? "." : `${name.replace(/\.$/, "")}.`;
  return `$ORIGIN ${origin}\n${[...own, ...others].map(renderRecord).join("\n")}\n`;
}

function renderRecord({ name, type, ttl, value }: ZoneRecord): string {
  return `${name || "@"} ${ttl} IN ${type} ${value}`;
}

/** Records of the zone that the sandbox keeps for itself. */
export function serviceRecords(): ZoneRecord[] {
  const host = (name: string, ipv4: string, withIpv6 = true): ZoneRecord[] => [
    { name, type: "A", ttl: 60, value: ipv4 },
    ...(withIpv6 ? [{ name, type: "AAAA", ttl: 60, value: serviceIpv6(ipv4) }] : []),
  ];
  return [
    ...host("api", SERVICES.api),
    ...host("aws", SERVICES.aws),
    ...host("mirror", SERVICES.mirror),
    // These listen on one address only.
    ...host("acme", SERVICES.acme, false),
    ...host("mail", SERVICES.mail, false),
    ...host("storage", SERVICES.storage, false),
    ...host("ns1", SERVICES.zoneDns),
    ...host("ns2", SERVICES.zoneDns),
    ...host("root", SERVICES.rootDns),
  ];
}

/** Delegation of a zone, as records of its parent with absolute names. */
export function delegation(zone: string): ZoneRecord[] {
  return NAME_SERVERS.map((value) => ({ name: `${zone.replace(/\.$/, "")}.`, type: "NS", ttl: 60, value }));
}

/** Addresses of the name servers, which the parents must know. */
export function glue(): ZoneRecord[] {
  const at = (name: string, address: string): ZoneRecord[] => [
    { name, type: "A", ttl: 60, value: address },
    { name, type: "AAAA", ttl: 60, value: serviceIpv6(address) },
  ];
  return [
    ...NAME_SERVERS.flatMap((name) => at(name, SERVICES.zoneDns)),
    ...at(ROOT_SERVER, SERVICES.rootDns),
  ];
}

/** Name under in-addr.arpa or ip6.arpa for an address, without a dot at its end. */
export function reverseName(address: string): string {
  const parsed = ipaddr.parse(address);
  if (parsed.kind() === "ipv4") return `${address.split(".").reverse().join(".")}.in-addr.arpa`;
  const digits = parsed.toByteArray().flatMap((byte) => [byte >> 4, byte & 15]);
  return `${digits
    .reverse()
    .map((digit) => digit.toString(16))
    .join(".")}.ip6.arpa`;
}
