import { FAILED, FINE } from "../../cli/mistake";
import { wrapped } from "../../cli/width";
import type { Finding, Verdict } from "./finding";

/** Findings of one place: this machine, the cloud, a host. */
export interface Section {
  readonly place: string;
  readonly findings: readonly Finding[];
}

/** State of a deployment at one moment. */
export interface Report {
  readonly stack: string;
  readonly checkedAt: Date;
  readonly seconds: number;
  readonly sections: readonly Section[];
}

/** Number of findings by verdict. */
function count({ sections }: Report): Readonly<Record<Verdict, number>> {
  const counts = { ok: 0, warn: 0, FAIL: 0, skip: 0 };
  for (const { verdict } of sections.flatMap(({ findings }) => findings)) counts[verdict]++;
  return counts;
}

/** @param strict Counts warnings as failures. */
export function exitCode(report: Report, strict: boolean): number {
  const { FAIL, warn } = count(report);
  return FAIL > 0 || (strict && warn > 0) ? FAILED : FINE;
}

/** Width in columns from which each part of a finding has a column of its own. */
const WIDE = 100;

type Cell = readonly [text: string, columns: number];

/** Lines of cells side by side: wrapped within their columns, or one line without a width. */
function beside(cells: readonly Cell[], width?: number): string[] {
  const columns = cells.map(([text, columns]) =>
    width === undefined || text.length <= columns ? [text] : wrapped(text, columns),
  );
  const rows = Array.from({ length: Math.max(...columns.map(({ length }) => length)) }, (_, row) =>
    cells.map(([, size], i) => (columns[i]![row] ?? "").padEnd(Math.max(size, 0))),
  );
  return rows.map((row) => row.join("  ").trimEnd());
}

function cellsOf(
  [verdict, took, name, asked, answer]: readonly [string, string, string, string, string],
  width?: number,
): Cell[] {
  const told = asked === "" ? answer : `${asked}: ${answer}`;
  return width !== undefined && width < WIDE
    ? [
        [verdict, 4],
        [name, 18],
        [told, Math.max(width - 26, 20)],
      ]
    : [
        [verdict, 4],
        [took, 7],
        [name, 18],
        [asked, 38],
        [answer, (width ?? 0) - 75],
      ];
}

function renderHead(width?: number): string {
  return beside(cellsOf(["", "took".padStart(7), "check", "asked", "came back"], width), width).join("\n");
}

/**
 * Line of a check, wrapped to the width if there is one, with its advice below. scripts/host/checks.py prints the same
 * at the end of an update.
 */
function renderFinding({ verdict, seconds, name, asked, answer, remedy }: Finding, width?: number): string {
  const took = `${seconds.toFixed(1).padStart(5)} s`;
  const lines = beside(cellsOf([verdict, took, name, asked, answer], width), width);
  if (remedy === undefined) return lines.join("\n");
  const label = `${" ".repeat(width !== undefined && width < WIDE ? 6 : 15)}to do: `;
  const parts = width === undefined ? [remedy] : wrapped(remedy, Math.max(width - label.length, 20));
  const below = parts.map((part, i) => `${i === 0 ? label : " ".repeat(label.length)}${part}`);
  return [...lines, ...below].join("\n");
}

/** Whole page. @param width Columns of the terminal; undefined gives a line for each check, however long. */
export function renderReport(report: Report, width?: number): string {
  const sections = report.sections.flatMap(({ place, findings }) => [
    place,
    ...findings.map((finding) => renderFinding(finding, width)),
    "",
  ]);
  return [renderHead(width), ...sections, renderSummary(report), ""].join("\n");
}

function renderSummary(report: Report): string {
  const { ok, warn, FAIL, skip } = count(report);
  const parts = [
    `${ok} ok`,
    ...(warn > 0 ? [`${warn} to look at (warn)`] : []),
    ...(FAIL > 0 ? [`${FAIL} wrong (FAIL)`] : []),
    ...(skip > 0 ? [`${skip} not asked (skip)`] : []),
  ];
  return `${report.stack}: ${parts.join(", ")}, in ${report.seconds.toFixed(1)} s`;
}

/** Report for programs, with times in ISO 8601 and seconds. */
export function reportAsJson(report: Report): unknown {
  const { stack, checkedAt, seconds, sections } = report;
  const counts = count(report);
  return {
    stack,
    checkedAt: checkedAt.toISOString(),
    seconds,
    verdict: counts.FAIL > 0 ? "FAIL" : counts.warn > 0 ? "warn" : "ok",
    counts,
    checks: sections.flatMap(({ place, findings }) => findings.map((finding) => ({ place, ...finding }))),
  };
}
