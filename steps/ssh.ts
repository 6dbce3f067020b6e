import { Client, utils, type ConnectConfig } from "ssh2";

/** Address and account to log in to. */
export interface Login {
  readonly host: string;
  /** @default 22 */
  readonly port?: number;
  readonly user: string;
  /** Only accepted host key, in OpenSSH's form. */
  readonly hostKey: string;
  /** Private key in OpenSSH's form; never written to a file. */
  readonly privateKey: string;
}

/** Error of a machine with another host key: it is not the deployed one, or its key was changed. */
export class OtherHostKey extends Error {
  constructor(host: string) {
    super(`another machine answers at ${host} than the one that was deployed, or its host key was changed`);
    this.name = "OtherHostKey";
  }
}

const DIAL_SECONDS = 15;

/** Opens an SSH connection with a pinned host key. @throws OtherHostKey, or an Error with the system's words */
export function connect(login: Login): Promise<Client> {
  const config = configOf(login);
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once("ready", () => resolve(client));
    // After the connection a lost one shows as a command without an exit code.
    client.on("error", (error) => {
      client.destroy();
      reject(error.message.includes("Host denied") ? new OtherHostKey(login.host) : error);
    });
    // ssh2 reports no error for a connection that ends before the log-in.
    client.once("close", () => reject(new Error("it closed the connection before the log-in")));
    client.connect(config);
  });
}

function configOf({ host, port = 22, user, hostKey, privateKey }: Login): ConnectConfig {
  const pinned = utils.parseKey(hostKey);
  if (pinned instanceof Error) throw new Error(`the host key of ${host} can't be read: ${pinned.message}`);
  const expected = pinned.getPublicSSH();
  return {
    host,
    port,
    username: user,
    privateKey,
    readyTimeout: DIAL_SECONDS * 1000,
    keepaliveInterval: 10_000,
    // Asks for the kind of key that is pinned: a host has several.
    algorithms: { serverHostKey: [pinned.type] as NonNullable<ConnectConfig["algorithms"]>["serverHostKey"] },
    hostVerifier: (actual: Buffer) => actual.equals(expected),
  };
}
