import { FAILED, FINE } from "../mistake";
import type { Finding, Verdict } from "./finding";

/** The findings of one place that was asked, or that asked: this machine, the cloud, a host. */
export interface Section {
  readonly place: string;
  readonly findings: readonly Finding[];
}

/** The state of a deployment at one moment. */
export interface Report {
  readonly stack: string;
  readonly checkedAt: Date;
  readonly seconds: number;
  readonly sections: readonly Section[];
}

/** How many findings there are of each verdict. */
export function count({ sections }: Report): Readonly<Record<Verdict, number>> {
  const counts = { ok: 0, warn: 0, FAIL: 0, skip: 0 };
  for (const { verdict } of sections.flatMap(({ findings }) => findings)) counts[verdict]++;
  return counts;
}

/** @param strict warnings count as failures */
export function exitCode(report: Report, strict: boolean): number {
  const { FAIL, warn } = count(report);
  return FAIL > 0 || (strict && warn > 0) ? FAILED : FINE;
}

const HEAD = `${" ".repeat(6)}${"took".padStart(7)}  ${"check".padEnd(18)}  ${"asked".padEnd(38)}  came back`;

/** A check's line, with its remedy below. The same as scripts/host/checks.py prints at the end of an update. */
export function renderFinding({ verdict, seconds, name, asked, answer, remedy }: Finding): string {
  const time = `${seconds.toFixed(1).padStart(5)} s`;
  const line = `${verdict.padEnd(4)}  ${time}  ${name.padEnd(18)}  ${asked.padEnd(38)}  ${answer}`;
  return remedy === undefined ? line : `${line}\n${" ".repeat(15)}to do: ${remedy}`;
}

/** The whole page. */
export function renderReport(report: Report): string {
  const sections = report.sections.flatMap(({ place, findings }) => [
    place,
    ...findings.map((finding) => renderFinding(finding)),
    "",
  ]);
  return [HEAD, ...sections, renderSummary(report), ""].join("\n");
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

/** The report for a machine to read; times in ISO 8601 and seconds. */
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
