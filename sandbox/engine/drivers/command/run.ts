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

/** @throws with the command's text and whole output, as the real provider does */
export async function run(command: string, inputs: Values, context: Context): Promise<CommandOutput> {
  const client = await dial(inputs.connection, context);
  try {
    return await execute(client, command, inputs, context);
  } finally {
    client.end();
  }
}

async function execute(
  client: Client,
  command: string,
  inputs: Values,
  { log }: Context,
): Promise<CommandOutput> {
  const channel = await open(client, command);
  const logging = inputs.logging ?? "stdoutAndStderr";
  const chunks: Buffer[] = [];
  const collect = (stream: Readable, shown: boolean): (() => string) => {
    const own: Buffer[] = [];
    const lines = shown ? lineWriter(log) : undefined;
    stream.on("data", (chunk: Buffer) => {
      own.push(chunk);
      chunks.push(chunk);
      lines?.write(chunk);
    });
    stream.on("end", () => lines?.end());
    return () => Buffer.concat(own).toString("utf8");
  };
  const stdout = collect(channel, logging === "stdout" || logging === "stdoutAndStderr");
  const stderr = collect(channel.stderr, logging === "stderr" || logging === "stdoutAndStderr");
  channel.end(typeof inputs.stdin === "string" ? inputs.stdin : "");
  const failure = await ended(channel, client);
  if (failure !== undefined) {
    throw new Error(
      `${failure}: running ${JSON.stringify(command)}:\n${Buffer.concat(chunks).toString("utf8")}`,
    );
  }
  return { stdout: stdout().replace(/\n$/, ""), stderr: stderr().replace(/\n$/, "") };
}

function open(client: Client, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });
}

/** Resolves to undefined for exit status 0, else to what happened in the words of Go's ssh package. */
function ended(channel: ClientChannel, client: Client): Promise<string | undefined> {
  return new Promise((resolve) => {
    let status: string | undefined = "wait: remote command exited without exit status or exit signal";
    channel.on("exit", (code: number | null, signal?: string) => {
      if (code === 0) status = undefined;
      else
        status = `Process exited with status ${code ?? 128}${signal === undefined ? "" : ` from signal ${signal}`}`;
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
