/** Parts of a plan in words. */
import type { Deployment } from "./document";
import type { MetricsFacts } from "./facts";
import type { PlannedHost } from "./hosts";
import type { PoolFacts } from "./pool";

/** Hosts as a reader wants them: the servers of a pool, which are alike, in one. */
export function alike(hosts: readonly PlannedHost[]): readonly PlannedHost[] {
  const [first, ...others] = hosts.filter(({ role }) => role === "bbb");
  const last = others.at(-1);
  if (first === undefined || last === undefined) return hosts;
  const all = { ...first, fqdn: `${first.fqdn} to ${last.fqdn}` };
  return [...hosts.filter(({ role }) => role !== "bbb"), all];
}

/** Says how many people a pool carries, and what one server of it costs. */
export function describePool({
  servers,
  people,
  peopleLessOne,
  largestMeeting,
  wanted,
  each,
}: PoolFacts): string {
  const carries =
    people === null
      ? `${servers} servers; no figure is published for so few cores, or shared ones`
      : `${servers} servers carry about ${people} people in all meetings together, about ${peopleLessOne} while one of them is away, and no meeting over ${largestMeeting}`;
  return [
    `${carries}.`,
    ...(wanted !== null && wanted !== servers
      ? [
          `For the people that are expected, and one server more for when one is away: pulumi config set servers ${wanted}.`,
        ]
      : []),
    ...(each === null
      ? []
      : [
          `One server more or less: about ${each.currency} ${each.net} a month, with its address (net, published prices of ${each.day}).`,
        ]),
  ].join(" ");
}

export function describeHost(host: PlannedHost, cloud: string): string {
  const { fqdn, location, serverType, fit } = host;
  const { verdict, says, remedy, sources } = fit;
  return [
    `${fqdn}, ${serverType} at ${cloud} in ${location}${sizeOf(host)}.`,
    `${verdict === "too small" ? "TOO SMALL" : verdict === "fits" ? "Fits" : "Size not known"}: ${says}.`,
    ...imageOf(host),
    ...(remedy ? [`What would do: ${remedy}.`] : []),
    ...(sources.length > 0 ? [`Sources: ${sources.join(" ")}`] : []),
  ].join(" ");
}

function imageOf({ baked, image }: PlannedHost): string[] {
  if (baked === null) return [];
  const otherwise = {
    required: "without one the update is refused",
    preferred: `without one it is made from ${image}, which takes as long as without this setting`,
  };
  return [`Made from the newest image of scripts/image; ${otherwise[baked]}.`];
}

function sizeOf({ size }: PlannedHost): string {
  if (!size) return "";
  const { cpus, cores, memoryGb, dedicated } = size;
  const counted =
    cpus === cores ? `${cores} ${dedicated ? "" : "shared "}cores` : `${cpus} CPUs on ${cores} cores`;
  return `: ${counted}${memoryGb === undefined ? "" : `, ${memoryGb} GB`}`;
}

export function describeEnvironment({ environment }: Deployment): string {
  const { name, protect, protectRecordings, strict, expires } = environment;
  const kept = protect
    ? `servers${protectRecordings ? ", addresses and recordings" : " and addresses"}`
    : protectRecordings
      ? "recordings"
      : "nothing";
  return [
    `${name}: ${kept} protected from deletion`,
    `${strict ? "refuses" : "allows"} what is good for trying out only`,
    ...(expires ? [`may be removed after ${expires}`] : []),
  ].join("; ");
}

export function describeDns({ dns, hosts }: Deployment): string {
  const records = alike(hosts)
    .map(({ fqdn, records }) => `${fqdn} ${records.join(" and ")}`)
    .join(", ");
  const by = {
    hetzner: "made at Hetzner",
    route53: "made in Route 53",
    manual: "YOU make them; the update prints them and waits for up to an hour",
  };
  return `${records}: ${by[dns]}`;
}

export function describeRecordings({ recordings, pool }: Pick<Deployment, "recordings" | "pool">): string {
  const { volume, sizeGb, id, snapshotDays } = recordings;
  const snapshots = snapshotDays > 0 ? `${snapshotDays} daily snapshots` : "no snapshots";
  switch (volume) {
    case "none":
      return `on the ${pool ? "balancer" : "server"}'s own disk, and gone with it (recordingsGb makes a volume)`;
    case "adopted":
      return `on the volume ${id}, which exists and stays as it is; ${snapshots}`;
    case "new":
      return `on a volume of ${sizeGb} GB, ${recordings.protected ? "" : "not "}protected from deletion; ${snapshots}`;
  }
}

export function describeGreenlight({ greenlight }: Deployment): string {
  if (greenlight === null) return "none";
  const { admin, mail, signInAt, registration, defaultRole, roomLimit } = greenlight;
  const registering = {
    open: "everybody may register",
    invite: "who is invited may register",
    approval: "who registers waits for approval",
  };
  return [
    admin ? `the administrator ${admin} is made, unless there is one` : "no administrator is made",
    mail ? `sends mail by ${mail}` : "sends no mail",
    ...(signInAt ? [`people sign in at ${signInAt}`] : []),
    ...(registration ? [registering[registration]] : []),
    ...(defaultRole ? [`new accounts get the role ${defaultRole}`] : []),
    ...(roomLimit === null ? [] : [`${roomLimit} rooms an account`]),
  ].join("; ");
}

export function describeMetrics({ urls, networks }: MetricsFacts): string {
  const who = networks.length > 0 ? networks.join(", ") : "everybody";
  return `for Prometheus, by the token of the output metricsToken, from ${who}: ${urls.join(", ")}`;
}

export function describeDialIn({ dialIn }: Deployment): string {
  if (dialIn === null) return "none";
  const { number, networks, gateway, registersAs, pinDigits, greeting } = dialIn;
  return [
    `people call ${number}`,
    `calls come from ${networks.join(", ")} alone`,
    registersAs === null
      ? `by address, without registration at ${gateway}`
      : `registers at ${gateway} as ${registersAs}`,
    ...(pinDigits === null ? [] : [`numbers of meetings have ${pinDigits} digits`]),
    greeting === null ? "no words about it of its own in the welcome text" : "the welcome text says how",
  ].join("; ");
}

export function describeBackups({ backupDays }: Deployment): string {
  return backupDays > 0
    ? `${backupDays} daily ones of the BigBlueButton server's disk, which recordings on a volume are not on`
    : "none of the server's disk";
}
