/** Messages of the present bbb-conf, compared with the known ones. */
import { bbbConfProblems } from "../../bigbluebutton/bbbConf";
import { Doubtful, worst, Wrong } from "../check/finding";

const HEADER = "# Potential problems described below";
const TABLE = "bigbluebutton/bbbConf.ts and scripts/host/bbb_conf_check.py";

/** Problems that a bbb-conf can report, each in one line, values as `…`. */
export function problemsOf(text: string): string[] {
  const lines = [
    ...text.matchAll(
      /^[^#\n]*?\becho +(?:-\w+ +)*(["'])# *((?:Error|Warning|Not running|Nginx)\b.*?)\1 *(?:;|>|$)/gm,
    ),
  ];
  return [...new Set(lines.map(([, , problem]) => withoutValues(problem!)))];
}

function withoutValues(problem: string): string {
  return problem
    .replace(/\\(["'$`])/g, "$1")
    .replace(/\$\([^)]*\)|\$\{[^}]*\}|\$\w+|`[^`]*`/g, "…")
    .replace(/['"]…['"]/g, "…")
    .trim();
}

const withoutEllipsis = (text: string): RegExp =>
  new RegExp(
    `^${text
      .split("…")
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*")}`,
  );

/** Compares messages. @throws Wrong or Doubtful with all that is new or gone */
export function inspectBbbConf(text: string, units: readonly string[]): string {
  const problems = problemsOf(text);
  const known = bbbConfProblems.map(([begins]) => withoutEllipsis(begins));
  const fresh = problems.filter((problem) => !known.some((begins) => begins.test(problem)));
  const answers: (string | Wrong)[] = [];
  if (!text.includes(HEADER)) {
    answers.push(
      new Wrong(
        "its header of problems has another text: no problem would be found",
        `correct HEADER in ${TABLE}`,
      ),
    );
  }
  if (problems.length === 0) {
    answers.push(new Wrong("none of its problems could be read", `read it, and correct ${TABLE}`));
  }
  for (const problem of fresh) {
    answers.push(
      new Doubtful(`a problem of a new text, taken for a warning: ${problem}`, `judge it in ${TABLE}`),
    );
  }
  const gone = units.filter((unit) => !new RegExp(`(?<![\\w-])${unit}(?![\\w-])`).test(text));
  if (gone.length > 0) {
    answers.push(
      new Wrong(
        `does not name ${gone.join(", ")}`,
        "look what became of the service, and correct units in bigbluebutton/releases.ts and scripts/host/system_check.py",
      ),
    );
  }
  return worst([...answers, `${problems.length} problems, ${units.length} services known`]);
}
