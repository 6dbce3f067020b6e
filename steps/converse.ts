import { createInterface } from "node:readline";

import type { Client } from "ssh2";

export interface Conversation {
  /** @param send Writes to the command's standard input. */
  onLine?(line: string, send: (text: string) => void): void;
  /** Whole standard input of the command, if it does not depend on the command's output. */
  readonly input?: string;
}

/** End of a command on a host. */
export interface Ended {
  /** Exit code; undefined after a lost connection or a signal. */
  readonly code: number | undefined;
  readonly stderr: string;
}

/** Runs a command and talks with it, line by line. */
export function converse(client: Client, command: string, { onLine, input }: Conversation): Promise<Ended> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      let code: number | undefined;
      let stderr = "";
      const lines = createInterface({ input: channel, crlfDelay: Infinity });
      lines.on("line", (line) => onLine?.(line, (text) => channel.write(text)));
      channel.stderr.on("data", (data: Buffer) => (stderr = (stderr + data.toString()).slice(-4096)));
      channel.on("exit", (status: number | null) => (code = status ?? undefined));
      channel.on("close", () => {
        lines.close();
        resolve({ code, stderr });
      });
      if (input !== undefined) channel.end(input);
    });
  });
}
