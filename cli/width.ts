/** Width of a page. */

/** Width of pages in files and logs, which are read in editors and browsers. */
const WITHOUT_TERMINAL = 120;
const NARROWEST = 60;
const WIDEST = 160;

type Out = Pick<NodeJS.WriteStream, "isTTY" | "columns">;

/** Number of columns of the page's terminal. For a file or a log it is COLUMNS, or undefined without that. */
export function terminalWidth(
  out: Out = process.stdout,
  { COLUMNS }: NodeJS.ProcessEnv = process.env,
): number | undefined {
  const columns = out.isTTY ? out.columns : Number(COLUMNS);
  return columns > 0 ? Math.min(Math.max(columns, NARROWEST), WIDEST) : undefined;
}

/** Width for pages that are always wrapped. */
export function pageWidth(out?: Out, environment?: NodeJS.ProcessEnv): number {
  return terminalWidth(out, environment) ?? WITHOUT_TERMINAL;
}

/**
 * Wraps lines that exceed the width. Their second and later lines are indented by four more columns; other lines stay.
 */
export function hanging(text: string, width: number): string {
  return text
    .split("\n")
    .flatMap((line) => {
      if (line.length <= width) return [line];
      const [indent] = /^ */.exec(line)!;
      const [first, ...rest] = line.slice(indent.length).split(/(?<=\S)(?=\s)/);
      const lines = [`${indent}${first}`];
      for (const piece of rest) {
        if (lines.at(-1)!.length + piece.length <= width) lines.push(`${lines.pop()!}${piece}`);
        else lines.push(`${indent}    ${piece.trimStart()}`);
      }
      return lines;
    })
    .join("\n");
}
