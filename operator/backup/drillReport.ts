/** Comparison of a drill: what the saved server had that night, and what came back on the test server. */
import { z } from "zod";

import { renderTable } from "../../cli/table";

const counts = z.record(z.string(), z.number());
const looked = z.object({ ok: z.boolean(), told: z.string() });

/** What a server's last whole backup has. */
export const nightSchema = z.looseObject({
  run: z.string(),
  /** Seconds since 1970. */
  at: z.number(),
  host: z.string(),
  /** Numbers of recordings. */
  formats: counts,
  /** Bytes of recordings, without their metadata. null: an older version saved them, and has not counted these. */
  formatBytes: counts.nullable(),
  /** Bytes of all that is saved of recordings. */
  bytes: z.number(),
  greenlight: counts.nullable(),
  /** SHA-256 of some files. */
  files: z.record(z.string(), z.string()),
});

/** What a test server has after the restore. */
export const foundSchema = z.object({
  formats: counts,
  formatBytes: counts,
  greenlight: counts.nullable(),
  files: z.record(z.string(), z.string().nullable()),
  /** Greenlight's health check. */
  health: looked.nullable(),
  /** Page of one recording; null where none is published. */
  page: looked.nullable(),
});

export type Night = z.output<typeof nightSchema>;
export type Found = z.output<typeof foundSchema>;

/** Row of the comparison. */
export interface Row {
  readonly what: string;
  readonly saved: string;
  readonly restored: string;
  readonly ok: boolean;
}

/**
 * Compares. More than that night's is no difference: a recording may have been published while the backup was made, and
 * a test server may have files of its own.
 */
export function compare(night: Night, found: Found): Row[] {
  const bytes = night.formatBytes;
  return [
    ...countRows("recordings", night.formats, found.formats, String),
    ...(bytes ? countRows("bytes", bytes, found.formatBytes, size) : []),
    fileRow(night.files, found.files),
    ...(night.greenlight ? countRows("Greenlight", night.greenlight, found.greenlight ?? {}, String) : []),
    ...(night.greenlight ? [lookedRow("Greenlight's /health_check", found.health)] : []),
    ...(total(night.formats) > 0 && found.page ? [lookedRow("page of a recording", found.page)] : []),
  ];
}

function countRows(
  what: string,
  saved: Readonly<Record<string, number>>,
  restored: Readonly<Record<string, number>>,
  told: (count: number) => string,
): Row[] {
  return Object.entries(saved).map(([name, count]) => {
    const found = restored[name] ?? 0;
    return { what: `${what}: ${name}`, saved: told(count), restored: told(found), ok: found >= count };
  });
}

function fileRow(saved: Night["files"], restored: Found["files"]): Row {
  const paths = Object.keys(saved);
  const missing = paths.filter((path) => !restored[path]);
  const changed = paths.filter((path) => restored[path] && restored[path] !== saved[path]);
  const ok = missing.length + changed.length === 0;
  const wrong = [
    ...missing.map((path) => `missing: ${path}`),
    ...changed.map((path) => `has another sum: ${path}`),
  ];
  return {
    what: "files taken at random, by SHA-256",
    saved: String(paths.length),
    restored: ok ? String(paths.length) : [`${paths.length - wrong.length}`, ...wrong].join("; "),
    ok,
  };
}

function lookedRow(what: string, found: z.output<typeof looked> | null): Row {
  return { what, saved: "–", restored: found?.told ?? "not asked", ok: found?.ok ?? false };
}

function total(found: Readonly<Record<string, number>>): number {
  return Object.values(found).reduce((sum, one) => sum + one, 0);
}

/** Bytes in words that tell one from another: "1.234 GB", "812 bytes". */
function size(bytes: number): string {
  const [unit, factor] = [
    ["TB", 1e12],
    ["GB", 1e9],
    ["MB", 1e6],
  ].find(([, factor]) => bytes >= (factor as number)) ?? ["bytes", 1];
  return factor === 1 ? `${bytes} bytes` : `${(bytes / (factor as number)).toFixed(3)} ${unit}`;
}

/** Rows that are not as they should be, in a sentence for the check. */
export function differences(rows: readonly Row[]): string {
  return rows
    .filter(({ ok }) => !ok)
    .map(({ what, saved, restored }) => `${what}: ${restored}${saved === "–" ? "" : ` of ${saved}`}`)
    .join("; ");
}

export function renderRows(rows: readonly Row[], width?: number): string {
  return renderTable(
    [["what"], ["saved"], ["restored"], [""]],
    rows.map(({ what, saved, restored, ok }) => [what, saved, restored, ok ? "ok" : "DIFFERENT"]),
    width,
  );
}
