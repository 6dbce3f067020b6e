/** scripts/plan: what a stack's settings would make, without credentials. */
import { join } from "node:path";

import { Command } from "commander";

import { runCommand } from "./commandLine";
import { Mistake } from "./mistake";
import { printJson } from "./output";
import { exitCode, makePlan } from "./plan/document";
import { renderPlan } from "./plan/page";
import { readGiven } from "./plan/settings";

const PROJECT = join(__dirname, "..", "..");

interface Options {
  readonly set: readonly string[];
  readonly users?: string;
  readonly json?: true;
}

const command = new Command("scripts/plan")
  .description(
    "What the settings of a stack would make, what it would take, and what is wrong with them. Asks no cloud and needs " +
      "neither credentials nor the Pulumi CLI; with HCLOUD_TOKEN, Hetzner's price list is asked.",
  )
  .argument("[stack]", "the stack whose Pulumi.<stack>.yaml is read; without it, the settings given alone")
  .option("--set <key=value>", "a setting, over the stack's; lists as JSON; repeatable", collect, [])
  .option("--users <number>", "people expected in all meetings together")
  .option("--json", "one JSON document")
  .addHelpText(
    "after",
    "\nExit code: 0 fine, 1 something is wrong with the settings or too small, 2 a mistake in the command.",
  )
  .action(async (stack: string | undefined, { set, users, json }: Options) => {
    const given = readGiven(PROJECT, stack, set);
    const plan = await makePlan(given, {
      users: users === undefined ? undefined : count(users),
      hetzner: hetznerAccess(process.env),
      now: new Date(),
    });
    if (json) printJson(plan);
    else process.stdout.write(renderPlan(plan));
    process.exitCode = exitCode(plan);
  });

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Mistake(`--users ${text}: give a number of people, 1 or more`);
  return Number(text);
}

/** As the provider finds it. */
function hetznerAccess({ HCLOUD_TOKEN: token, HCLOUD_ENDPOINT: endpoint }: NodeJS.ProcessEnv) {
  return token ? { token, endpoint } : undefined;
}

void runCommand(command, process.argv);
