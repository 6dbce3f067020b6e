import { defaultLocations, defaultServerTypes } from "../bigbluebutton/capacity";
import { nodeFqdn, nodeNumbers } from "../bigbluebutton/pool";
import { turnUbuntu } from "../bigbluebutton/releases";
import { environments } from "./environments";
import type { FieldValues } from "./fields";
import { qualifyHostname } from "./formats/names";
import { removeCommand, setCommand } from "./remedies";
import type { Problem } from "./problems";
import type { HostSettings, PoolSettings } from "./types";

type Values = Partial<FieldValues>;

/** Pool of the settings. @param bbb Server of the settings, whose name and certificate are the balancer's. */
export function poolFrom(values: FieldValues, bbb: HostSettings): PoolSettings | undefined {
  const { servers, cloud, environment, drainMinutes, maxUnavailable, balancerServerType } = values;
  if (servers === 0) return undefined;
  return {
    nodes: servers,
    drainMinutes,
    maxUnavailable,
    balancer: {
      fqdn: bbb.fqdn,
      cloud,
      location: values.location ?? defaultLocations[cloud],
      serverType: balancerServerType ?? defaultServerTypes[cloud][environments[environment].size].balancer,
      image: turnUbuntu.images[cloud],
      certificate: bbb.certificate,
    },
  };
}

/** Names of a pool's nodes; none for a single server. */
export function nodeFqdns({ servers = 0, hostname, domain }: Values): readonly string[] {
  if (hostname === undefined || domain === undefined) return [];
  const result = qualifyHostname(hostname, domain);
  return "fqdn" in result ? nodeNumbers(servers).map((number) => nodeFqdn(result.fqdn, number)) : [];
}

/** Conflicts of a pool with other settings, and of a single server with those of a pool. */
export function poolProblems(values: Values): Problem[] {
  if (values.servers === undefined) return [];
  return values.servers === 0
    ? singleProblems(values)
    : [...notInPools(values), ...nodeNameProblems(values), ...sizeProblems(values)];
}

function singleProblems({ balancerServerType }: Values): Problem[] {
  if (balancerServerType === undefined) return [];
  const reason = "is set, but servers is 0, and a single server has no balancer";
  return [
    {
      key: "balancerServerType",
      reason,
      remedy: `${removeCommand("balancerServerType")}, or ${setCommand("servers", "3")}`,
    },
  ];
}

/** Settings that pools do not have yet. */
function notInPools(values: Values): Problem[] {
  const { servers } = values;
  const given: readonly (readonly [key: keyof FieldValues, isSet: boolean])[] = [
    ["greenlight", values.greenlight !== undefined],
    ["dialIn", values.dialIn !== undefined],
    ["backup", values.backup !== undefined],
    ["backups", values.backups === true],
  ];
  return given
    .filter(([, isSet]) => isSet)
    .map(([key]) => ({
      key,
      reason: `is set, which a pool (servers: ${servers}) does not have yet`,
      remedy: `${removeCommand(key)}, or ${setCommand("servers", "0")} in a stack of its own`,
    }));
}

function nodeNameProblems(values: Values): Problem[] {
  const { turnHostname, turnStack, domain } = values;
  if (turnStack !== undefined || !turnHostname || !domain) return [];
  const turn = qualifyHostname(turnHostname, domain);
  if (!("fqdn" in turn) || !nodeFqdns(values).includes(turn.fqdn)) return [];
  const reason = `is ${turn.fqdn}, the name of one of the pool's servers`;
  return [{ key: "turnHostname", reason, remedy: setCommand("turnHostname", "turn") }];
}

function sizeProblems(values: Values): Problem[] {
  return [...aloneProblems(values), ...unavailableProblems(values)];
}

/** One server alone is out for each work on it. */
function unavailableProblems({ servers = 0, maxUnavailable = 1 }: Values): Problem[] {
  if (maxUnavailable === 1 || maxUnavailable < servers) return [];
  return [
    {
      key: "maxUnavailable",
      reason: `is ${maxUnavailable}, but servers is ${servers}: nothing would serve while all are worked on`,
      remedy:
        servers > 2 ? setCommand("maxUnavailable", String(servers - 1)) : removeCommand("maxUnavailable"),
    },
  ];
}

function aloneProblems({ servers, environment }: Values): Problem[] {
  if (servers !== 1 || !environment || !environments[environment].strict) return [];
  return [
    {
      key: "servers",
      reason: `is 1, which contradicts environment: ${environment}: while that one is replaced or fails, nothing serves`,
      remedy: setCommand("servers", "2"),
    },
  ];
}
