/**
 * Table of the cases of a run of scripts/faults: faultTable.ts [--write FILE] RESULTS. A case's name has the fault, a
 * colon, and the required end. --write keeps the table, with durations rounded, in a Markdown file.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";

import Table from "cli-table3";

/** One case of the fault suite. */
export interface Case {
  readonly group: string;
  readonly fault: string;
  readonly end: string;
  readonly seconds: number;
  readonly status: string;
}

interface Results {
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly ancestorTitles: readonly string[];
      readonly title: string;
      readonly status: string;
      readonly duration?: number | null;
    }[];
  }[];
}

/** Cases of a run, from jest's --json. */
export function cases({ testResults }: Results): Case[] {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status, duration }) => {
      const [fault = title, ...end] = title.split(": ");
      return {
        group: ancestorTitles.join(", "),
        fault,
        end: end.join(": "),
        seconds: (duration ?? 0) / 1000,
        status,
      };
    }),
  );
}

/** Renders the table for the terminal, with the sum in the last line. */
export function renderTable(found: readonly Case[]): string {
  const table = new Table({
    head: ["what happens", "how it ends", "took", ""],
    style: { head: [], border: [] },
  });
  for (const { fault, end, seconds, status } of found) {
    table.push([fault, end, { content: `${seconds.toFixed(0)} s`, hAlign: "right" }, status]);
  }
  return `${table.toString()}\n${sum(found)}`;
}

function sum(found: readonly Case[]): string {
  const count = (status: string) => found.filter((one) => one.status === status).length;
  const seconds = found.reduce((total, one) => total + one.seconds, 0);
  return `${found.length} cases: ${count("passed")} passed, ${count("failed")} failed, in ${(seconds / 60).toFixed(0)} minutes`;
}

/** Renders docs/faults.md: a table a group. */
export function renderPage(found: readonly Case[]): string {
  const groups = [...new Set(found.map(({ group }) => group))];
  const escape = (text: string) => text.replaceAll("|", "\\|");
  const sections = groups.map((group) => {
    const rows = found
      .filter((one) => one.group === group)
      .map(({ fault, end, seconds }) => `| ${escape(fault)} | ${escape(end)} | ${seconds.toFixed(0)} s |`);
    return [
      `## ${group}`,
      "",
      "| what happens | how it ends | took |",
      "| --- | --- | ---: |",
      ...rows,
      "",
    ].join("\n");
  });
  return [
    "# What goes wrong, and how it ends",
    "",
    "`./scripts/faults --write` wrote this page. It makes each of these things happen in the sandbox, and asserts the end. If no",
    `other end is named, the deployment works afterwards and nothing was lost. ${sum(found)} on a machine of two cores.`,
    "",
    ...sections,
  ].join("\n");
}

function main(): void {
  const { values, positionals } = parseArgs({
    options: { write: { type: "string" } },
    allowPositionals: true,
  });
  const [file = ""] = positionals;
  const found = cases(JSON.parse(readFileSync(file, "utf8")) as Results).filter(
    ({ status }) => status === "passed" || status === "failed",
  );
  console.log(renderTable(found));
  if (values.write === undefined) return;
  if (found.every(({ status }) => status === "passed")) writeFileSync(values.write, renderPage(found));
  else console.log(`${values.write} was left as it is: it tells of a run without failures`);
}

if (require.main === module) main();
