/** Command line of scripts/backup: backups of a stack's BigBlueButton server, made and looked after. */
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";

import { Command, InvalidArgumentError } from "commander";

import { FAILED, FINE, Mistake } from "../cli/mistake";
import { collect } from "../cli/collect";
import { parseSets, readProjectFile } from "../cli/stackFiles";
import { terminalWidth } from "../cli/width";
import { drill, type Drilled } from "./backup/drill";
import { renderRows } from "./backup/drillReport";
import { runOnServer, serverOf, type Call, type Server, type ServerOptions } from "./backup/server";
import { runCommand } from "./commandLine";
import { openStacks, PROJECT_DIR } from "./openStacks";
import { printJson, say } from "./output";
import { parseTtl } from "./testServers/duration";
import { assertLike, settingsLike, settingsOf } from "./testServers/like";
import { openWorld } from "./testServers/open";

const command = new Command("scripts/backup")
  .description(
    "Backups of a stack's BigBlueButton server, which the setting backup asks for. docs/backup.md says what is in them.",
  )
  .addHelpText(
    "after",
    "\nExit code: 0 fine, 1 something failed, 2 a mistake in the command or no such stack.",
  );

onStack("run", "make one now, as each night does, and follow it; it goes on if this ends").action(
  (stack: string, options: ServerOptions) => call(stack, options, { words: ["backup.py", "now"] }),
);

onStack("list", "the backups, newest first, with their ids")
  .option("--json", "one JSON document on standard output")
  .action((stack: string, { json, ...options }: ServerOptions & { readonly json?: true }) => {
    const lines: string[] = [];
    const onLine = json ? (line: string) => void lines.push(line) : undefined;
    return call(stack, options, { words: ["backup.py", "list", ...(json ? ["--json"] : [])], onLine }, () => {
      if (json) printJson(documentIn(lines));
    });
  });

onStack("verify", "whether every part of the repository is there")
  .option("--read <percent>", "read this part of the saved data, too, which a storage may charge", percent)
  .action((stack: string, { read, ...options }: ServerOptions & { readonly read?: number }) =>
    call(stack, options, {
      words: ["backup.py", "verify", ...(read === undefined ? [] : ["--read", String(read)])],
    }),
  );

onStack("prune", "remove what is older than backup.keep says")
  .option(
    "--own-keys",
    "with keys that may delete, where the server's may not and the stack has none: PRUNE_ACCESS_KEY_ID and PRUNE_SECRET_ACCESS_KEY of this environment, or PRUNE_SSH_KEY, a file",
  )
  .action((stack: string, { ownKeys, ...options }: ServerOptions & { readonly ownKeys?: true }) =>
    deleting(stack, options, ["backup.py", "prune"], ownKeys && keysOf(process.env)),
  );

interface DrillArguments extends ServerOptions {
  readonly ttl: string;
  readonly set: string[];
  readonly like?: string;
  readonly keep?: true;
  readonly json?: true;
}

onStack(
  "drill",
  "restore the last backup to a test server, compare, and remove that server: it costs what a small server does for that time",
)
  .option("--ttl <time>", "how long the test server lives at most; more for many recordings", "3h")
  .option(
    "--like <stack>",
    "take domain, e-mail, SSH networks and place from Pulumi.<stack>.yaml; default: the stack's own",
  )
  .option("--set <key=value>", "a setting of the test server; repeatable", collect, [])
  .option("--keep", "leave the test server until its time is up, to look at it")
  .option("--json", "one JSON document on standard output")
  .action(async (stack: string, options: DrillArguments) => {
    const { ttl, set, like: likeStack, keep, json, sandbox } = options;
    parseTtl(ttl);
    if (likeStack !== undefined) assertLike(likeStack);
    else if (options.program !== undefined)
      throw new Mistake(
        "--program: a test server is a stack of this project: add --like, with one whose domain and place it takes",
      );
    const more = parseSets(set, readProjectFile(PROJECT_DIR).types);
    const saved = await serverOf(stack, options);
    const stacks = await openStacks(sandbox ?? false, process.stderr);
    const like = () =>
      likeStack === undefined
        ? settingsOf(stacks, stack, set)
        : settingsLike(stacks, likeStack, { asked: set });
    const result = await drill(openWorld(stacks, { like }), {
      ...{ saved, like, set: more, ttl, keep: keep ?? false },
      connect: (testStack) => serverOf(testStack, { sandbox }),
    });
    const well = result.problems.length === 0 && result.rows.every(({ ok }) => ok);
    if (json) printJson({ stack, ok: well, ...result });
    else printDrilled(result);
    process.exitCode = well ? FINE : FAILED;
  });

