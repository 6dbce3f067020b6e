import { setTimeout as sleep } from "node:timers/promises";

import * as pulumi from "@pulumi/pulumi";
import type { Client } from "ssh2";

import type { Host } from "../clouds/host";
import type * as Ssh from "./ssh";
import { valueOf } from "../clouds/valueOf";
import type { Settings } from "../settings";
import { adviceFor, componentTitle, type Source } from "../settings/problems";
import { setCommand } from "../settings/remedies";

/** Settings of the access by SSH, and their origin. */
export type SshSettings = Source & Pick<Settings, "sshNetworks">;

/** Time limits of the tries to reach a host, in seconds. */
export interface SshPatience {
  /** Limit until it accepts the log-in. */
  readonly silent: number;
  /** Limit after it first shows another host key: the image's own may come before the one that cloud-init sets. */
  readonly otherKey: number;
}

/** Limits. A new machine boots in a minute or two; an old one may be restarting. */
const PATIENCE = { made: { silent: 300, otherKey: 60 }, stood: { silent: 150, otherKey: 5 } } as const;

/**
 * Checks, before the first command of an update on a host, that it can be reached over SSH, and explains a failure. The
 * commands' provider alone would try for minutes, then report a time-out or a handshake.
 *
 * @param name Unique name in the program, e.g. "bbb".
 * @param settings Settings, for the message.
 * @param onReached Called there before the update's first command, with the name of that; it may throw.
 */
export function waitForSsh(
  name: string,
  host: Host,
  settings: SshSettings,
  onReached?: (client: Client, first: string) => Promise<void>,
): pulumi.ResourceHook {
  let reached: Promise<void> | undefined;
  return new pulumi.ResourceHook(`ssh-reaches-${name}`, ({ name: first, oldInputs }) => {
    const patience = oldInputs === undefined ? PATIENCE.made : PATIENCE.stood;
    return (reached ??= Promise.all([loginOf(host), valueOf(host.server.urn)]).then(([login, server]) => {
      const { host: address, user } = login;
      const explained = (reason: Error) =>
        explain({ fqdn: host.fqdn, address, user, server, settings }, reason);
      return reach(login, patience, explained, {
        onReached: (client) => onReached?.(client, first),
        assertStands: () => assertStands(host),
      });
    }));
  });
}

/** Returns what logs in to a host, once that is known. */
export async function loginOf(host: Host): Promise<Ssh.Login> {
  const {
    host: address,
    port,
    user = "root",
    privateKey = "",
    hostKey = "",
  } = await valueOf(host.connection);
  return { host: address, ...(port !== undefined && { port }), user, privateKey, hostKey };
}

/** Throws an error if the cloud has no such server, or it is off. A cloud that cannot be asked decides nothing. */
async function assertStands({ fqdn, server, standing }: Host): Promise<void> {
  const stands = await standing().catch(() => "there");
  if (stands === "there") return;
  const which = `the server of ${fqdn} (${await valueOf(server.id)})`;
  if (stands === "off") {
    throw new Error(
      `${which} is switched off at the cloud: if it is parked, ./scripts/wake STACK brings it back; else start it in the cloud's console. ` +
        "Then run pulumi up again",
    );
  }
  throw new Error(
    `${which} does not exist at the cloud any more: it was deleted there. ` +
      `pulumi refresh takes it out of the stack's state, then pulumi up makes it anew (recordings on a volume stay)`,
  );
}

/** Work while a host is being reached. */
export interface Meanwhile {
  /** Called with the connection before it is closed again. */
  readonly onReached?: (client: Client) => Promise<void> | undefined;
  /** Called once, when it does not answer at first; may throw. */
  readonly assertStands?: () => Promise<void>;
}

/**
 * Logs in and out again, with a try each second until that works.
 *
 * @param explained Returns the explanation of the last reason.
 * @throws Error
 */
export async function reach(
  login: Ssh.Login,
  patience: SshPatience,
  explained: (reason: Error) => string,
  { onReached, assertStands }: Meanwhile = {},
): Promise<void> {
  const client = await logIn(login, patience, explained, assertStands);
  try {
    await onReached?.(client);
  } finally {
    client.end();
  }
}

async function logIn(
  login: Ssh.Login,
  patience: SshPatience,
  explained: (reason: Error) => string,
  assertStands?: () => Promise<void>,
): Promise<Client> {
  // Only now: an update without changes has no use for it.
  const { connect, OtherHostKey } = require("./ssh") as typeof Ssh; // eslint-disable-line @typescript-eslint/no-require-imports
  const start = Date.now();
  let otherSince: number | undefined;
  for (let tried = 1; ; tried++) {
    try {
      return await connect(login);
    } catch (error) {
      if (tried === 1) await assertStands?.();
      const now = Date.now();
      otherSince = error instanceof OtherHostKey ? (otherSince ?? now) : undefined;
      const [since, seconds] =
        otherSince === undefined ? [start, patience.silent] : [otherSince, patience.otherKey];
      if (now - since >= seconds * 1000) throw new Error(explained(error as Error), { cause: error });
      await sleep(1000);
    }
  }
}

/** Facts that a message can name. */
export interface SshTarget {
  readonly fqdn: string;
  readonly address: string;
  readonly user: string;
  /** URN of the server. */
  readonly server: string;
  readonly settings: SshSettings;
}

/** Explanation of a failure to reach a host, and the advice. */
export function explain(target: SshTarget, reason: Error & { code?: string; level?: string }): string {
  const { fqdn, address, user, server, settings } = target;
  const { sshNetworks, component } = settings;
  const where = `${fqdn} (${address})`;
  if (reason.name === "OtherHostKey") {
    return (
      `${where} shows another SSH host key than the one that it was made with, so nothing was sent to it. Either another machine ` +
      `answers at its address, or it was installed anew behind Pulumi's back. Find out which; where it was installed ` +
      `anew, have Pulumi make it: pulumi up --replace '${server}' (recordings on a volume stay)`
    );
  }
  if (reason.level === "client-authentication") {
    const privateKey = component
      ? `the output privateKey of ${componentTitle(component)}`
      : "pulumi stack output privateKey --show-secrets";
    return (
      `${where} refuses the login of ${user} with this stack's key: authorized_keys or sshd_config were changed there. ` +
      `Put the key back at the cloud's console: ${privateKey} has its private half`
    );
  }
  if (reason.code === "ECONNREFUSED") {
    return `${where} refuses SSH: its sshd does not run. Look at the server's console at the cloud, then run pulumi up again`;
  }
  const network = setCommand(`--path 'sshNetworks[${sshNetworks.length}]'`, "ADDRESS/32");
  return (
    `${where} does not answer SSH (port 22: ${reason.message}). Its firewall lets in ${sshNetworks.join(", ")} alone (the setting ` +
    `sshNetworks): is the address of this machine, as \`curl -4 https://ifconfig.me\` tells it, among them? If not: ` +
    `${adviceFor(settings, network)}, then pulumi up. If it is, look at the server's console ` +
    `at the cloud, and for a firewall on the way that closes port 22`
  );
}
