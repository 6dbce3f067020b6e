/**
 * Table of the cases of a run of scripts/faults: faultTable.ts [--write FILE] RESULTS. A case's name has the fault, a
 * colon, and the required end. --write keeps the table, with durations rounded, in a Markdown file: the test files of the
 * run replace their own part of it, the parts of the others stay.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";

import Table from "cli-table3";

/** One case of the fault suite. */
export interface Case {
  /** Name of the test file, in tests/e2e/faults. */
  readonly file: string;
  readonly group: string;
  readonly fault: string;
  readonly end: string;
  readonly seconds: number;
  readonly status: string;
}

interface Results {
  readonly testResults: readonly {
    readonly name: string;
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
  return testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ ancestorTitles, title, status, duration }) => {
      const [fault = title, ...end] = title.split(": ");
      return {
        file: basename(name),
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

/** Where the part of a test file begins in docs/faults.md. */
const PART = /^<!-- (\S+\.test\.ts) -->$/m;

/**
 * Renders docs/faults.md: a part a test file, with a table a group.
 *
 * @param page Page of earlier runs, whose parts of other test files stay.
 * @param exists True for the name of a test file that there is still.
 */
export function renderPage(
  found: readonly Case[],
  page = "",
  exists: (file: string) => boolean = () => true,
): string {
  const [, ...earlier] = page.split(PART);
  const parts = new Map<string, string>();
  for (let index = 0; index < earlier.length; index += 2) {
    if (exists(earlier[index]!)) parts.set(earlier[index]!, earlier[index + 1]!.trim());
  }
  for (const file of new Set(found.map((one) => one.file))) {
    parts.set(file, renderPart(found.filter((one) => one.file === file)));
  }
  const sorted = [...parts].sort(([one], [other]) => (one < other ? -1 : 1));
  const rows = sorted.flatMap(([, part]) => [...part.matchAll(/^\| .* \| (\d+) s \|$/gm)]);
  const minutes = rows.reduce((total, [, seconds]) => total + Number(seconds), 0) / 60;
  return [
    "# What goes wrong, and how it ends",
    "",
    "`./scripts/faults --write` wrote this page. It makes each of these things happen in the sandbox, and asserts the end. If no",
    `other end is named, the deployment works afterwards and nothing was lost. ${rows.length} cases, all passed, in ${minutes.toFixed(0)} minutes on a machine of two cores.`,
    ...sorted.flatMap(([file, part]) => ["", `<!-- ${file} -->`, "", part]),
    "",
  ].join("\n");
}

function renderPart(found: readonly Case[]): string {
  const escape = (text: string) => text.replaceAll("|", "\\|");
  const groups = [...new Set(found.map(({ group }) => group))].map((group) => [
    `## ${group}`,
    "",
    "| what happens | how it ends | took |",
    "| --- | --- | ---: |",
    ...found
      .filter((one) => one.group === group)
      .map(({ fault, end, seconds }) => `| ${escape(fault)} | ${escape(end)} | ${seconds.toFixed(0)} s |`),
  ]);
  return groups.map((lines) => lines.join("\n")).join("\n\n");
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
  const { write } = values;
  if (write === undefined) return;
  if (found.every(({ status }) => status === "passed")) {
    const before = existsSync(write) ? readFileSync(write, "utf8") : "";
    const exists = (name: string) => existsSync(join(__dirname, "../e2e/faults", name));
    writeFileSync(write, renderPage(found, before, exists));
  } else console.log(`${write} was left as it is: it tells of a run without failures`);
}

if (require.main === module) main();
