/** Terminal of the update, which the engine writes to; the program's own output is a pipe. */
import { openSync } from "node:fs";
import { WriteStream } from "node:tty";

/** Columns that the CLI indents what stands below "Diagnostics:". */
const INDENT = 4;
const NARROWEST = 60;
const WIDEST = 160;

/** Number of columns; undefined without a terminal, as in CI. */
export function terminalColumns(path = "/dev/tty"): number | undefined {
  try {
    const terminal = new WriteStream(openSync(path, "w"));
    const { columns } = terminal;
    terminal.destroy();
    return columns > 0 ? columns : undefined;
  } catch {
    return undefined;
  }
}

/** Width of a page below "Diagnostics:"; undefined where it is not to be wrapped. */
export function pageWidth(columns: number | undefined): number | undefined {
  return columns === undefined ? undefined : Math.min(Math.max(columns - INDENT, NARROWEST), WIDEST);
}
