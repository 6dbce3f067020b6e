import type { InboundRule } from "../runtime";
import type { Group, Interface, Permission } from "./view";

/** Protocols that a security group's "-1" stands for here. */
const ALL_PROTOCOLS = ["tcp", "udp", "icmp", "esp", "gre"] as const;

const NUMBERED: Readonly<Record<string, InboundRule["protocol"]>> = {
  "1": "icmp",
  "6": "tcp",
  "17": "udp",
  "47": "gre",
  "50": "esp",
  "58": "icmp",
  icmpv6: "icmp",
};

/** Inbound rules of all security groups of an interface together. */
export function inboundRules(
  subject: Interface,
  groups: readonly Group[],
  interfaces: readonly Interface[],
): InboundRule[] {
  const mine = groups.filter(({ id }) => subject.groups.some((group) => group.id === id));
  return mine.flatMap(({ inbound }) => inbound.flatMap((permission) => toRules(permission, interfaces)));
}

function toRules(permission: Permission, interfaces: readonly Interface[]): InboundRule[] {
  const members = interfaces.filter(({ groups }) => groups.some(({ id }) => permission.groups.includes(id)));
  const sources = [
    ...permission.cidrs,
    ...members.flatMap(({ privateIpv4, ipv6 }) => [
      `${privateIpv4}/32`,
      ...ipv6.map((address) => `${address}/128`),
    ]),
  ];
  if (sources.length === 0) return [];
  if (permission.protocol === "-1") return ALL_PROTOCOLS.map((protocol) => ({ protocol, sources }));
  const protocol = NUMBERED[permission.protocol] ?? (permission.protocol as InboundRule["protocol"]);
  if (protocol !== "tcp" && protocol !== "udp") return [{ protocol, sources }];
  const { from, to } = permission;
  return [{ protocol, ports: from === to ? from : `${from}-${to}`, sources }];
}
