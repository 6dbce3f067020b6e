import { getDomain } from "tldts";

import type { CommandTable } from "../actions";
import type { Cloud } from "../cloud";
import { checkCoexistence, checkRecordName, checkRecords } from "../dnsRecords";
import { ApiError, invalidField, notFound } from "../errors";
import { checkLabels } from "../labels";
import type { DnsRecord, Labels, RecordSet, ResourceRef, State, Zone } from "../model";
import { listAnswer } from "../pagination";
import { actionAnswer, assertNameFree, type ById, type Routes } from "../routes";
import { labels, object, ttl } from "../schemas";
import { takeId } from "../store";

const create = object(
  {
    name: { type: "string", pattern: "^[a-z0-9.-]+$", maxLength: 253 },
    mode: { enum: ["primary"] },
    ttl,
    labels,
  },
  "name",
  "mode",
);

/** Record set in the form of a request. */
export interface RecordSetInput {
  name: string;
  type: string;
  ttl?: number | null;
  labels?: Labels;
  records?: DnsRecord[];
}

interface Creation {
  name: string;
  mode: string;
  ttl?: number;
  labels?: Labels;
}

const defaultTtl = 3600; // seconds

export const zoneRoutes: Routes = (app, cloud) => {
  const { store, actions, clock } = cloud;
  const render = (zone: Zone): Record<string, unknown> => renderZone(cloud, zone);

  app.get("/zones", (request) =>
    listAnswer(request, "zones", Object.values(store.state.zones).map(render), ["mode"]),
  );

  app.post<{ Body: Creation }>("/zones", { schema: { body: create } }, (request, reply) => {
    const { body } = request;
    if (getDomain(body.name) !== body.name) {
      throw invalidField("name", `'${body.name}' is not a registrable domain name`);
    }
    const made = store.change((state) => {
      assertNameFree("zone", state.zones, body.name);
      const zone: Zone = {
        id: takeId(state),
        name: body.name,
        ttl: body.ttl ?? defaultTtl,
        labels: checkLabels(body.labels),
        recordSets: authority(cloud.nameServers),
        created: clock().toISOString(),
      };
      state.zones[zone.id] = zone;
      return { zone, action: actions.begin(state, "create_zone", [ref(zone)], publishing(zone)) };
    });
    return reply.code(201).send({ zone: render(made.zone), ...actionAnswer(made.action) });
  });

  app.get<ById>("/zones/:id", ({ params: { id } }) => ({ zone: render(findZone(store.state, id)) }));
};

/** Zone of that id or name; throws 404 without one. */
export function findZone(state: State, idOrName: string): Zone {
  const zone =
    (Object.hasOwn(state.zones, idOrName) ? state.zones[idOrName] : undefined) ??
    Object.values(state.zones).find(({ name }) => name === idOrName);
  if (!zone) throw notFound("zone", idOrName);
  return zone;
}

/** Adds a record set to a zone after all checks; throws 409 for a second one of that name and type. */
export function addRecordSet(zone: Zone, input: RecordSetInput): RecordSet {
  checkRecordName(input.name, zone.name);
  const key = `${input.name}/${input.type}`;
  if (zone.recordSets[key]) {
    throw new ApiError("uniqueness_error", `zone ${zone.name} already has a record set ${key}`, {
      fields: [{ name: "name" }],
    });
  }
  if (!input.records?.length) throw invalidField("records", "Missing data for required field.");
  const made: RecordSet = {
    name: input.name,
    type: input.type,
    ttl: input.ttl ?? null,
    labels: checkLabels(input.labels),
    records: checkRecords(input.type, input.records),
  };
  checkCoexistence(Object.values(zone.recordSets), made);
  return (zone.recordSets[key] = made);
}

/** Options of an action that brings the zone's present state to the name server. */
export function publishing(zone: Zone): { params: Record<string, unknown> } {
  return { params: { zone: zone.name } };
}

const publish: CommandTable[string] = {
  locks: false,
  perform: (cloud, action) => cloud.publish.zone(String(action.params["zone"])),
};

export const zoneCommands: CommandTable = {
  create_zone: publish,
  create_rrset: publish,
  delete_rrset: publish,
  set_rrset_records: publish,
  change_rrset_ttl: publish,
};

export function ref(zone: Zone): ResourceRef {
  return { id: zone.id, type: "zone" };
}

/** SOA and NS that every zone has from its beginning. */
function authority(nameServers: readonly string[]): Zone["recordSets"] {
  const made = (type: string, values: readonly string[]): RecordSet => ({
    name: "@",
    type,
    ttl: null,
    labels: {},
    records: values.map((value) => ({ value })),
  });
  const soa = `${nameServers[0]} dns.hetzner.com. 1 86400 10800 3600000 3600`;
  return { "@/SOA": made("SOA", [soa]), "@/NS": made("NS", nameServers) };
}

function renderZone({ nameServers }: Cloud, zone: Zone): Record<string, unknown> {
  const count = Object.values(zone.recordSets).reduce((sum, { records }) => sum + records.length, 0);
  return {
    id: zone.id,
    name: zone.name,
    created: zone.created,
    ttl: zone.ttl,
    mode: "primary",
    primary_nameservers: [],
    protection: { delete: false },
    labels: zone.labels,
    authoritative_nameservers: {
      assigned: nameServers,
      delegated: nameServers,
      delegation_last_check: zone.created,
      delegation_status: "valid",
    },
    registrar: "other",
    status: "ok",
    record_count: count,
  };
}
