/** Command line of scripts/upstream, which checks this project's assumptions against upstream's present files. */
import { Command } from "commander";

import { releaseNames, type ReleaseName } from "../bigbluebutton/releases";
import { exitCode, renderReport, reportAsJson } from "./check/report";
import { runCommand } from "./commandLine";
import { Mistake } from "../cli/mistake";
import { printJson } from "./output";
import { inspectUpstream } from "./upstream/document";
import { reader } from "./upstream/files";

interface Options {
  readonly json?: true;
  readonly strict?: true;
  readonly mirror?: string;
}

const command = new Command("scripts/upstream")
  .description(
    "Whether BigBlueButton's and Ubuntu's files of the day still hold what this project takes for granted: the installers, " +
      "bbb-conf, services, files and keys, newest versions, ends of support. Needs the internet and no credentials.",
  )
  .argument("[release...]", "releases of the table, e.g. jammy-30; all without")
  .option("--json", "one JSON document on standard output")
  .option("--strict", "warnings count as failures, too")
  .option("--mirror <url>", "read URL/HOST/PATH for https://HOST/PATH")
  .addHelpText(
    "after",
    "\nExit code: 0 all of it holds, 1 something does not or could not be read (FAIL), 2 a mistake in the command.",
  )
  .action(async (given: readonly string[], { json, strict, mirror }: Options) => {
    const names = given.length > 0 ? given.map(releaseName) : releaseNames;
    if (mirror !== undefined && !/^https?:\/\/[^/]/.test(mirror)) {
      throw new Mistake(`--mirror ${mirror}: give a URL, as https://mirror.example.org/files`);
    }
    const report = await inspectUpstream(names, reader(mirror), new Date());
    if (json) printJson(reportAsJson(report));
    else process.stdout.write(renderReport(report));
    process.exitCode = exitCode(report, strict ?? false);
  });

function releaseName(text: string): ReleaseName {
  const name = releaseNames.find((known) => known === text);
  if (name === undefined) throw new Mistake(`there is no release ${text}: ${releaseNames.join(", ")}`);
  return name;
}

void runCommand(command, process.argv);
