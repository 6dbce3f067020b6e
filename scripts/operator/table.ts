import Table from "cli-table3";

/** A column: its title, how wide it is where its texts are to be wrapped between words, and where they stand. */
export type Column = readonly [title: string, width?: number, align?: "right"];

const noLines = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", mid: "", "mid-mid": "", right: "", "right-mid": "" },
  middle: "  ",
};

/** A table without lines, for terminals and logs alike. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const table = new Table({
    head: columns.map(([title]) => title),
    colWidths: columns.map(([, width]) => width ?? null),
    colAligns: columns.map(([, , align]) => align ?? "left"),
    wordWrap: true,
    chars: noLines,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replace(/ +$/gm, "");
}
