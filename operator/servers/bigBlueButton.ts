import { setTimeout as sleep } from "node:timers/promises";

import { ANY_CERTIFICATE, runningMeetings } from "../../bigbluebutton/meetings";
import type { PairRole } from "../../clouds/host";
import { Failure, Mistake } from "../../cli/mistake";
import { runOnServer, type ReachedHost } from "../backup/server";
import type { Deployed } from "../check/deployed";

/** Running deployment, for commands that take its servers away. */
export interface BigBlueButton {
  readonly fqdn: string;
  /** True with a TURN server of the deployment's own. */
  readonly ownTurn: boolean;
  /** True with a recordings volume. */
  readonly recordingsVolume: boolean;
  /** Number of meetings that run. @throws Error with the reason why it can't be asked */
  meetings(): Promise<number>;
  /** Stops BigBlueButton, and unmounts the recordings volume if there is one. @throws Failure where that is refused */
  release(options: { readonly endMeetings: boolean }): Promise<void>;
  /** Waits until the API answers. @throws Failure where it does not */
  answers(): Promise<void>;
  /** Renews the certificates that are due. @throws Failure */
  renew(): Promise<void>;
  /** Reads the state that the installer does not make again, as text. It has secrets. @throws Failure */
  exportState(): Promise<string>;
  /** Brings such a state to the server, which was installed anew, and waits for SSH before. @throws Failure */
  importState(state: string): Promise<void>;
  /** Makes a backup, by the setting of that name. @throws Failure */
  backUp(): Promise<void>;
  /** Brings the recordings of the last backup to the server. @throws Failure */
  restoreRecordings(): Promise<void>;
}

export interface Patience {
  /** Number of questions until an API or SSH must answer. */
  readonly tries: number;
  readonly pauseSeconds: number;
}

/** @throws Mistake for a deployment that is a component of another program */
export function bigBlueButton(
  { name, hosts, privateKey }: Deployed,
  say: (line: string) => void,
  { tries, pauseSeconds }: Patience = { tries: 60, pauseSeconds: 5 },
): BigBlueButton {
  if (name !== undefined) {
    throw new Mistake(
      `${name} is a component of another program: this command is for stacks of this project's own`,
    );
  }
  const { bbbHost, sharedSecret, recordings, ownCertificates } = hosts.bbb.request;
  const apiUrl = `https://${bbbHost}/bigbluebutton/api`;
  const meetings = () => runningMeetings(apiUrl, sharedSecret, ANY_CERTIFICATE);

  return {
    fqdn: bbbHost,
    ownTurn: hosts.turn !== undefined,
    recordingsVolume: recordings,
    meetings,
    async release({ endMeetings }) {
      if (!recordings) return;
      const words = ["unmount-recordings.sh", ...(endMeetings ? ["--end-meetings"] : [])] as const;
      if (await run(hosts.bbb, words)) return;
      throw new Failure(`${bbbHost} keeps its recordings volume, for the reason above. The server runs on`);
    },
    answers: () => untilIt(meetings, `${bbbHost} runs, but its API does not answer`),
    async renew() {
      const roles: readonly PairRole[] = hosts.turn ? ["bbb", "turn"] : ["bbb"];
      for (const role of roles.filter((role) => !ownCertificates.includes(role))) {
        const access = hosts[role]!;
        const hostname = role === "bbb" ? bbbHost : hosts.bbb.request.turnHost;
        const words = ["certificate.sh", "--role", role, "--hostname", hostname] as const;
        let well = false;
        await untilIt(async () => {
          well = await run(access, words);
        }, `${hostname} runs, but is not ready`);
        if (!well)
          throw new Failure(`${hostname} runs, but its certificate is not renewed, for the reason above`);
      }
    },
    async exportState() {
      const lines: string[] = [];
      const onLine = (line: string) =>
        void (line.startsWith("=") ? lines.push(line.slice(1)) : say(`  ${line}`));
      const words = ["carry_file.py", "export", bbbHost] as const;
      const well = await runOnServer({ access: hosts.bbb, privateKey }, { words, onLine });
      if (well) return `${lines.join("\n")}\n`;
      throw new Failure(
        `the state of ${bbbHost} could not be read, for the reason above. The server runs on`,
      );
    },
    async importState(state) {
      const words = ["carry_file.py", "import", bbbHost] as const;
      const onLine = (line: string) => say(`  ${line}`);
      let well = false;
      await untilIt(async () => {
        well = await runOnServer({ access: hosts.bbb, privateKey }, { words, onLine, input: state });
      }, `${bbbHost} runs, but is not ready`);
      if (!well) throw new Failure(`the state did not come to ${bbbHost}, for the reason above`);
    },
    backUp: () => must(["backup.py", "now"], `there is no new backup of ${bbbHost}`),
    restoreRecordings: () =>
      must(["restore.py", "now", "recordings"], `the recordings did not come back to ${bbbHost}`),
  };

  async function must(words: readonly [string, ...string[]], otherwise: string): Promise<void> {
    if (!(await run(hosts.bbb, words))) throw new Failure(`${otherwise}, for the reason above`);
  }

  function run(access: ReachedHost["access"], words: readonly [string, ...string[]]): Promise<boolean> {
    return runOnServer({ access, privateKey }, { words, onLine: (line) => say(`  ${line}`) });
  }

  async function untilIt(ask: () => Promise<unknown>, otherwise: string): Promise<void> {
    for (let tried = 1; ; tried++) {
      try {
        await ask();
        return;
      } catch (error) {
        if (tried >= tries) throw new Failure(`${otherwise}: ${(error as Error).message}`, { cause: error });
        await sleep(pauseSeconds * 1000);
      }
    }
  }
}
