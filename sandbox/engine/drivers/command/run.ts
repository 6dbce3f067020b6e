/** One remote command over SSH, its lines shown as they come (source: provider/pkg/provider/remote/commandOutputs.go). */
import type { Readable } from "node:stream";

import type { Client, ClientChannel } from "ssh2";

import type { Context } from "../../driver";
import type { Values } from "../../wire";
import { dial } from "./ssh";

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command. @throws with the command's text and whole output, as the real provider does */
export async function run(command: string, inputs: Values, context: Context): Promise<CommandOutput> {
  const client = await dial(inputs.connection, context);
  try {
    return await execute(client, command, inputs, context);
  } finally {
    client.end();
  }
}

function execute(client: Client, command: string, inputs: Values, { log }: Context): Promise<CommandOutput> {
  return new Promise((resolve, reject) => {
    // All listeners are on before the callback returns: a short command's end may be in the packet that began it.
    client.exec(command, (refused, channel) => {
      if (refused !== undefined) return reject(refused);
      const logging = inputs.logging ?? "stdoutAndStderr";
      const both: Buffer[] = [];
      const stdout = collect(
        channel,
        both,
        logging === "stdout" || logging === "stdoutAndStderr" ? log : undefined,
      );
      const stderr = collect(
        channel.stderr,
        both,
        logging === "stderr" || logging === "stdoutAndStderr" ? log : undefined,
      );
      void ended(channel, client).then((failure) => {
        if (failure === undefined) return resolve({ stdout: stdout(), stderr: stderr() });
        const output = Buffer.concat(both).toString("utf8");
        reject(new Error(`${failure}: running ${JSON.stringify(command)}:\n${output}`));
      });
      channel.end(typeof inputs.stdin === "string" ? inputs.stdin : "");
    });
  });
}

/** Collects a stream; returns a function for its whole text, without the last line end. */
function collect(stream: Readable, both: Buffer[], log: ((line: string) => void) | undefined): () => string {
  const own: Buffer[] = [];
  const lines = log === undefined ? undefined : lineWriter(log);
  stream.on("data", (chunk: Buffer) => {
    own.push(chunk);
    both.push(chunk);
    lines?.write(chunk);
  });
  stream.on("end", () => lines?.end());
  return () => Buffer.concat(own).toString("utf8").replace(/\n$/, "");
}

/** Resolves to undefined for exit status 0, else to the failure in the words of Go's ssh package. */
function ended(channel: ClientChannel, client: Client): Promise<string | undefined> {
  return new Promise((resolve) => {
    let status: string | undefined = "wait: remote command exited without exit status or exit signal";
    channel.on("exit", (code: number | null, signal?: string) => {
      if (code === 0) status = undefined;
      else
        status = `Process exited with status ${code ?? 128}${signal === undefined ? "" : ` from signal ${signal.replace("SIG", "")}`}`;
    });
    channel.on("close", () => resolve(status));
    client.on("close", () => resolve(status));
    channel.on("error", () => {}); // a write after the remote end closed its input
  });
}

function lineWriter(log: (line: string) => void): { write(chunk: Buffer): void; end(): void } {
  const decoder = new TextDecoder();
  let rest = "";
  return {
    write(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) log(line.replace(/\r$/, ""));
    },
    end() {
      if (rest !== "") log(rest);
      rest = "";
    },
  };
}
