import { chooseEngine, rememberEngine, runEngine } from "./engine";
import { readSettings } from "./settings";
import { startSandbox } from "./start";

export interface UpdateOptions {
  readonly stack: string;
  readonly engine: "auto" | "embedded" | "pulumi";
  readonly cloud: "hetzner";
  readonly set: readonly string[];
}

/** Start the sandbox where it does not run, and have the engine do its work in it; resolves with the exit code. */
export async function update(action: "up" | "preview" | "destroy", options: UpdateOptions): Promise<number> {
  const { stack, cloud } = options;
  await startSandbox();
  const config = { cloud, ...readSettings(stack, options.set) };
  const engine = await chooseEngine(options.engine, stack);
  if (action === "up") rememberEngine(stack, engine);
  const { code } = await runEngine({ action, stack, engine, config });
  return code;
}
