import { quote } from "shell-quote";
import type { Client } from "ssh2";

import { contentOf } from "./bundle";
import { converse } from "./converse";
import { readScripts } from "./hostScripts";
import { keepCommand, STATE } from "./keep";
import type * as Ssh from "./ssh";
import { loginOf } from "./waitForSsh";
import type { Host } from "../clouds/host";

/**
 * Certificates of a pool's servers, of which the balancer keeps copies: an authority issues few for the same name. Keys go from
 * host to host over SSH, past this program's memory; no state, log or command line has them.
 */

type Verb = "pack" | "keep" | "give";

/** File on a server in which prepare.sh finds a certificate that was kept. */
const GIVEN = `${STATE}/kept-certificate`;

/** Copies a server's certificate to its balancer. One of the operator's own is not copied. @throws Error with the reason */
export async function keepCertificate(node: Host, balancer: Host): Promise<void> {
  const packed = await on(node, (client) => run(client, node, "pack", node.fqdn));
  if (packed !== "") await on(balancer, (client) => run(client, balancer, "keep", node.fqdn, packed));
}

/**
 * Leaves the certificate that the balancer keeps for a new server's name on that server, for prepare.sh.
 *
 * @returns whether there is one, with enough time left
 * @throws Error with the reason
 */
export async function giveCertificate(balancer: Host, node: Host): Promise<boolean> {
  const kept = await on(balancer, (client) => run(client, balancer, "give", node.fqdn));
  if (kept === "") return false;
  await on(node, async (client) => {
    const command = keepCommand(contentOf(readScripts(), "keep.sh"), node.user, GIVEN);
    await answered(client, node, command, kept);
  });
  return true;
}

async function on<T>(host: Host, work: (client: Client) => Promise<T>): Promise<T> {
  const { connect } = require("./ssh") as typeof Ssh; // eslint-disable-line @typescript-eslint/no-require-imports
  const client = await connect(await loginOf(host));
  try {
    return await work(client);
  } finally {
    client.end();
  }
}

/** Renders the command that runs kept-certificate.sh, of which nothing may be on the host yet. */
export function keptCertificateCommand(user: string, verb: Verb, name: string): string {
  const script = contentOf(readScripts(), "kept-certificate.sh");
  const sudo = user === "root" ? [] : ["sudo", "-n"];
  return quote([...sudo, "sh", "-c", script, "kept-certificate.sh", verb, name]);
}

function run(client: Client, host: Host, verb: Verb, name: string, input = ""): Promise<string> {
  return answered(client, host, keptCertificateCommand(host.user, verb, name), input);
}

async function answered(
  client: Client,
  { fqdn }: Pick<Host, "fqdn">,
  command: string,
  input: string,
): Promise<string> {
  const lines: string[] = [];
  const { code, stderr } = await converse(client, command, { input, onLine: (line) => lines.push(line) });
  // What was printed has a key in it; what is said of an error has none.
  if (code !== 0) throw new Error(`${fqdn}: ${stderr.trim().split("\n").at(-1) || `it ended with ${code}`}`);
  return lines.map((line) => `${line}\n`).join("");
}
