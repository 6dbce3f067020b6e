import { isIPv4, isIPv6 } from "node:net";

import { forward, look, type Cloud } from "../cloud";
import { AwsError, notEmulated, type Answer } from "../errors";
import { readRecordSets, readZones, unescapeName, type RecordSet } from "../records";
import { buildXml, child, items, parseXml, text, type Node } from "../xml";
import { edit } from "./answers";
import type { Rule } from "./rule";

const NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/";

interface Change {
  readonly action: string;
  readonly set: RecordSet;
}

/**
 * Changes record sets. moto creates existing ones, deletes with other values than a record has, accepts any value, and
 * is in sync at once under the same id every time.
 */
const change: Rule = async (cloud, call) => {
  const batch = child(parseXml(call.body).root.ChangeBatch);
  const changes = items(batch.Changes, "Change").map(readChange);
  const zone = (await readZones(cloud)).find(({ id }) => id === call.id);
  if (!zone) throw new AwsError("NoSuchHostedZone", `No hosted zone found with ID: ${call.id}`, 404);
  const problems: string[] = [];
  let sets = await readRecordSets(cloud, call.id);
  // Each change finds the zone as those before it leave it; all are made or none.
  for (const one of changes) {
    const found = problemsOf(one, sets, zone.name);
    problems.push(...found);
    if (found.length > 0) continue;
    sets = sets.filter((set) => !isSame(set, one.set));
    if (one.action !== "DELETE") sets.push(one.set);
  }
  if (problems.length > 0) throw new AwsError("InvalidChangeBatch", `[${problems.join(", ")}]`);
  return pending(cloud, await forward(cloud, call));
};

function readChange(node: Node): Change {
  const set = child(node.ResourceRecordSet);
  if (set.AliasTarget !== undefined) throw notEmulated("alias records");
  if (set.SetIdentifier !== undefined) throw notEmulated("routing policies");
  return {
    action: text(node.Action),
    set: {
      name: absolute(unescapeName(text(set.Name))),
      type: text(set.Type),
      ttl: Number(text(set.TTL)),
      values: items(set.ResourceRecords, "ResourceRecord").map((record) => text(record.Value)),
    },
  };
}

const absolute = (name: string): string => `${name.toLowerCase().replace(/\.$/, "")}.`;

const isSame = (one: RecordSet, other: RecordSet): boolean =>
  one.name === other.name && one.type === other.type;

function problemsOf({ action, set }: Change, sets: readonly RecordSet[], zone: string): string[] {
  const subject = `resource record set [name='${set.name}', type='${set.type}']`;
  const existing = sets.find((other) => isSame(other, set));
  if (set.name !== zone && !set.name.endsWith(`.${zone}`))
    return [`RRSet with DNS name ${set.name} is not permitted in zone ${zone}`];
  if (action === "DELETE") {
    if (!existing) return [`Tried to delete ${subject} but it was not found`];
    const same =
      existing.ttl === set.ttl && [...existing.values].sort().join() === [...set.values].sort().join();
    return same ? [] : [`Tried to delete ${subject} but the values provided do not match the current values`];
  }
  if (action === "CREATE" && existing) return [`Tried to create ${subject} but it already exists`];
  const clash = sets.find(
    (other) => other.name === set.name && other.type !== set.type && [other.type, set.type].includes("CNAME"),
  );
  if (clash) {
    return [
      `RRSet of type ${set.type} with DNS name ${set.name} is not permitted because a conflicting RRSet of type ` +
        `${clash.type} with the same DNS name already exists in zone ${zone}`,
    ];
  }
  if (set.type === "CNAME" && set.name === zone)
    return [`RRSet of type CNAME with DNS name ${set.name} is not permitted at apex in zone ${zone}`];
  return valueProblems(set);
}

const VALUES: Readonly<Record<string, { valid: (value: string) => boolean; what: string }>> = {
  A: { valid: isIPv4, what: "is not a valid IPv4 address" },
  AAAA: { valid: isIPv6, what: "is not a valid IPv6 address" },
  CNAME: { valid: (value) => /^[\w*.-]+$/.test(value), what: "is not a valid domain name" },
  TXT: {
    valid: (value) => /^"(?:[^"\\]|\\.)*"(?: "(?:[^"\\]|\\.)*")*$/.test(value),
    what: "should be enclosed in quotation marks",
  },
  CAA: { valid: (value) => /^\d{1,3} [a-z]+ ".*"$/.test(value), what: "is not a valid CAA record" },
};

