import { balancerPorts, TURN_PORT, TURNS_PORT } from "../../bigbluebutton/ports";
import type { StackResource, Stacks } from "../stacks";
import { checkApi, checkFrontPage, checkSignedCall } from "./api";
import { checkCertificate } from "./certificate";
import { judgeClocks } from "./clocks";
import { sshNetworks } from "./cloudState";
import type { DeployedPool } from "./deployed";
import { ask, type Finding } from "./finding";
import { askHost } from "./hosts";
import { askedOf, checkName } from "./names";
import { judgePolls, judgeReleases, poolRows, type PoolRow } from "./poolTable";
import { checkPorts, knownPorts, portsOfOther, tcpPorts, type PortsOfOther } from "./ports";
import type { Section } from "./report";
import { checkSettings } from "./settings";
import { checkStunOverTls, checkStunOverUdp } from "./stun";

/** Results of a pool's check. */
export interface PoolCheck {
  readonly rows: readonly PoolRow[];
  /** The section asked from here, the pool's own, then one for each host. */
  readonly sections: readonly Section[];
}

/** Checks a pool from this machine, and on all of its hosts. Changes nothing, except that it can make a meeting. */
export async function checkPool(
  deployed: DeployedPool,
  stacks: Stacks,
  options: {
    readonly stack: string;
    readonly meeting: boolean;
    readonly resources: readonly StackResource[];
  },
): Promise<PoolCheck> {
  const { hosts, privateKey } = deployed;
  const { balancer, turn } = hosts;
  const nodes = Object.entries(hosts.nodes);
  const ports = portsOfNext(deployed, options.resources);
  const { meeting } = options;
  const figures = { balancer: balancer.request.ipv4 };
  const [balancerHost, turnHost, nodeHosts, certificates, outside] = await Promise.all([
    askHost(balancer, privateKey, { meeting, ports: ports.balancer, figures }),
    turn && askHost(turn, privateKey, { meeting, ports: ports.turn }),
    Promise.all(
      nodes.map(([name, node]) => askHost(node, privateKey, { meeting, ports: ports[name], figures })),
    ),
    Promise.all(nodes.map(([, { request }]) => askCertificate(request))),
    askFromHere(deployed, stacks, options.stack),
  ]);
  const rows = poolRows(
    Object.fromEntries(
      nodes.map(([, { request }], i) => [
        request.bbbHost,
        { host: nodeHosts[i]!, certificate: certificates[i]! },
      ]),
    ),
    balancerHost.servers,
  );
  const clocks = {
    balancer: balancerHost.clock,
    ...(turnHost && { turn: turnHost.clock }),
    ...Object.fromEntries(nodes.map(([name], i) => [name, nodeHosts[i]!.clock])),
  };
  const sections: Section[] = [
    {
      place: "from here",
      findings: [
        ...outside,
        ...certificates,
        await ask("clocks", "the hosts' against this one", () => judgeClocks(clocks)),
      ],
    },
    {
      place: "all servers",
      findings: [
        await ask("releases", "of all servers", () => judgeReleases(rows)),
        await ask("polls", "each server, by its own log", () => judgePolls(rows)),
      ],
    },
    { place: `${balancer.request.bbbHost} (balancer)`, findings: balancerHost.findings },
    ...(turn && turnHost ? [{ place: `${turn.request.turnHost} (TURN)`, findings: turnHost.findings }] : []),
    ...nodes.map(([, { request }], i) => ({
      place: `${request.bbbHost} (BigBlueButton)`,
      findings: nodeHosts[i]!.findings,
    })),
  ];
  return { rows, sections };
}

function askCertificate(request: {
  readonly bbbHost: string;
  readonly untrustedCa: boolean;
  readonly ownCertificates: readonly string[];
}): Promise<Finding> {
  const { bbbHost, untrustedCa, ownCertificates } = request;
  return ask("certificate", `${bbbHost}:443`, () =>
    checkCertificate(bbbHost, 443, untrustedCa, ownCertificates.includes("bbb")),
  );
}

