import type { Addresses, InboundRule, ZoneRecord } from "../runtime";
import type { Firewall, PrimaryIp, State, Zone } from "./model";

/** Addresses of a server. */
export function addressesOf(state: State, server: number): Addresses {
  return {
    ipv4: primaryIpOf(state, server, "ipv4")?.ip,
    ipv6Network: primaryIpOf(state, server, "ipv6")?.ip,
  };
}

/** Primary IP of that type of a server. */
export function primaryIpOf(state: State, server: number, type: PrimaryIp["type"]): PrimaryIp | undefined {
  return Object.values(state.primaryIps).find((ip) => ip.assignee === server && ip.type === type);
}

/** Firewalls on a server. */
export function firewallsOf(state: State, server: number): Firewall[] {
  return Object.values(state.firewalls).filter(({ targets }) =>
    targets.some((target) => target.server === server),
  );
}

/**
 * Inbound rules of all firewalls on a server together; undefined without any firewall, which leaves everything open.
 */
export function inboundRulesOf(state: State, server: number): InboundRule[] | undefined {
  const firewalls = firewallsOf(state, server);
  if (firewalls.length === 0) return undefined;
  return firewalls.flatMap((firewall) =>
    firewall.rules
      .filter((rule) => rule.direction === "in")
      .map((rule) => ({
        protocol: rule.protocol,
        ...(rule.port === null ? {} : { ports: rule.port }),
        sources: rule.source_ips,
      })),
  );
}

/** Records of a zone without the SOA and the apex's NS, which the name server adds itself. */
export function zoneRecordsOf(zone: Zone): ZoneRecord[] {
  return Object.values(zone.recordSets)
    .filter((set) => set.type !== "SOA" && !(set.type === "NS" && set.name === "@"))
    .flatMap((set) =>
      set.records.map(({ value }) => ({ name: set.name, type: set.type, ttl: set.ttl ?? zone.ttl, value })),
    );
}
