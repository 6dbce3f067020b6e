/** Pages of checks, a line for each; scripts/host/checks.py prints the same. */
import { wrapped } from "./text";

/** What a page tells of a check. */
export interface FindingLine {
  readonly verdict: string;
  readonly seconds: number;
  readonly name: string;
  /** Empty for a check of the host's own state. */
  readonly asked: string;
  readonly answer: string;
  readonly remedy?: string;
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

/** First line of a page. @param width Columns of the terminal; undefined gives a line for each check, however long. */
export function renderHead(width?: number): string {
  return beside(cellsOf(["", "took".padStart(7), "check", "asked", "came back"], width), width).join("\n");
}

/**
 * Line of a check, wrapped to the width if there is one, with its advice below. scripts/host/checks.py prints the same
 * at the end of an update.
 */
export function renderFinding(
  { verdict, seconds, name, asked, answer, remedy }: FindingLine,
  width?: number,
): string {
  const took = `${seconds.toFixed(1).padStart(5)} s`;
  const lines = beside(cellsOf([verdict, took, name, asked, answer], width), width);
  if (remedy === undefined) return lines.join("\n");
  const label = `${" ".repeat(width !== undefined && width < WIDE ? 6 : 15)}to do: `;
  const parts = width === undefined ? [remedy] : wrapped(remedy, Math.max(width - label.length, 20));
  const below = parts.map((part, i) => `${i === 0 ? label : " ".repeat(label.length)}${part}`);
  return [...lines, ...below].join("\n");
}

const HEAD = /^ +took {2}check /;
const FINDING = /^(\w+) +(\d+\.\d) s {2}(\S.*?)(?: {2,}(\S.*?))? {2,}(\S.*)$/;
const REMEDY = /^ +to do: (.*)$/;

/** Wraps a page that was printed without a width; what is no line of a check stays. */
export function wrapPage(page: string, width: number): string {
  const lines: string[] = [];
  let last: FindingLine | undefined;
  for (const line of page.split("\n")) {
    const remedy = REMEDY.exec(line)?.[1];
    if (last !== undefined && remedy !== undefined) {
      lines.pop();
      lines.push(renderFinding({ ...last, remedy }, width));
      continue;
    }
    last = findingOf(line);
    lines.push(HEAD.test(line) ? renderHead(width) : last ? renderFinding(last, width) : line);
  }
  return lines.join("\n");
}

function findingOf(line: string): FindingLine | undefined {
  const [, verdict, seconds, name, asked = "", answer] = FINDING.exec(line) ?? [];
  if (verdict === undefined || name === undefined || answer === undefined) return undefined;
  return { verdict, seconds: Number(seconds), name, asked, answer };
}