/** Asks from here about each host, all but the certificates of the servers, which the table has, too. */
function askFromHere({ hosts }: DeployedPool, stacks: Stacks, stack: string): Promise<Finding[]> {
  const { balancer, turn } = hosts;
  const nodes = Object.values(hosts.nodes).map(({ request }) => request);
  const [first] = nodes;
  const { bbbHost: fqdn, zone, ipv4, untrustedCa, sharedSecret } = balancer.request;
  const { release, turnHost, turnStack, untrustedTurnCa } = first!;
  const api = { hostname: fqdn, untrustedCa };
  const names = [
    { fqdn, zone, ipv4 },
    ...(turn ? [{ fqdn: turnHost, zone, ipv4: turn.request.ipv4, ipv6: turn.request.ipv6 }] : []),
    ...nodes.map(({ bbbHost, ipv4 }) => ({ fqdn: bbbHost, zone, ipv4 })),
  ];
  const deployed = { release, hostname: fqdn, turnHost, turnStack, servers: nodes.length };
  const ownTurn = turn?.request.ownCertificates.includes("turn") ?? false;
  return Promise.all([
    ask("front page", `GET ${fqdn}/`, () => checkFrontPage({ ...api, greenlight: false })),
    ask("settings", "release, names, servers", async () =>
      checkSettings(await stacks.settings(stack), { project: stacks.project, stack }, deployed),
    ),
    ...names.map((name) => ask("name", askedOf(name), () => checkName(name))),
    ...portChecks({ hosts }),
    askCertificate(balancer.request),
    ask("certificate", `${turnHost}:${TURNS_PORT}`, () =>
      checkCertificate(turnHost, TURNS_PORT, untrustedTurnCa, ownTurn),
    ),
    ask("API", `GET ${fqdn}/bigbluebutton/api`, () => checkApi(api)),
    ask("signed call", "getMeetings", () => checkSignedCall(api, sharedSecret)),
    ...nodes.map(({ bbbHost, untrustedCa }) =>
      ask("API", `GET ${bbbHost}/bigbluebutton/api`, () => checkApi({ hostname: bbbHost, untrustedCa })),
    ),
    ask("STUN over UDP", `${turnHost}:${TURN_PORT}`, () => checkStunOverUdp(turnHost, TURN_PORT)),
    ask("STUN over TLS", `${turnHost}:${TURNS_PORT}`, () => checkStunOverTls(turnHost, TURNS_PORT)),
  ]);
}

interface PortHost {
  /** Name in the deployment. */
  readonly name: string;
  readonly role: "balancer" | "turn" | "bbb";
  readonly fqdn: string;
  readonly host: string;
  readonly ipv4: string;
}

function portHosts({ hosts: { balancer, turn, nodes } }: Pick<DeployedPool, "hosts">): readonly PortHost[] {
  return [
    {
      ...{ name: "balancer", role: "balancer" as const, fqdn: balancer.request.bbbHost },
      ...{ host: balancer.host, ipv4: balancer.request.ipv4 },
    },
    ...(turn
      ? [
          {
            ...{ name: "turn", role: "turn" as const, fqdn: turn.request.turnHost },
            ...{ host: turn.host, ipv4: turn.request.ipv4 },
          },
        ]
      : []),
    ...Object.entries(nodes).map(([name, { host, request }]) => ({
      ...{ name, role: "bbb" as const, fqdn: request.bbbHost },
      ...{ host, ipv4: request.ipv4 },
    })),
  ];
}

function rulesOf({ hosts: { nodes } }: Pick<DeployedPool, "hosts">) {
  const ports = knownPorts(Object.values(nodes)[0]!.request.release);
  return ports && { ...ports, balancer: balancerPorts };
}

function portChecks(deployed: Pick<DeployedPool, "hosts">): Promise<Finding>[] {
  const rules = rulesOf(deployed);
  if (!rules) return [];
  return portHosts(deployed).map(({ name, role, host }) =>
    ask("ports", `${name}: ${tcpPorts(rules[role]).join(", ")}, others`, () =>
      checkPorts(role, host, rules[role]),
    ),
  );
}

/** Ports that each host tries at the next one, by the asking host's name: the firewall gives its address no privilege. */
function portsOfNext(
  deployed: DeployedPool,
  resources: readonly StackResource[],
): Readonly<Record<string, PortsOfOther | undefined>> {
  const rules = rulesOf(deployed);
  if (!rules) return {};
  const networks = sshNetworks(resources);
  const all = portHosts(deployed);
  return Object.fromEntries(
    all.map(({ name, ipv4 }, i) => {
      const { role, fqdn } = all[(i + 1) % all.length]!;
      const next = { role, host: fqdn, rules: rules[role], from: ipv4, sshNetworks: networks };
      return [name, portsOfOther(next)] as const;
    }),
  );
}
