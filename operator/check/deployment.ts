import { TURN_PORT, TURNS_PORT } from "../../bigbluebutton/ports";
import type { PairRole } from "../../clouds/host";
import type { CheckOutput } from "../../bigbluebutton/verification";
import { Mistake } from "../../cli/mistake";
import { deploymentsOf, poolOf } from "../deployments";
import type { StackResource, Stacks } from "../stacks";
import { checkApi, checkFrontPage, checkSignedCall } from "./api";
import { checkCertificate } from "./certificate";
import { judgeClocks } from "./clocks";
import { checkClouds, CLOUD_NAMES, type ListObjects } from "./cloud";
import { sshNetworks } from "./cloudState";
import type { Deployed } from "./deployed";
import { ask, type Finding } from "./finding";
import { askHost, type HostAnswer } from "./hosts";
import { askedOf, checkName } from "./names";
import { parkedFinding, parkedServer, type OpenServers } from "./parked";
import { keptSnapshots, type KeptFinding } from "./kept";
import { checkPool } from "./pool";
import { checkPorts, knownPorts, portsOfOther, tcpPorts, type PortsOfOther } from "./ports";
import type { Report, Section } from "./report";
import { checkSettings, deployedOf } from "./settings";
import { checkStunOverTls, checkStunOverUdp } from "./stun";

export interface CheckOptions {
  readonly stack: string;
  /** One of the components of the stack's program. @default all that there are */
  readonly deployment?: string;
  /** Also makes, joins and ends a meeting. */
  readonly meeting: boolean;
  /** Opens the servers' clouds, where a parked server is. @default none is looked for */
  readonly servers?: OpenServers;
}

/**
 * Checks a running deployment: from this machine, at the clouds, and on both hosts. Changes nothing, except that it can
 * make a meeting.
 *
 * @throws Mistake for a stack without anything to ask
 */
export async function check(stacks: Stacks, list: ListObjects, options: CheckOptions): Promise<Report> {
  const { stack, deployment, meeting, servers } = options;
  const began = performance.now();
  const checkedAt = new Date();
  const pool = await poolOf(stacks, stack);
  if (pool) {
    if (deployment !== undefined) throw new Mistake(`stack ${stack} is a pool, which is checked as a whole`);
    const resources = await stacks.resources(stack);
    const [clouds, { rows, sections }] = await Promise.all([
      checkClouds({ project: stacks.project, stack, resources }, list),
      checkPool(pool, stacks, { stack, meeting, resources }),
    ]);
    const [outside, ...others] = sections;
    return {
      ...{ stack, checkedAt, pool: rows },
      sections: [outside!, ...clouds, ...others],
      seconds: Math.round(performance.now() - began) / 1000,
    };
  }
  const asked = await deploymentsOf(stacks, stack, deployment);
  const resources = await stacks.resources(stack);
  const parked = servers && (await parkedServer({ stacks, stack }, resources, servers));
  if (parked !== undefined) {
    const clouds = await checkClouds({ project: stacks.project, stack, resources }, list);
    // A server that is stopped is nothing wrong here.
    const others = clouds.map(({ place, findings }) => ({
      place,
      findings: findings.filter(({ name }) => name !== "servers"),
    }));
    return {
      ...{ stack, checkedAt, parked: true },
      sections: [{ place: "from here", findings: [parkedFinding(stack, parked)] }, ...others],
      seconds: Math.round(performance.now() - began) / 1000,
    };
  }
  const kept = servers && (await keptSnapshots({ stacks, stack }, servers, checkedAt));
  const [clouds, ...deployments] = await Promise.all([
    checkClouds({ project: stacks.project, stack, resources }, list),
    ...asked.map((one) => checkDeployment(one, stacks, { stack, meeting, resources })),
  ]);
  const outside = deployments.map(([first]) => first);
  return {
    stack,
    checkedAt,
    sections: [...outside, ...withKept(clouds, kept), ...deployments.flatMap(([, ...hosts]) => hosts)],
    seconds: Math.round(performance.now() - began) / 1000,
  };
}

/** Sections of the clouds, with what is said of the server's snapshots in its cloud's. */
function withKept(clouds: readonly Section[], kept: KeptFinding | undefined): readonly Section[] {
  if (kept === undefined) return clouds;
  const { cloud, finding } = kept;
  return clouds.map(({ place, findings }) => ({
    place,
    findings: place === CLOUD_NAMES[cloud] ? [...findings, finding] : findings,
  }));
}

