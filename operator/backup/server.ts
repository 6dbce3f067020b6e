/** BigBlueButton server of a stack, as commands reach it that have something done there. */
import { quote } from "shell-quote";

import { Failure, Mistake } from "../../cli/mistake";
import { scriptsDirectory } from "../../steps/bundle";
import { converse } from "../../steps/converse";
import { connect } from "../../steps/ssh";
import type { Deployed } from "../check/deployed";
import { deploymentsOf } from "../deployments";
import { openStacks } from "../openStacks";

/** Options that each of these commands has. */
export interface ServerOptions {
  readonly program?: string;
  readonly deployment?: string;
  readonly sandbox?: true;
}

/** Connection to a host, and the folder of its scripts. */
export interface ReachedHost extends Pick<Deployed, "privateKey"> {
  readonly access: Pick<Deployed["hosts"]["bbb"], "host" | "user" | "hostKey"> & { readonly port?: number };
  /** @default that of every deployment */
  readonly folder?: string;
}

/** Connection to a BigBlueButton server. */
export interface Server extends ReachedHost {
  readonly access: Deployed["hosts"]["bbb"] & { readonly port?: number };
  /** Key that may delete in the Storage Box of its backups, if there is one. */
  readonly boxKey?: string;
}

/** Finds the server. @throws Mistake where a stack has several deployments, and none is named */
export async function serverOf(
  stack: string,
  { program, deployment, sandbox }: ServerOptions,
): Promise<Server> {
  const stacks = await openStacks(sandbox ?? false, process.stderr, program);
  const [only, ...others] = await deploymentsOf(stacks, stack, deployment);
  if (others.length > 0) {
    const names = [only!, ...others].map(({ name }) => name).join(", ");
    throw new Mistake(`stack ${stack} has several deployments: name one of ${names} by --deployment`);
  }
  const { hosts, privateKey, backupBoxKey: boxKey } = only!;
  return { access: hosts.bbb, privateKey, boxKey };
}

/** Program of scripts/host with its arguments, and its standard input. */
export interface Call {
  readonly words: readonly [script: string, ...words: string[]];
  /** Secrets go this way. @default none */
  readonly input?: string;
  /** @param line Line of the program's standard output. */
  onLine(line: string): void;
}

/**
 * Runs a program of scripts/host on the server, as root.
 *
 * @returns true if it ended well; it has said why not
 * @throws Failure where the server can't be reached, or the connection is lost
 */
export async function runOnServer(
  { access, privateKey, folder = scriptsDirectory }: ReachedHost,
  { words: [script, ...words], input = "", onLine }: Call,
): Promise<boolean> {
  const { user } = access;
  const command = [...(user === "root" ? [] : ["sudo", "-n"]), ...interpreterOf(script)];
  const client = await connect({ ...access, privateKey }).catch((error: Error) => {
    throw new Failure(
      `the server ${access.host} can't be reached: ${error.message}. Is it running, and is your address among the sshNetworks? Nothing was changed`,
    );
  });
  try {
    const line = quote([...command, `${folder}/${script}`, ...words]);
    const { code, stderr } = await converse(client, line, { onLine: (line) => onLine(line), input });
    if (code === 0 || code === 1) return code === 0;
    throw new Failure(whyBroken(code, stderr));
  } finally {
    client.end();
  }
}

/** Words before a script's path. Of a step's script, what it has for its log is left out. */
function interpreterOf(script: string): readonly string[] {
  if (!script.endsWith(".sh")) return ["/usr/bin/python3", "-B"];
  return ["bash", "-c", 'exec 3>&1 >/dev/null; exec bash "$0" "$@"'];
}

function whyBroken(code: number | undefined, stderr: string): string {
  const last = stderr.trim().split("\n").at(-1) ?? "";
  if (code === undefined) {
    return "the connection to the server was lost. What it does goes on there: the same command shows how far it is";
  }
  if (last.includes("No such file") || last.includes("can't open file")) {
    return "the server does not have the programs for this: an older version deployed it. Run pulumi up once";
  }
  return `the server's program ended with ${code}: ${last || "it said nothing"}`;
}
