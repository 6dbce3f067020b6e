import { parse } from "yaml";

/** Content of a Pulumi.<stack>.yaml. */
export interface StackText {
  /** Keys in their written form, with or without a namespace. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Environments of Pulumi ESC with further settings, by their names there. */
  readonly environments: readonly string[];
  /** Encryption of the stack's secrets, if the file names one. */
  readonly secretsProvider?: string;
}

/**
 * Parses the text of a Pulumi.<stack>.yaml.
 *
 * @param file Name of the file, for errors.
 * @throws Error in one line
 */
export function parseStackText(text: string, file: string): StackText {
  const content = parseMapping(text, file) ?? {};
  const { config = {}, environment, secretsprovider } = content;
  if (!isMapping(config ?? {})) {
    throw new Error(
      `${file} is no settings file: config must have the settings as KEY: VALUE, a line for each`,
    );
  }
  return {
    config: (config ?? {}) as StackText["config"],
    environments: namesOf(environment),
    secretsProvider: typeof secretsprovider === "string" ? secretsprovider : undefined,
  };
}

function parseMapping(text: string, file: string): Readonly<Record<string, unknown>> | null {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    // The library's own sentence goes on with a drawing of the place.
    const [sentence = ""] = (error as Error).message.split("\n");
    throw new Error(`${file} is no YAML: ${sentence.replace(/:\s*$/, "")}`, { cause: error });
  }
  if (content === null || content === undefined) return null;
  if (isMapping(content)) return content;
  throw new Error(`${file} is no settings file: it must begin with config:, and have the settings below`);
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Names in a list, each alone or with options, or in an environment written out here with such a list in it. */
function namesOf(environment: unknown): string[] {
  if (environment === undefined || environment === null) return [];
  if (Array.isArray(environment)) {
    return environment.flatMap((one) =>
      typeof one === "string" ? [one] : isMapping(one) ? Object.keys(one) : [],
    );
  }
  const imported = isMapping(environment) ? namesOf(environment.imports) : [];
  return imported.length > 0 ? imported : ["written out in the file"];
}