/** The section asked from here, then one for each host. */
async function checkDeployment(
  deployed: Deployed,
  stacks: Stacks,
  { stack, meeting, resources }: CheckOptions & { readonly resources: readonly StackResource[] },
): Promise<readonly [Section, ...Section[]]> {
  const { name, hosts, privateKey } = deployed;
  const { bbb, turn } = hosts;
  const ports = portsOfBoth(hosts, resources);
  const [bbbHost, turnHost, outside] = await Promise.all([
    askHost(bbb, privateKey, { meeting, ports: ports?.turn }),
    turn && askHost(turn, privateKey, { meeting, ports: ports?.bbb }),
    askFromHere(deployed, stacks, stack),
  ]);
  return [
    {
      place: name === undefined ? "from here" : `${name}, from here`,
      findings: [...outside, await askClocks(bbbHost, turnHost)],
    },
    { place: `${bbb.request.bbbHost} (BigBlueButton)`, findings: bbbHost.findings },
    ...(turnHost ? [{ place: `${bbb.request.turnHost} (TURN)`, findings: turnHost.findings }] : []),
  ];
}

async function askFromHere(
  { name: component, hosts }: Deployed,
  stacks: Stacks,
  stack: string,
): Promise<Finding[]> {
  const { bbbHost, turnHost, zone, untrustedCa, untrustedTurnCa, sharedSecret, greenlight, frontPageUrl } =
    hosts.bbb.request;
  const own = (role: PairRole) => hosts.bbb.request.ownCertificates.includes(role);
  const { ipv4 } = hosts.bbb.request;
  const api = { hostname: bbbHost, untrustedCa };
  const names = [
    { fqdn: bbbHost, zone, ipv4 },
    // Another stack's TURN server has its name from there, in whichever zone.
    ...(hosts.turn
      ? [{ fqdn: turnHost, zone, ipv4: hosts.turn.request.ipv4, ipv6: hosts.turn.request.ipv6 }]
      : []),
  ];
  return Promise.all([
    // What people open comes first.
    ask("front page", `GET ${bbbHost}/`, () =>
      checkFrontPage({ ...api, greenlight: greenlight ?? false, leadsTo: frontPageUrl }),
    ),
    // A component's are in its program.
    ...(component === undefined
      ? [
          ask("settings", "release, names", async () =>
            checkSettings(
              await stacks.settings(stack),
              { project: stacks.project, stack },
              deployedOf(hosts.bbb.request),
            ),
          ),
        ]
      : []),
    ...names.map((name) => ask("name", askedOf(name), () => checkName(name))),
    ...portChecks(hosts),
    ask("certificate", `${bbbHost}:443`, () => checkCertificate(bbbHost, 443, untrustedCa, own("bbb"))),
    ask("certificate", `${turnHost}:${TURNS_PORT}`, () =>
      checkCertificate(turnHost, TURNS_PORT, untrustedTurnCa, own("turn")),
    ),
    ask("API", `GET ${bbbHost}/bigbluebutton/api`, () => checkApi(api)),
    ask("signed call", "getMeetings", () => checkSignedCall(api, sharedSecret)),
    ask("STUN over UDP", `${turnHost}:${TURN_PORT}`, () => checkStunOverUdp(turnHost, TURN_PORT)),
    ask("STUN over TLS", `${turnHost}:${TURNS_PORT}`, () => checkStunOverTls(turnHost, TURNS_PORT)),
  ]);
}

function portChecks({ bbb, turn }: CheckOutput): Promise<Finding>[] {
  const rules = knownPorts(bbb.request.release);
  if (!rules) return [];
  return [bbb, ...(turn ? [turn] : [])].map(({ host, request: { role } }) =>
    ask("ports", `${role}: ${tcpPorts(rules[role]).join(", ")}, others`, () =>
      checkPorts(role, host, rules[role]),
    ),
  );
}

/** Ports of each host to try from the other one, to whose address the firewall gives no privilege. */
function portsOfBoth(
  { bbb, turn }: CheckOutput,
  resources: readonly StackResource[],
): Readonly<Record<"bbb" | "turn", PortsOfOther>> | undefined {
  const rules = knownPorts(bbb.request.release);
  if (!rules || !turn) return undefined;
  const networks = sshNetworks(resources);
  const of = (role: "bbb" | "turn", host: string, from: string) =>
    portsOfOther({ role, host, from, rules: rules[role], sshNetworks: networks });
  return {
    bbb: of("bbb", bbb.request.bbbHost, turn.request.ipv4),
    turn: of("turn", turn.request.turnHost, bbb.request.ipv4),
  };
}

function askClocks(bbb: HostAnswer, turn?: HostAnswer): Promise<Finding> {
  return ask("clocks", "the hosts' against this one", () =>
    judgeClocks({ bbb: bbb.clock, turn: turn?.clock }),
  );
}
