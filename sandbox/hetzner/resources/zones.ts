import { getDomain } from "tldts";

import type { CommandTable } from "../actions";
import type { Cloud } from "../cloud";
import { checkCoexistence, checkRecordName, checkRecords, recordsSchema, recordTypes } from "../dnsRecords";
import { ApiError, invalidField, notFound, unsupported } from "../errors";
import { checkLabels } from "../labels";
import type { DnsRecord, Labels, RecordSet, ResourceRef, State, Zone } from "../model";
import { listAnswer, queryOne } from "../pagination";
import { actionAnswer, assertNameFree, type ById, type Routes } from "../routes";
import { flag, labels, object, text, ttl } from "../schemas";
import { remove, takeId } from "../store";

const nested = object(
  { name: text, type: { enum: recordTypes }, ttl, labels, records: recordsSchema },
  "name",
  "type",
);
const create = object(
  {
    name: { type: "string", pattern: "^[a-z0-9.-]+$", maxLength: 253 },
    mode: { enum: ["primary", "secondary"] },
    ttl,
    labels,
    rrsets: { type: "array", items: nested },
    zonefile: text,
    primary_nameservers: { type: "array" },
  },
  "name",
  "mode",
);
const update = object({ labels });
const changeTtl = object({ ttl }, "ttl");
const protection = object({ delete: flag });

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
  rrsets?: RecordSetInput[];
  zonefile?: string;
  primary_nameservers?: unknown[];
}

const defaultTtl = 3600; // seconds

export const zoneRoutes: Routes = (app, cloud) => {
  const { store, actions, clock } = cloud;
  const render = (zone: Zone): Record<string, unknown> => renderZone(cloud, zone);
  const named = (request: { params: unknown }): Zone =>
    findZone(store.state, (request.params as { id: string }).id);

  app.get("/zones", (request, reply) => {
    const mode = queryOne(request, "mode");
    const wanted = mode === undefined || mode === "primary" ? Object.values(store.state.zones) : [];
    return listAnswer(request, reply, "zones", wanted.map(render));
  });

  app.post<{ Body: Creation }>("/zones", { schema: { body: create } }, (request, reply) => {
    const { body } = request;
    if (body.mode === "secondary") throw unsupported("a zone in secondary mode");
    if (body.zonefile !== undefined) throw unsupported("creating a zone from a zone file");
    if (body.primary_nameservers?.length)
      throw new ApiError("incorrect_zone_mode", "the zone is in primary mode");
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
        deleteProtected: false,
        recordSets: authority(cloud.nameServers),
        created: clock().toISOString(),
      };
      for (const input of body.rrsets ?? []) addRecordSet(zone, input);
      state.zones[zone.id] = zone;
      return { zone, action: actions.begin(state, "create_zone", [ref(zone)], publishing(zone)) };
    });
    return reply.code(201).send({ zone: render(made.zone), ...actionAnswer(made.action) });
  });

  app.get("/zones/:id", (request) => ({ zone: render(named(request)) }));

  app.put<ById<{ labels?: Labels }>>("/zones/:id", { schema: { body: update } }, (request) => ({
    zone: store.change(() => {
      const zone = named(request);
      if (request.body.labels) zone.labels = checkLabels(request.body.labels);
      return render(zone);
    }),
  }));

  app.delete("/zones/:id", (request, reply) => {
    const action = store.change((state) => {
      const zone = named(request);
      if (zone.deleteProtected)
        throw new ApiError("protected", `zone ${zone.name} is protected against deletion`);
      return actions.begin(state, "delete_zone", [ref(zone)], publishing(zone));
    });
    return reply.code(201).send(actionAnswer(action));
  });

  app.post<ById<{ ttl: number }>>(
    "/zones/:id/actions/change_ttl",
    { schema: { body: changeTtl } },
    (request, reply) => {
      const action = store.change((state) => {
        const zone = named(request);
        zone.ttl = request.body.ttl;
        return actions.begin(state, "change_zone_ttl", [ref(zone)], publishing(zone));
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );

  app.post<ById<{ delete?: boolean }>>(
    "/zones/:id/actions/change_protection",
    { schema: { body: protection } },
    (request, reply) => {
      const action = store.change((state) => {
        const zone = named(request);
        const params = { delete: request.body.delete ?? zone.deleteProtected };
        return actions.begin(state, "change_zone_protection", [ref(zone)], { params });
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );
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
    changeProtected: false,
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
  change_zone_ttl: publish,
  create_rrset: publish,
  delete_rrset: publish,
  set_rrset_records: publish,
  add_rrset_records: publish,
  remove_rrset_records: publish,
  update_rrset_records: publish,
  change_rrset_ttl: publish,
  change_rrset_protection: publish,
  delete_zone: {
    locks: false,
    async perform(cloud, action) {
      const id = action.resources[0]?.id ?? 0;
      cloud.store.change((state) => {
        remove(state.zones, id);
      });
      await cloud.publish.zone(String(action.params["zone"]));
    },
  },
  change_zone_protection: {
    locks: false,
    async perform({ store }, action) {
      store.change((state) => {
        const zone = findZone(state, String(action.resources[0]?.id));
        zone.deleteProtected = action.params["delete"] === true;
      });
    },
  },
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
    changeProtected: false,
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
    protection: { delete: zone.deleteProtected },
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
