/**
 * @pulumi/command 1.2.1, `remote.Command` and `remote.CopyToRemote`: any change but of `triggers` is an update,
 * which runs `update`, or else `create` again (source: provider/pkg/provider/remote/commandController.go).
 */
import { randomBytes } from "node:crypto";

import type { Context, Driver, Kind } from "../../driver";
import { isAsset, UNKNOWN, type Values } from "../../wire";
import { copyToRemote } from "./copy";
import { run } from "./run";

const remoteCommand: Kind = {
  // environment needs an sshd that accepts it, and its refusal cannot be seen from here
  keys: [
    "connection",
    "create",
    "update",
    "delete",
    "stdin",
    "triggers",
    "logging",
    "addPreviousOutputInEnv",
  ],
  replaceKeys: ["triggers"],
  secretOutputs: ["connection"],
  outputsFollowInputs: true,
  create: async (inputs, context) => ({
    id: `${context.name}${randomBytes(4).toString("hex")}`,
    outputs: await outputsOf(inputs.create, inputs, { stdout: "", stderr: "" }, context),
  }),
  update: (old, inputs, context) => {
    const { stdout = "", stderr = "" } = old.outputs;
    return outputsOf(inputs.update ?? inputs.create, inputs, { stdout, stderr }, context);
  },
  delete: async ({ inputs }, context) => {
    if (typeof inputs.delete === "string") await run(inputs.delete, inputs, context);
  },
};

async function outputsOf(
  command: unknown,
  inputs: Values,
  before: Values,
  context: Context,
): Promise<Values> {
  const result = typeof command === "string" ? { ...(await run(command, inputs, context)) } : before;
  return { ...inputs, ...result };
}

const remoteCopy: Kind = {
  keys: ["connection", "source", "remotePath", "triggers"],
  replaceKeys: ["triggers"],
  secretOutputs: ["connection"],
  defaults: ({ source }) => {
    // a fault of 1.2.1, even for a source that will be known (pulumi-command#1184)
    if (source === UNKNOWN || !isAsset(source)) throw new Error("asset: either asset or archive must be set");
    return {};
  },
  create: async (inputs, context) => {
    await copyToRemote(inputs, context);
    return { id: randomBytes(4).toString("hex"), outputs: inputs };
  },
  update: async (old, inputs, context) => {
    const [before, after] = [old.inputs.source as Values, inputs.source as Values];
    const unchanged = before.hash === after.hash && old.inputs.remotePath === inputs.remotePath;
    if (!unchanged) await copyToRemote(inputs, context); // a new connection alone copies nothing
    return inputs;
  },
};

export const command: Driver = {
  version: "1.2.1",
  kinds: { "command:remote:Command": remoteCommand, "command:remote:CopyToRemote": remoteCopy },
};