function valueProblems({ type, values }: RecordSet): string[] {
  const rule = VALUES[type];
  return values
    .filter((value) => rule !== undefined && !rule.valid(value))
    .map((value) => `Invalid Resource Record: FATAL problem: ${type} record '${value}' ${rule?.what ?? ""}`);
}

/** Gives a change an id of its own and a duration. */
function pending(cloud: Cloud, answer: Answer): Answer {
  return edit(answer, (root) => {
    const { state } = cloud.store;
    const id = `C0${(state.nextChange++).toString().padStart(12, "0")}`;
    state.changes[id] = cloud.clock();
    root.ChangeInfo = changeInfo(cloud, id);
  });
}

function changeInfo(cloud: Cloud, id: string): Node {
  const at = cloud.store.state.changes[id]!;
  return {
    Id: `/change/${id}`,
    Status: cloud.clock() - at < cloud.delays.dns ? "PENDING" : "INSYNC",
    SubmittedAt: new Date(at).toISOString(),
  };
}

const getChange: Rule = (cloud, call) => {
  if (cloud.store.state.changes[call.id] === undefined) {
    const message = `Could not find resource with ID: ${call.id}`;
    return Promise.reject(new AwsError("NoSuchChange", message, 404));
  }
  const body = buildXml("GetChangeResponse", { "@xmlns": NAMESPACE, ChangeInfo: changeInfo(cloud, call.id) });
  return Promise.resolve({ status: 200, contentType: "text/xml", body });
};

/** Creates a zone. Refuses a second request of the same reference; moto makes another zone. */
const createZone: Rule = async (cloud, call) => {
  const { root } = parseXml(call.body);
  const reference = text(root.CallerReference);
  const token = `route53 ${reference}`;
  if (cloud.store.state.tokens[token]) {
    const message = `A hosted zone has already been created with the specified caller reference: ${reference}`;
    throw new AwsError("HostedZoneAlreadyExists", message, 409);
  }
  const answer = await forward(cloud, call);
  if (answer.status >= 400) return answer;
  cloud.store.state.tokens[token] = { fingerprint: "", body: "" };
  return withNameServers(cloud, pending(cloud, answer));
};

const getZone: Rule = async (cloud, call) => withNameServers(cloud, await look(cloud, call));

/** Replaces a zone's name servers by the sandbox's. */
function withNameServers(cloud: Cloud, answer: Answer): Answer {
  return edit(answer, (root) => {
    if (root.DelegationSet === undefined) return;
    root.DelegationSet = {
      ...child(root.DelegationSet),
      NameServers: { NameServer: cloud.nameServers.map((name) => name.replace(/\.$/, "")) },
    };
  });
}

const deleteZone: Rule = async (cloud, call) => {
  const answer = await forward(cloud, call);
  return answer.status < 400 ? pending(cloud, answer) : answer;
};

/** Lists record sets; the NS and SOA records of moto name servers that don't exist. */
const listSets: Rule = async (cloud, call) => {
  const zone = (await readZones(cloud)).find(({ id }) => id === call.id);
  return edit(await look(cloud, call), (root) => {
    for (const set of items(root.ResourceRecordSets, "ResourceRecordSet")) {
      const values = ownValues(cloud, text(set.Type));
      if (values && text(set.Name) === zone?.name)
        set.ResourceRecords = { ResourceRecord: values.map((Value) => ({ Value })) };
    }
  });
};

function ownValues(cloud: Cloud, type: string): string[] | undefined {
  if (type === "NS") return [...cloud.nameServers];
  if (type === "SOA")
    return [`${cloud.nameServers[0] ?? ""} hostmaster.sandbox.test. 1 7200 900 1209600 86400`];
  return undefined;
}

export const route53Rules: Readonly<Record<string, Rule>> = {
  "route53:ChangeResourceRecordSets": change,
  "route53:GetChange": getChange,
  "route53:CreateHostedZone": createZone,
  "route53:GetHostedZone": getZone,
  "route53:DeleteHostedZone": deleteZone,
  "route53:ListResourceRecordSets": listSets,
};
