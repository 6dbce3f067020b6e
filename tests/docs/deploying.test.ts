import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { parseSettings } from "../../settings";
import { SettingsError } from "../../settings/problems";
import { readmeCommands } from "../e2e/support/readme";
import { commandsOf } from "./ci/jobs";
import { PROJECT } from "./pages";

const blocks = readmeCommands("Deploy it");

/** The settings of Pulumi.prod.yaml after the commands of the README have set theirs. */
function settingsAfter(lines: readonly string[]): Record<string, unknown> {
  const { config } = parse(readFileSync(join(PROJECT, "Pulumi.prod.yaml"), "utf8")) as {
    config: Record<string, unknown>;
  };
  const set = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace(/^bigbluebutton:/, ""), value]),
  );
  for (const words of lines.flatMap(commandsOf)) {
    if (words.slice(0, 3).join(" ") !== "pulumi config set" || words[3] === "--secret") continue;
    const [key, value] = words.slice(3).filter((word) => word !== "--path");
    const [, list] = /^(\w+)\[0\]$/.exec(key!) ?? [];
    if (list === undefined) set[key!] = value;
    else set[list] = [value];
  }
  return set;
}

/** The settings that the program refuses. */
function refused(settings: Record<string, unknown>): string[] {
  try {
    parseSettings(settings, { project: "bigbluebutton", stack: "prod" });
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key }) => key);
  }
}

test.each(["hetzner", "aws"])("the README's commands give a stack at %s its settings", (cloud) => {
  const lines = cloud === "aws" ? blocks.flat() : blocks[0]!;
  const settings = settingsAfter(lines);
  expect(settings).toMatchObject({ environment: "prod", ...(cloud === "aws" && { cloud }) });
  // The address is an example.
  expect(refused(settings)).toEqual(["email"]);
  expect(refused({ ...settings, email: "admin@school.eu" })).toEqual([]);
});

test("the README's versions are those that are needed", () => {
  const { engines } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
    engines: { node: string };
  };
  const readme = readFileSync(join(PROJECT, "README.md"), "utf8");
  expect(engines.node).toBe(`>=${/Node\.js (\d+) or newer/.exec(readme)?.[1]}`);
});
