/** Seals a builder's host by scripts/host/seal.sh, which runs there. */
import { quote } from "shell-quote";

import type { PairRole } from "../../clouds/host";
import { Failure } from "../../cli/mistake";
import { scriptsDirectory } from "../../steps/bundle";
import { converse } from "../../steps/converse";
import { connect, type Login } from "../../steps/ssh";

/** What the image must not have, by what it is. */
export interface Canaries {
  readonly secrets: Readonly<Record<string, string>>;
  readonly names: Readonly<Record<string, string>>;
}

/** Sealing of a host. */
export interface Seal {
  readonly role: PairRole;
  readonly release: string;
  /** Hash of the scripts that installed on it. */
  readonly scripts: string;
  /** Seconds since 1970. */
  readonly built: number;
  readonly canaries: Canaries;
}

/** Facts that a sealed host tells about itself. */
export interface Sealed {
  /** Version of BigBlueButton; null for a TURN server. */
  readonly bbb: string | null;
}

/** Error of a host that was not sealed, though that had begun. */
export class NotSealed extends Failure {}

/**
 * Seals a host. From then on nobody can log in to it.
 *
 * @param say Gets what the host says.
 * @param folder Folder of the scripts there.
 * @throws NotSealed naming what must not be in an image and is on the host
 */
export async function sealHost(
  login: Login,
  { role, release, scripts, built, canaries }: Seal,
  say: (line: string) => void,
  folder: string = scriptsDirectory,
): Promise<Sealed> {
  const flags = { role, release, scripts, built: String(built) };
  const command = quote([
    ...(login.user === "root" ? [] : ["sudo", "-n"]),
    ...["bash", `${folder}/seal.sh`],
    ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]),
  ]);
  const client = await connect(login).catch((error: Error) => {
    throw new Failure(
      `the builder ${login.host} can't be reached: ${error.message}. One whose sealing was cut off can't be logged in to any more`,
    );
  });
  const told: string[] = [];
  let sealed: Sealed | undefined;
  try {
    const { code, stderr } = await converse(client, command, {
      input: JSON.stringify(canaries),
      onLine(line) {
        if (line.startsWith("{")) sealed = JSON.parse(line) as Sealed;
        else if (!/^\d\d:\d\d:\d\d {2}/.test(line) && line !== "") {
          told.push(line);
          say(`${role}: ${line}`);
        }
      },
    });
    if (code === 0 && sealed) return sealed;
    const why = told.slice(told.findIndex((line) => line.startsWith("this disk must not")));
    throw new NotSealed(
      `the ${role} host was not sealed: ${why.join("\n  ") || stderr.trim().split("\n").at(-1) || "the connection was lost"}`,
    );
  } finally {
    client.end();
  }
}
