import { sandbox, type Result } from "./sandbox";

/** `scripts/replace STACK ARGS… --sandbox`, without a question. */
export const replace = (stack: string, ...args: string[]): Promise<Result> =>
  sandbox(["operator", "replace", stack, ...args, "--yes", "--sandbox"], { timeoutSeconds: 900 });
