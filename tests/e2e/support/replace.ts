/** Arguments of `./scripts/sandbox` for `scripts/replace STACK ARGS… --sandbox`, without a question. */
export const replaceArguments = (stack: string, ...args: string[]): string[] => [
  ...["operator", "replace", stack, ...args, "--yes", "--sandbox"],
];
