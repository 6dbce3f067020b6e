import type { UpdateOptions } from "./index";
import type { Summary } from "./display";

export async function up(_options: UpdateOptions): Promise<Summary> {
  throw new Error("not yet");
}
export const preview = up;
export const destroy = up;
export async function outputs(
  _options: UpdateOptions,
  _showSecrets: boolean,
): Promise<Record<string, unknown>> {
  throw new Error("not yet");
}
export function stackExport(_options: UpdateOptions): unknown {
  throw new Error("not yet");
}
