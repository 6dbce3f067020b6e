import { checkCoexistence, checkRecords, recordsSchema, recordTypes } from "../dnsRecords";
import { ApiError, invalidField, notFound } from "../errors";
import { checkLabels } from "../labels";
import type { DnsRecord, Labels, RecordSet, State, Zone } from "../model";
import { listAnswer, queryAll } from "../pagination";
import { actionAnswer, type Routes } from "../routes";
import { flag, labels, object, text, ttl } from "../schemas";
import { addRecordSet, findZone, publishing, type RecordSetInput, ref } from "./zones";
import { remove } from "../store";

const nullableTtl = { ...ttl, type: ["integer", "null"] } as const;
const create = object(
  { name: text, type: { enum: recordTypes }, ttl: nullableTtl, labels, records: recordsSchema },
  "name",
  "type",
);
const update = object({ labels });
const records = object({ records: recordsSchema }, "records");
const recordsAndTtl = object({ records: recordsSchema, ttl: nullableTtl }, "records");
const changeTtl = object({ ttl: nullableTtl }, "ttl");
const protection = object({ change: flag });

interface Path {
  zone: string;
  name: string;
  type: string;
}
const path = "/zones/:zone/rrsets/:name/:type";

export const recordSetRoutes: Routes = (app, { store, actions }) => {
  app.get<{ Params: { zone: string } }>("/zones/:zone/rrsets", (request, reply) => {
    const zone = findZone(store.state, request.params.zone);
    const types = queryAll(request, "type");
    const wanted = Object.values(zone.recordSets).filter(
      ({ type }) => types.length === 0 || types.includes(type),
    );
    return listAnswer(
      request,
      reply,
      "rrsets",
      wanted.map((set) => renderRecordSet(zone, set)),
    );
  });

  app.post<{ Params: { zone: string }; Body: RecordSetInput }>(
    "/zones/:zone/rrsets",
    { schema: { body: create } },
    (request, reply) => {
      const made = store.change((state) => {
        const zone = findZone(state, request.params.zone);
        const set = addRecordSet(zone, request.body);
        return { zone, set, action: actions.begin(state, "create_rrset", [ref(zone)], publishing(zone)) };
      });
      return reply
        .code(201)
        .send({ rrset: renderRecordSet(made.zone, made.set), ...actionAnswer(made.action) });
    },
  );

  app.get<{ Params: Path }>(path, (request) => {
    const { zone, set } = find(store.state, request.params);
    return { rrset: renderRecordSet(zone, set) };
  });

  app.put<{ Params: Path; Body: { labels?: Labels } }>(path, { schema: { body: update } }, (request) => ({
    rrset: store.change((state) => {
      const { zone, set } = find(state, request.params);
      if (request.body.labels) set.labels = checkLabels(request.body.labels);
      return renderRecordSet(zone, set);
    }),
  }));

  app.delete<{ Params: Path }>(path, (request, reply) => {
    const action = store.change((state) => {
      const { zone, set, key } = find(state, request.params);
      assertChangeable(set);
      remove(zone.recordSets, key);
      return actions.begin(state, "delete_rrset", [ref(zone)], publishing(zone));
    });
    return reply.code(201).send(actionAnswer(action));
  });

  /** Adds one endpoint that changes a record set's contents at once and then publishes the zone. */
  function endpoint<Body>(
    name: string,
    command: string,
    body: object,
    change: (zone: Zone, set: RecordSet, body: Body) => void,
  ): void {
    app.post<{ Params: Path; Body: Body }>(
      `${path}/actions/${name}`,
      { schema: { body } },
      (request, reply) => {
        const action = store.change((state) => {
          const { zone, set, key } = find(state, request.params);
          if (name !== "change_protection") assertChangeable(set);
          change(zone, set, request.body as Body);
          if (set.records.length === 0) remove(zone.recordSets, key);
          return actions.begin(state, command, [ref(zone)], publishing(zone));
        });
        return reply.code(201).send(actionAnswer(action));
      },
    );
  }

  endpoint<{ records: DnsRecord[] }>("set_records", "set_rrset_records", records, (zone, set, body) =>
    replaceRecords(zone, set, body.records),
  );
  endpoint<{ records: DnsRecord[] }>("update_records", "update_rrset_records", records, (zone, set, body) => {
    for (const { value } of body.records) assertPresent(set, value);
    const updated = set.records.map((old) => body.records.find(({ value }) => value === old.value) ?? old);
    replaceRecords(zone, set, updated);
  });
  endpoint<{ records: DnsRecord[] }>(
    "remove_records",
    "remove_rrset_records",
    records,
    (_zone, set, body) => {
      for (const { value } of body.records) assertPresent(set, value);
      set.records = set.records.filter((old) => !body.records.some(({ value }) => value === old.value));
    },
  );
  endpoint<{ ttl: number | null }>("change_ttl", "change_rrset_ttl", changeTtl, (_zone, set, body) => {
    set.ttl = body.ttl;
  });
  endpoint<{ change?: boolean }>(
    "change_protection",
    "change_rrset_protection",
    protection,
    (_zone, set, body) => {
      set.changeProtected = body.change ?? set.changeProtected;
    },
  );

  app.post<{ Params: Path; Body: { records: DnsRecord[]; ttl?: number | null } }>(
    `${path}/actions/add_records`,
    { schema: { body: recordsAndTtl } },
    (request, reply) => {
      const action = store.change((state) => {
        const { name, type } = request.params;
        const zone = findZone(state, request.params.zone);
        const set = zone.recordSets[`${name}/${type}`];
        if (set) {
          assertChangeable(set);
          if (request.body.ttl !== undefined && request.body.ttl !== set.ttl) {
            throw invalidField("ttl", `differs from the TTL of the existing record set: ${set.ttl}`);
          }
          replaceRecords(zone, set, [...set.records, ...request.body.records]);
        } else addRecordSet(zone, { name, type, ...request.body });
        return actions.begin(state, "add_rrset_records", [ref(zone)], publishing(zone));
      });
      return reply.code(201).send(actionAnswer(action));
    },
  );
};

function find(
  state: State,
  { zone: idOrName, name, type }: Path,
): { zone: Zone; set: RecordSet; key: string } {
  const zone = findZone(state, idOrName);
  const key = `${name}/${type}`;
  const set = Object.hasOwn(zone.recordSets, key) ? zone.recordSets[key] : undefined;
  if (!set) throw notFound(`record set of zone ${zone.name}`, key);
  return { zone, set, key };
}

function replaceRecords(zone: Zone, set: RecordSet, wanted: readonly DnsRecord[]): void {
  if (wanted.length > 50) throw invalidField("records", "a record set has at most 50 records");
  const checked = checkRecords(set.type, wanted);
  checkCoexistence(Object.values(zone.recordSets), { ...set, records: checked });
  set.records = checked;
}

function assertPresent(set: RecordSet, value: string): void {
  if (set.records.some((old) => old.value === value)) return;
  throw invalidField("records", `record set ${set.name}/${set.type} has no record '${value}'`);
}

function assertChangeable(set: RecordSet): void {
  if (!set.changeProtected) return;
  throw new ApiError("protected", `record set ${set.name}/${set.type} is protected against changes`);
}

function renderRecordSet(zone: Zone, set: RecordSet): Record<string, unknown> {
  return {
    id: `${set.name}/${set.type}`,
    name: set.name,
    type: set.type,
    ttl: set.ttl,
    labels: set.labels,
    protection: { change: set.changeProtected },
    records: set.records,
    zone: zone.id,
  };
}
