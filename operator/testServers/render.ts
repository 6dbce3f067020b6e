/** Output of the commands, for people and as JSON. */
import { renderTable } from "../../cli/table";
import { hanging } from "../../cli/width";
import type { Made } from "./change";
import { iso, relative } from "./duration";
import type { Due, ReapResult } from "./reap";
import type { Retirement } from "./retire";
import { nameOf, type Orphan, type TestServer } from "./survey";

export function renderMade(made: Made, command: string, now: Date): string {
  const { name, stack, url, hosts, release, expires, problem } = made;
  const rows = {
    "test server": `${name} (stack ${stack})`,
    url: problem === undefined ? url : `${url} (not complete)`,
    names: hosts.join(", "),
    release,
    expires: `${iso(expires)}, ${relative(expires, now)}`,
    "stay longer": `${command} extend ${name} --ttl 2h`,
    remove: `${command} down ${name}`,
  };
  return Object.entries(rows)
    .map(([key, value]) => `${key.padEnd(13)}${value}`)
    .join("\n");
}

export function madeJson({ expires, problem, ...made }: Made): object {
  return {
    ...made,
    state: problem === undefined ? "up" : "failed",
    expires: iso(expires),
    ...(problem === undefined ? {} : { problem }),
  };
}

export function renderServers(servers: readonly TestServer[], now: Date, width?: number): string {
  if (servers.length === 0) return "No test servers.";
  return renderTable(
    [["name"], ["stack"], ["state"], ["url"], ["release"], ["created"], ["expires"]],
    servers.map(({ name, stack, state, url, release, created, expires }) => [
      name,
      stack,
      state,
      url ?? "–",
      release ?? "–",
      created ? iso(created) : "–",
      `${iso(expires)}, ${relative(expires, now)}`,
    ]),
    width,
  );
}

export function serverJson({ created, expires, url, release, ...server }: TestServer, now: Date): object {
  return {
    ...server,
    url: url ?? null,
    release: release ?? null,
    created: created ? iso(created) : null,
    expires: iso(expires),
    expiresIn: relative(expires, now),
  };
}

function renderOrphans(
  orphans: readonly (Orphan & { readonly removed?: boolean; readonly problem?: string })[],
  now: Date,
  width?: number,
): string {
  return renderTable(
    [["cloud"], ["type"], ["id"], ["name"], ["stack"], ["why"], ["expires"], [""]],
    orphans.map(({ object, stack, why, expires, removed, problem }) => [
      object.cloud,
      object.type,
      object.id,
      object.name,
      stack,
      why,
      `${iso(expires)}, ${relative(expires, now)}`,
      removed ? "removed" : problem === undefined ? "" : `stays: ${problem}`,
    ]),
    width,
  );
}

/** Lists what is about to be removed, and asks for consent. */
export function renderDue({ servers, orphans }: Due, now: Date, width?: number): string {
  return [
    ...(servers.length > 0 ? ["Expired test servers:", renderServers(servers, now, width)] : []),
    ...(orphans.length > 0
      ? ["Resources that belong to no stack known here:", renderOrphans(orphans, now, width)]
      : []),
  ].join("\n");
}

/** Summary, e.g. "2 expired test servers (a, b) and 3 orphaned resources". */
export function summaryOfDue({ servers, orphans }: Due): string {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
  return [
    ...(servers.length > 0
      ? [`${count(servers.length, "expired test server")} (${servers.map(({ name }) => name).join(", ")})`]
      : []),
    ...(orphans.length > 0 ? [count(orphans.length, "orphaned resource")] : []),
  ].join(" and ");
}

const OUTCOMES: Readonly<Record<Retirement["outcome"], string>> = {
  removed: "removed",
  gone: "gone already",
  extended: "kept",
  busy: "SKIPPED",
  failed: "FAILED",
};

export function renderRetirement({ stack, outcome, reason }: Retirement): string {
  return `${nameOf(stack)}: ${OUTCOMES[outcome]}${reason === undefined ? "" : `, ${reason}`}`;
}

export function renderReap(result: ReapResult, command: string, now: Date, width?: number): string {
  const { servers, orphans, orphansUnseen, kept, problems } = result;
  const left = orphans.filter(({ removed }) => !removed);
  const told = (line: string) => (width === undefined ? line : hanging(line, width));
  return [
    ...(servers.length === 0
      ? ["No test server has expired."]
      : servers.map((one) => told(renderRetirement(one)))),
    ...(orphans.length > 0
      ? [
          "",
          told("Resources that belong to no stack known here (one in another backend looks the same):"),
          renderOrphans(orphans, now, width),
        ]
      : []),
    ...(left.length > 0 && left.every(({ problem }) => problem === undefined)
      ? [told(`To remove them: ${command} reap --orphans --remove`)]
      : []),
    ...(orphansUnseen > 0
      ? [
          told(
            `${orphansUnseen} more resources belong to no stack known here: ${command} reap --orphans shows them`,
          ),
        ]
      : []),
    ...problems.map((problem) => told(`FAILED, ${problem}`)),
    ...(kept.length > 0 ? [told(`Kept, as they have no expiry: ${kept.join(", ")}`)] : []),
  ].join("\n");
}

export function reapJson({ servers, orphans, orphansUnseen, kept, problems, clean }: ReapResult): object {
  return {
    clean,
    servers: servers.map(({ stack, outcome, reason }) => ({
      name: nameOf(stack),
      stack,
      outcome,
      ...(reason === undefined ? {} : { reason }),
    })),
    orphans: orphans.map(({ object, stack, why, expires, expired, removed, problem }) => ({
      cloud: object.cloud,
      type: object.type,
      id: object.id,
      name: object.name,
      stack,
      why,
      expires: iso(expires),
      expired,
      removed,
      ...(problem === undefined ? {} : { problem }),
    })),
    orphansUnseen,
    kept,
    ...(problems.length > 0 ? { problems } : {}),
  };
}
