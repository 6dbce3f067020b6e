/** Tables of the docs about groups of options, made from their one declaration in bigbluebutton/. */
import { stringify } from "yaml";

import { customizations } from "../../bigbluebutton/customizations";
import { extraFileRoots } from "../../bigbluebutton/extraFiles";
import { optionGroups, type GroupName } from "../../bigbluebutton/optionGroups";
import {
  allChoices,
  choicesOf,
  linesOf,
  optionLines,
  type Option,
  type OptionValue,
} from "../../bigbluebutton/options";
import { overridable, refusedKeys, type Overridable } from "../../bigbluebutton/overrides";
import { overrideFiles, type OverrideFile } from "../../bigbluebutton/overrideFiles";
import { table } from "./markdown";

/** Renders the table of a group's options. */
export function optionsTable(name: GroupName): string {
  const rows = Object.entries(optionGroups[name]).map(([key, option]) => [
    `\`${key}\``,
    option.description,
    valuesCell(option),
    option.default,
    `\`${exampleText(option.example)}\``,
    option.at
      .map(({ file, key }) => (key === "" ? `the file ${file}` : `\`${key}\` of ${file}`))
      .join("<br>") || "–",
    releasesCell(option),
  ]);
  return table(["option", "what", "values", "default", "example", "keys", "releases"], rows);
}

/** Renders the files that options are written to. */
export function overrideFilesTable(): string {
  const ofMeetings = new Set<string>(
    Object.values(optionGroups.meetings).flatMap(({ at }) => at.map(({ file }) => file)),
  );
  return table(
    ["name", "file", "after a change", "ends meetings"],
    Object.entries<OverrideFile>(overrideFiles)
      .filter(([name]) => ofMeetings.has(name))
      .map(([name, { path, restart, endsMeetings }]) => [
        name,
        `\`${path}\``,
        restart.map(afterwards).join(", ") || "nothing",
        endsMeetings ? "yes" : "no",
      ]),
  );
}

/** Renders the files whose keys can be overridden. */
export function overridableTable(): string {
  const names = Object.keys(overridable) as Overridable[];
  return table(
    ["name", "what", "file", "after a change"],
    names.map((name) => {
      const { path, restart } = overrideFiles[name];
      return [`\`${name}\``, overridable[name], `\`${path}\``, restart.map(afterwards).join(", ")];
    }),
  );
}

/** Renders the keys that can't be overridden. */
export function refusedKeysTable(): string {
  return table(
    ["name", "key", "why"],
    refusedKeys().map(([file, key, why]) => [`\`${file}\``, `\`${key}\``, why]),
  );
}

/** Renders the folders in which files of the operator's own may be. */
export function extraFileRootsTable(): string {
  return table(
    ["below", "what", "after a change"],
    Object.entries(extraFileRoots).map(([folder, { what, restart = [] }]) => [
      `\`${folder}\``,
      what,
      restart.map(afterwards).join(", ") || "nothing",
    ]),
  );
}

/** Words for what is done after a change. */
function afterwards(what: string): string {
  const [, how, unit] = /^(?:(\w+):)?(.*)$/.exec(what)!;
  if (unit === "daemon-reload") return "units are read anew";
  switch (how) {
    case "reload":
      return `\`${unit}\` is reloaded`;
    case "drain":
      return `\`${unit}\` is restarted once it has finished what it is at`;
    default:
      return `\`${unit}\` is restarted`;
  }
}

/** Renders a stack's file with an example of each option of a group. */
export function optionsExample(name: GroupName): string {
  const values = Object.fromEntries(
    Object.entries(optionGroups[name])
      .filter(([, option]) => linesOf(option).length === optionLines.length)
      .map(([key, { example }]) => [key, example]),
  );
  const text = stringify({ config: { [`bigbluebutton:${name}`]: values } }, { lineWidth: 0 });
  return `\`\`\`yaml\n${text}\`\`\``;
}

/** Renders what the guides of earlier releases change by hand, and what does it now. */
export function customizationsTable(): string {
  return table(
    ["in the guides", "setting", ""],
    customizations.map(({ what, settings = [], note = "" }) => [
      what,
      settings.map((name) => `\`${name}\``).join(", ") || "–",
      note,
    ]),
  );
}

function exampleText(value: OptionValue): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function valuesCell(option: Option): string {
  const { type } = option;
  switch (type.kind) {
    case "flag":
      return "`true`, `false`";
    case "integer":
      return `${type.least} to ${type.most}`;
    case "text":
      return `text of at most ${type.longest} characters`;
    case "file":
      return "path or https URL";
    case "choice":
    case "choices": {
      const values =
        "3.0" in type.values
          ? optionLines.map((line) => `${line}: ${listed(choicesOf(option, line)!)}`)
          : [listed(allChoices(option))];
      return `${type.kind === "choices" ? "list of " : ""}${values.join("; ")}`;
    }
    case "form":
      return type.what;
    case "names":
      return `list of ${type.what}`;
  }
}

function listed(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(", ");
}

function releasesCell(option: Option): string {
  const lines = linesOf(option);
  return lines.length === optionLines.length ? "all" : `${lines.join(", ")}; before: ${option.instead}`;
}
