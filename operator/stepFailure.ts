/** Pattern of the line with which `step` reports a failure on a host: the step's title and the place of its log. */
const FAILED = /^FAILED after \d+ s: (.*)$/;

/**
 * Shortens the error of a step that failed on a host, which was shown whole, to its last lines.
 *
 * @param lines The command line, then the step's whole output.
 * @returns the reason and the place of the log; all lines if they are no step's
 */
export function stepFailure(lines: readonly string[]): readonly string[] {
  const at = lines.findIndex((line) => FAILED.test(line.trim()));
  if (at < 0) return lines;
  const words = (line: string) => line.trim().replace(/ \[\w+(?: \d+\/\d+)?\]$/, "");
  const reason = words(lines[at - 1] ?? "");
  const where = FAILED.exec(words(lines[at]!))![1]!;
  return [/: started$|^Process exited/.test(reason) ? where : `${reason} (${where})`];
}
