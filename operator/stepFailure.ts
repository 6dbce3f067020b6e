/** The step's title and where its log is: how `step` says on a host that a script failed. */
const FAILED = /^FAILED after \d+ s: (.*)$/;

/**
 * Shortens the error of a step that failed on a host, which was shown whole, to what it says at its end.
 *
 * @param lines The command line, then all that the step printed.
 * @returns The reason and where the log is, or all lines where they are no step's.
 */
export function stepFailure(lines: readonly string[]): readonly string[] {
  const at = lines.findIndex((line) => FAILED.test(line.trim()));
  if (at < 0) return lines;
  const words = (line: string) => line.trim().replace(/ \[\w+ \d+\/\d+\]$/, "");
  const reason = words(lines[at - 1] ?? "");
  const where = FAILED.exec(words(lines[at]!))![1]!;
  return [/: started$|^Process exited/.test(reason) ? where : `${reason} (${where})`];
}
