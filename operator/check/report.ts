import { FAILED, FINE } from "../../cli/mistake";
import { renderFinding, renderHead } from "../../bigbluebutton/checkPage";
import type { Finding, Verdict } from "./finding";
import { renderPool, type PoolRow } from "./poolTable";

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
  /** True where the BigBlueButton server is parked, of which nothing was asked then. */
  readonly parked?: boolean;
  /** Servers of a pool, one in a line. */
  readonly pool?: readonly PoolRow[];
}

/** Exit code for a deployment that is parked, with nothing wrong. */
const PARKED = 3;

/** Number of findings by verdict. */
function count({ sections }: Report): Readonly<Record<Verdict, number>> {
  const counts = { ok: 0, warn: 0, FAIL: 0, skip: 0 };
  for (const { verdict } of sections.flatMap(({ findings }) => findings)) counts[verdict]++;
  return counts;
}

/** @param strict Counts warnings as failures. */
export function exitCode(report: Report, strict: boolean): number {
  const { FAIL, warn } = count(report);
  if (FAIL > 0 || (strict && warn > 0)) return FAILED;
  return report.parked ? PARKED : FINE;
}

/**
 * Whole page. A pool's begins with its servers, and counts the lines in which all is well.
 *
 * @param width Columns of the terminal; undefined gives a line for each check, however long.
 * @param all Tells every line of a pool's page, too.
 */
export function renderReport(report: Report, width?: number, all = false): string {
  const folded = report.pool !== undefined && !all;
  const sections = report.sections.flatMap(({ place, findings }) => {
    const shown = folded ? findings.filter(({ verdict }) => verdict !== "ok") : findings;
    const fine = findings.length - shown.length;
    return [
      fine > 0 ? `${place}: ${fine} ok` : place,
      ...shown.map((finding) => renderFinding(finding, width)),
      // Places without news stand together.
      ...(folded && shown.length === 0 ? [] : [""]),
    ];
  });
  const pool = report.pool ? [renderPool(report.pool, width), ""] : [];
  const end = folded && sections.at(-1) !== "" ? [""] : [];
  return [...pool, renderHead(width), ...sections, ...end, renderSummary(report), ""].join("\n");
}

function renderSummary(report: Report): string {
  const { ok, warn, FAIL, skip } = count(report);
  const parts = [
    `${ok} ok`,
    ...(warn > 0 ? [`${warn} to look at (warn)`] : []),
    ...(FAIL > 0 ? [`${FAIL} wrong (FAIL)`] : []),
    ...(skip > 0 ? [`${skip} not asked (skip)`] : []),
  ];
  return `${report.stack}: ${report.parked ? "parked, " : ""}${parts.join(", ")}, in ${report.seconds.toFixed(1)} s`;
}

/** Report for programs, with times in ISO 8601 and seconds. */
export function reportAsJson(report: Report): unknown {
  const { stack, checkedAt, seconds, sections, pool } = report;
  const counts = count(report);
  return {
    stack,
    checkedAt: checkedAt.toISOString(),
    seconds,
    verdict: counts.FAIL > 0 ? "FAIL" : counts.warn > 0 ? "warn" : report.parked ? "parked" : "ok",
    counts,
    ...(pool && { pool }),
    checks: sections.flatMap(({ place, findings }) => findings.map((finding) => ({ place, ...finding }))),
  };
}
