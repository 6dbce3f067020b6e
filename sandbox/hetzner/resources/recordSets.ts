import { checkCoexistence, checkRecords, recordsSchema, recordTypes } from "../dnsRecords";
import { notFound } from "../errors";
import { checkLabels } from "../labels";
import type { DnsRecord, Labels, RecordSet, State, Zone } from "../model";
import { listAnswer } from "../pagination";
import { actionAnswer, type Routes } from "../routes";
import { labels, object, text, ttl } from "../schemas";
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
const changeTtl = object({ ttl: nullableTtl }, "ttl");

interface Path {
  zone: string;
  name: string;
  type: string;
}
const path = "/zones/:zone/rrsets/:name/:type";

export const recordSetRoutes: Routes = (app, { store, actions }) => {
  app.get<{ Params: { zone: string } }>("/zones/:zone/rrsets", (request) => {
    const zone = findZone(store.state, request.params.zone);
    const sets = Object.values(zone.recordSets).map((set) => renderRecordSet(zone, set));
    return listAnswer(request, "rrsets", sets, ["type"]);
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
      const { zone, key } = find(state, request.params);
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
          const { zone, set } = find(state, request.params);
          change(zone, set, request.body as Body);
          return actions.begin(state, command, [ref(zone)], publishing(zone));
        });
        return reply.code(201).send(actionAnswer(action));
      },
    );
  }

  endpoint<{ records: DnsRecord[] }>("set_records", "set_rrset_records", records, (zone, set, body) => {
    const wanted = checkRecords(set.type, body.records);
    checkCoexistence(Object.values(zone.recordSets), { ...set, records: wanted });
    set.records = wanted;
  });
  endpoint<{ ttl: number | null }>("change_ttl", "change_rrset_ttl", changeTtl, (_zone, set, body) => {
    set.ttl = body.ttl;
  });
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

function renderRecordSet(zone: Zone, set: RecordSet): Record<string, unknown> {
  return {
    id: `${set.name}/${set.type}`,
    name: set.name,
    type: set.type,
    ttl: set.ttl,
    labels: set.labels,
    protection: { change: false },
    records: set.records,
    zone: zone.id,
  };
}
