/** Command line of scripts/plan, which shows what a stack's settings would make, without credentials. */
import { join } from "node:path";

import { Command } from "commander";

import { runCommand } from "./commandLine";
import { collect } from "../cli/collect";
import { Mistake } from "../cli/mistake";
import { printJson } from "./output";
import { readGiven } from "./plan/given";
import { pageWidth } from "../cli/width";

const PROJECT = join(__dirname, "..");

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
  // The command in scripts/ has entered the sandbox by now, whose token and endpoint are in the environment.
  .option("--sandbox", "ask the price list of the cloud inside this machine, which needs no account")
  .addHelpText(
    "after",
    "\nExit code: 0 fine, 1 something is wrong with the settings or too small, 2 a mistake in the command.",
  )
  .action(async (stack: string | undefined, { set, users, json }: Options) => {
    const given = readGiven(PROJECT, stack, set);
    const people = users === undefined ? undefined : count(users);
    /* eslint-disable @typescript-eslint/no-require-imports -- takes a second, which a mistake need not wait for */
    const { exitCode, makePlan } = require("./plan/document") as typeof import("./plan/document");
    const { renderPlan } = require("./plan/page") as typeof import("./plan/page");
    /* eslint-enable @typescript-eslint/no-require-imports */
    const plan = await makePlan(given, {
      users: people,
      hetzner: hetznerAccess(process.env),
      now: new Date(),
    });
    if (json) printJson(plan);
    else process.stdout.write(renderPlan(plan, pageWidth()));
    process.exitCode = exitCode(plan);
  });

function count(text: string): number {
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new Mistake(`--users ${text}: give a number of people, 1 or more`);
  return Number(text);
}

/** Credentials from the provider's variables; undefined without a token. */
function hetznerAccess({ HCLOUD_TOKEN: token, HCLOUD_ENDPOINT, HETZNER_ENDPOINT }: NodeJS.ProcessEnv) {
  return token ? { token, endpoint: HCLOUD_ENDPOINT, boxEndpoint: HETZNER_ENDPOINT } : undefined;
}

void runCommand(command, process.argv);
