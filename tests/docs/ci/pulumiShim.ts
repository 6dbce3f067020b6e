/**
 * `pulumi` of the CI examples in the sandbox: maps each command to one of scripts/sandbox. It knows only the commands
 * and options that the examples use, so an example with a slip in it fails.
 */
import { Command, CommanderError, Option } from "commander";

/**
 * Arguments of scripts/sandbox for those of `pulumi`.
 * @throws one line for an unknown command or option, or one at which the CLI would stop
 */
export function sandboxArguments(args: readonly string[]): string[] {
  const found: string[] = [];
  const program = new Command("pulumi").exitOverride().configureOutput({ writeErr: () => undefined });
  const stackOption = (): Option => new Option("-s, --stack <name>").makeOptionMandatory();
  const add = (action: "up" | "preview" | "destroy", options: readonly string[]): void => {
    const command = program
      .command(action)
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .helpOption(false)
      .addOption(stackOption())
      .option("--non-interactive")
      .action(({ stack, nonInteractive, yes }: { stack: string; nonInteractive?: true; yes?: true }) => {
        if (action !== "preview" && nonInteractive && !yes) {
          throw new Error(`pulumi ${action}: --yes must be passed in to proceed in non-interactive mode`);
        }
        found.push(action, "--stack", stack);
      });
    for (const option of options) command.option(option);
  };
  add("preview", ["--diff"]);
  add("up", ["-y, --yes"]);
  add("destroy", ["-y, --yes", "--exclude-protected"]);
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    throw new Error(`pulumi ${args.join(" ")}: not known to the sandbox: ${error.message}`, { cause: error });
  }
  return found;
}
