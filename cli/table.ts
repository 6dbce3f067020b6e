import Table from "cli-table3";

/** Column: its title, and the alignment of its texts. */
export type Column = readonly [title: string, align?: "right"];

const GAP = 2;

const noLines = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "" },
  middle: " ".repeat(GAP),
};

/**
 * Renders a table without lines, for terminals and logs. Texts are wrapped between words to fit the width; with too
 * many long words, each row becomes a block of lines.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width = Infinity,
): string {
  const widths = fit(columns, rows, width);
  if (widths === undefined) return rows.map((row) => renderBlock(columns, row)).join("\n\n");
  const table = new Table({
    head: columns.map(([title]) => title),
    colWidths: widths,
    colAligns: columns.map(([, align]) => align ?? "left"),
    wordWrap: true,
    chars: noLines,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replace(/ +$/gm, "");
}

/** Widths of the columns; undefined if they are too wide without cutting a word. */
function fit(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
): number[] | undefined {
  const texts = columns.map(([title], i) => [title, ...rows.map((row) => row[i] ?? "")]);
  const longest = (all: readonly string[]) => Math.max(1, ...all.map((text) => text.length));
  const least = texts.map((all) => longest(all.flatMap((text) => text.split(/\s+/))));
  const widths = texts.map(longest);
  const room = width - GAP * (columns.length - 1);
  const total = () => widths.reduce((sum, one) => sum + one, 0);
  while (total() > room) {
    const spare = widths.map((one, i) => (one > least[i]! ? one : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) return undefined;
    widths[widest]! -= 1;
  }
  return widths;
}

function renderBlock(columns: readonly Column[], row: readonly string[]): string {
  const titles = Math.max(...columns.map(([title]) => title.length)) + GAP;
  return columns.flatMap(([title], i) => (row[i] ? [`${title.padEnd(titles)}${row[i]}`] : [])).join("\n");
}