function printDrilled({ run, host, rows, problems, seconds }: Drilled): void {
  if (rows.length > 0) process.stdout.write(`${renderRows(rows, terminalWidth())}\n`);
  for (const problem of problems) say(`error: ${problem}`);
  const wrong = rows.filter(({ ok }) => !ok).length;
  const end =
    rows.length === 0 ? "was not compared" : wrong === 0 ? "is whole" : `has ${wrong} difference(s)`;
  process.stdout.write(`the backup ${run} of ${host} ${end}, after ${Math.round(seconds / 60)} min\n`);
}

const key = command
  .command("key")
  .description("passwords that open the repository: one of your own lives on when the stack is lost");
withServer(key.command("list").description("the passwords, each with its id")).action(
  (stack: string, options: ServerOptions) => call(stack, options, { words: ["backup.py", "key", "list"] }),
);
withServer(
  key.command("add").description("add one of your own; asks for it, or reads it from standard input"),
).action(async (stack: string, options: ServerOptions) => {
  const input = `${await askPassword()}\n`;
  await call(stack, options, { words: ["backup.py", "key", "add"], input });
});
withServer(key.command("remove").description("take one away"))
  .argument("<id>", "of scripts/backup key list")
  .action((stack: string, id: string, options: ServerOptions) =>
    deleting(stack, options, ["backup.py", "key", "remove", id]),
  );

function onStack(name: string, description: string): Command {
  return withServer(command.command(name).description(description));
}

function withServer(one: Command): Command {
  return one
    .argument("<stack>")
    .option("--program <folder>", "of a program that imports the package, whose stack it is")
    .option("--deployment <name>", "one of those that its program makes")
    .option("--sandbox", "a stack of the cloud inside this machine");
}

/** Calls what deletes: with keys of the operator's own, or that of a Storage Box, where the server's may add only. */
async function deleting(
  stack: string,
  options: ServerOptions,
  words: Call["words"],
  ownKeys?: object,
): Promise<void> {
  const server = await serverOf(stack, options);
  const keys = ownKeys ?? (server.boxKey && { sshKey: server.boxKey, appendOnly: false });
  await callAt(server, {
    words: [...words, ...(keys ? ["--keys"] : [])],
    input: keys && `${JSON.stringify(keys)}\n`,
  });
}

async function call(
  stack: string,
  options: ServerOptions,
  what: Omit<Call, "onLine"> & Partial<Call>,
  then = () => {},
): Promise<void> {
  await callAt(await serverOf(stack, options), what, then);
}

async function callAt(
  server: Server,
  {
    onLine = (line) => void process.stdout.write(`${line}\n`),
    ...rest
  }: Omit<Call, "onLine"> & Partial<Call>,
  then = () => {},
): Promise<void> {
  const well = await runOnServer(server, { ...rest, onLine });
  if (well) then();
  process.exitCode = well ? FINE : FAILED;
}

function documentIn(lines: readonly string[]): unknown {
  return JSON.parse(lines.find((line) => line.startsWith("{")) ?? "{}");
}

function percent(text: string): number {
  const value = Number(text);
  if (value > 0 && value <= 100) return value;
  throw new InvalidArgumentError(`${text} is no percentage from 1 to 100.`);
}

function keysOf(env: NodeJS.ProcessEnv): object {
  const { PRUNE_ACCESS_KEY_ID, PRUNE_SECRET_ACCESS_KEY, PRUNE_SSH_KEY } = env;
  if (PRUNE_ACCESS_KEY_ID && PRUNE_SECRET_ACCESS_KEY) {
    return { accessKeyId: PRUNE_ACCESS_KEY_ID, secretAccessKey: PRUNE_SECRET_ACCESS_KEY };
  }
  if (PRUNE_SSH_KEY) return { sshKey: readFileSync(PRUNE_SSH_KEY, "utf8") };
  throw new Mistake(
    "--own-keys: set PRUNE_ACCESS_KEY_ID and PRUNE_SECRET_ACCESS_KEY, or PRUNE_SSH_KEY to a private key's file",
  );
}

async function askPassword(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("Password (12 letters or more; it shows as you type): ");
  const terminal = createInterface({ input: process.stdin });
  try {
    for await (const line of terminal) return line;
  } finally {
    terminal.close();
  }
  throw new Mistake("there is no password on standard input");
}

void runCommand(command, process.argv);
