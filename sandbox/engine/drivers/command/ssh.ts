/**
 * Connecting as @pulumi/command 1.2.1 does: a pinned host key, and retries with exponential waits that only
 * `dialErrorLimit` and the operation's timeout bound (source: provider/pkg/provider/remote/connection.go).
 */
import { setTimeout as sleep } from "node:timers/promises";

import { Client, utils, type ConnectConfig, type ParsedKey } from "ssh2";

import { NotServed } from "../../goal";
import { isObject, type Value, type Values } from "../../wire";

const FIRST_WAIT_MS = 100;
const WAIT_FACTOR = 1.5;
const LONGEST_WAIT_MS = 5_000;
/** Time between reports about a host that boots: it is asked many times. */
const REPORT_EVERY_MS = 10_000;

export interface Dialing {
  readonly timeout: AbortSignal | undefined;
  log(line: string): void;
}

function pinnedKey(hostKey: Value | undefined): ParsedKey | undefined {
  if (hostKey === undefined || hostKey === null) return undefined;
  const key = utils.parseKey(String(hostKey));
  if (key instanceof Error) throw new Error(`failed to parse host key: ${key.message}`);
  return key;
}

/** Algorithms for a pinned key; an RSA key is accepted with any hash of the signature. */
function algorithmsOf(key: ParsedKey): ConnectConfig["algorithms"] {
  const names = key.type === "ssh-rsa" ? ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] : [key.type];
  return { serverHostKey: names as NonNullable<ConnectConfig["algorithms"]>["serverHostKey"] };
}

function connectConfig(connection: Values): ConnectConfig {
  const key = pinnedKey(connection.hostKey);
  const text = (value: Value | undefined) =>
    value === undefined || value === null ? undefined : String(value);
  const config: ConnectConfig = {
    host: String(connection.host),
    port: Number(connection.port ?? 22),
    username: String(connection.user ?? "root"),
    privateKey: text(connection.privateKey),
    passphrase: text(connection.privateKeyPassword),
    password: text(connection.password),
    agent: text(connection.agentSocketPath),
    readyTimeout: Number(connection.perDialTimeout ?? 15) * 1000,
    keepaliveInterval: 15_000,
    keepaliveCountMax: 20,
  };
  if (key === undefined) return config;
  const expected = key.getPublicSSH();
  return {
    ...config,
    hostVerifier: (actual: Buffer) => actual.equals(expected),
    algorithms: algorithmsOf(key),
  };
}

function connect(config: ConnectConfig): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once("ready", () => resolve(client));
    // Later ones are void here: a lost connection shows as a command without an exit status.
    client.on("error", (error) => {
      client.destroy();
      reject(new Error(dialError(error, config)));
    });
    // ssh2 reports no error for a connection that ends before the log-in.
    client.once("close", () => reject(new Error("ssh: handshake failed: EOF")));
    client.connect(config);
  });
}

/** Error in the words of Go's ssh package, which operators of the real provider search for. */
function dialError(
  error: Error & { code?: string; level?: string },
  { host = "", port = 22 }: ConnectConfig,
): string {
  const at = `dial tcp ${host.includes(":") ? `[${host}]` : host}:${port}`;
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: `${at}: connect: connection refused`,
    EHOSTUNREACH: `${at}: connect: no route to host`,
    ENETUNREACH: `${at}: connect: network is unreachable`,
    ETIMEDOUT: `${at}: i/o timeout`,
  };
  if (error.code !== undefined && known[error.code] !== undefined) return known[error.code] ?? "";
  if (error.level === "client-timeout") return `${at}: i/o timeout`;
  if (error.message.includes("Host denied")) return "ssh: handshake failed: ssh: host key mismatch";
  if (error.level === "client-authentication") return "ssh: handshake failed: ssh: unable to authenticate";
  return `ssh: handshake failed: ${error.message}`;
}

/** Connects. @throws in the words of the real provider at dialErrorLimit or the timeout */
export async function dial(connection: Value | undefined, { timeout, log }: Dialing): Promise<Client> {
  if (!isObject(connection)) throw new Error("connection is missing");
  if (connection.proxy !== undefined) throw new NotServed("proxy of a connection");
  const config = connectConfig(connection);
  const limit = Number(connection.dialErrorLimit ?? 10);
  let reported = Date.now();
  for (let failed = 0; ; failed++) {
    try {
      return await connect(config);
    } catch (error) {
      const message = (error as Error).message;
      if (limit > -1 && failed + 1 > limit) {
        throw new Error(`after ${failed} failed attempts: ${message}`, { cause: error });
      }
      if (Date.now() - reported > REPORT_EVERY_MS) {
        reported = Date.now();
        log(`Dial ${failed + 1}/${limit === -1 ? "inf" : limit} failed: retrying (${message})`);
      }
    }
    const wait = Math.min(FIRST_WAIT_MS * WAIT_FACTOR ** failed, LONGEST_WAIT_MS);
    await sleep(wait, undefined, { signal: timeout }).catch(() => undefined);
    if (timeout?.aborted === true) throw new Error("context deadline exceeded");
  }
}
