/** Present versions and their support, compared with the table of releases. */
import type { Release } from "../../bigbluebutton/releases";
import { Doubtful, Wrong } from "../check/finding";

const TABLE = "bigbluebutton/releases.ts";
/** Days before an end of support from which it is reported. */
const SOON = 180;

interface Version {
  readonly line: string;
  readonly patch: number;
  readonly final: boolean;
  readonly text: string;
}

/** Versions in GitHub's list of tags. @throws Wrong for any other text */
export function versionsOf(json: string): Version[] {
  const found = [...tagsOf(json)].flatMap((ref): Version[] => {
    const [, text, line, patch, pre] =
      /^refs\/tags\/v((\d+\.\d+)\.(\d+)(?:[-~.]?([a-z].*))?)$/.exec(ref) ?? [];
    return text === undefined ? [] : [{ text, line: line!, patch: Number(patch), final: pre === undefined }];
  });
  if (found.length === 0)
    throw new Wrong("the list of tags has no version in it", `correct upstreamLists in ${TABLE}`);
  return found;
}

function tagsOf(json: string): string[] {
  try {
    return (JSON.parse(json) as readonly { ref?: unknown }[]).map(({ ref }) => String(ref));
  } catch {
    throw new Wrong("the list of tags is not what GitHub's API answers", `correct upstreamLists in ${TABLE}`);
  }
}

const byLine = (one: string, other: string): number => {
  const [a, b] = [one, other].map((line) => line.split(".").map(Number) as [number, number]);
  return a![0] - b![0] || a![1] - b![1];
};

/** Newest version of a release's line. @throws Doubtful when its status in the table is outdated */
export function newest(versions: readonly Version[], { version: line, status, name }: Release): string {
  const here = versions.filter((version) => version.line === line);
  const finals = here.filter(({ final }) => final).sort((one, other) => one.patch - other.patch);
  const last = finals.at(-1)?.text;
  if (status === "candidate" && last !== undefined) {
    throw new Doubtful(
      `${last} is out, no candidate any more`,
      `read its notes; then correct status of ${name} in ${TABLE}`,
    );
  }
  if (last !== undefined) return `${last} is the newest`;
  if (status === "candidate" && here.length > 0) return `no final version yet, ${here.length} before it`;
  throw new Wrong(
    `no version of ${line} is among the tags`,
    `look what became of it; correct ${name} in ${TABLE}`,
  );
}

/** Lines newer than all in the table. @throws Doubtful when there are some */
export function newLines(versions: readonly Version[], releases: readonly Release[]): string {
  const last = releases
    .map(({ version }) => version)
    .sort(byLine)
    .at(-1)!;
  const lines = [...new Set(versions.map(({ line }) => line))]
    .filter((line) => byLine(line, last) > 0)
    .sort(byLine);
  if (lines.length === 0) return `none after ${last}`;
  throw new Doubtful(`${lines.join(", ")}, which the table does not have`, `add a row to ${TABLE}`);
}

/** Upstream's support of the line. @throws Wrong or Doubtful when its status in the table says otherwise */
export function supported(markdown: string, { version: line, status, name }: Release): string {
  const rows = [...markdown.matchAll(/^\|\s*([\d.]+)\.x\b[^|]*\|\s*([^|]*?)\s*\|/gm)];
  if (rows.length === 0) {
    throw new Wrong("the page has no table of supported versions", `correct upstreamLists in ${TABLE}`);
  }
  const mark = rows.find(([, version]) => version === line)?.[2];
  if (mark === undefined) {
    if (status === "candidate") return `${line} is not in the list yet`;
    throw new Doubtful(
      `${line} is not in the list of supported versions`,
      `look whether it still is; status of ${name} in ${TABLE}`,
    );
  }
  if (/white_check_mark|✅|yes/i.test(mark)) return `${line} is supported`;
  throw new Wrong(
    `${line} is not supported any more`,
    `plan the move to a newer release; correct status of ${name} in ${TABLE}`,
  );
}

/** End of Ubuntu's support of a release. @throws Wrong or Doubtful when that is past or near */
export function ubuntuEnd(csv: string, ubuntu: string, now: Date): string {
  const [head = "", ...lines] = csv.trim().split(/\r?\n/);
  const columns = head.split(",");
  const row = lines.map((line) => line.split(",")).find(([version]) => version?.split(" ")[0] === ubuntu);
  const end = row?.[columns.indexOf("eol-server")] || row?.[columns.indexOf("eol")];
  if (end === undefined || Number.isNaN(Date.parse(end))) {
    throw new Wrong(
      `the list of Ubuntu's releases has no end for ${ubuntu}`,
      `correct upstreamLists in ${TABLE}`,
    );
  }
  const days = Math.floor((Date.parse(end) - now.getTime()) / 86_400_000);
  const remedy = "plan the move of its servers to a newer release";
  if (days < 0) throw new Wrong(`Ubuntu ${ubuntu} has had no support since ${end}`, remedy);
  if (days < SOON) throw new Doubtful(`Ubuntu ${ubuntu} is supported until ${end}, ${days} days`, remedy);
  return `Ubuntu ${ubuntu} is supported until ${end}`;
}
