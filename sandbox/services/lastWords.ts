/** Times in front of programs' lines: BIND's, Go's, and ISO 8601. */
const TIME = /^(\d{2}-\w{3}-\d{4}|\d{4}[/-]\d{2}[/-]\d{2})[T ][\d:.]+Z? */;
const TELLING = /error|fail|fatal|unknown|refused|denied|duplicate|cannot|can't|unable|no such|in use/i;

/** Reason in a log why its program ended: the last three lines that tell of one, else the last three. */
export function lastWords(log: string): string {
  const lines = log
    .split("\n")
    .map((line) => line.replace(TIME, "").trim())
    .filter((line) => line !== "");
  const telling = lines.filter((line) => TELLING.test(line));
  return (telling.length > 0 ? telling : lines).slice(-3).join(" / ") || "its log is empty";
}
