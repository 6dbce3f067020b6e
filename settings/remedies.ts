/** Texts that say how to set a key: a command for a stack's configuration, an argument for a component in a program. */

/** Command that sets a key, as the first half of a sentence. @param key With `--path` for an entry of a list. */
export function setCommand(key: string, value: string): string {
  return `pulumi config set ${key} ${value}`;
}

/** Command that sets an entry of a setting as a secret, for which it asks. @param path e.g. "alerts.email.password" */
export function secretCommand(path: string): string {
  return `pulumi config set --secret --path '${path}'`;
}

/** Command that removes a key. @param key With `--path` for an entry of a list. */
export function removeCommand(key: string): string {
  return `pulumi config rm ${key}`;
}

/** Argument with a file's text as its value. */
export function setFromFile(key: string, file: string): string {
  return setCommand(key, `< ${file}`);
}

/** Text of a file as an argument in a shell. */
export function textOf(file: string): string {
  return `"$(cat ${file})"`;
}

const KEY = String.raw`(?:--path '(?<path>[^']+)'|(?<key>\w+))`;
const SET = new RegExp(
  String.raw`pulumi config set ${KEY} (?:"\$\(cat (?<cat>[^)]+)\)"|< (?<file>[^\s,;]+)|"(?<quoted>[^"$]*)"|(?<value>[^\s,;]+))`,
  "g",
);
const SECRET = /pulumi config set --secret --path '(?<path>[^']+)'/g;
const REMOVE = new RegExp(String.raw`pulumi config rm ${KEY}`, "g");

/**
 * Advice for a component's arguments: replaces the commands of {@link setCommand} and {@link removeCommand} by
 * arguments.
 */
export function asArguments(remedy: string): string {
  return remedy
    .replace(SET, (...found) => {
      const { path, key, cat, file, quoted, value } = found.at(-1) as Readonly<
        Record<string, string | undefined>
      >;
      const from = cat ?? file;
      return `${path ?? key}: ${from === undefined ? (quoted === undefined ? literal(value ?? "") : JSON.stringify(quoted)) : `the text of ${from}`}`;
    })
    .replace(SECRET, "$<path>: pulumi.secret(…)")
    .replace(REMOVE, (...found) => {
      const { path, key } = found.at(-1) as Readonly<Record<string, string | undefined>>;
      return `leave out ${path ?? key}`;
    });
}

function literal(value: string): string {
  return /^(true|false|\d{1,9})$/.test(value) ? value : JSON.stringify(value);
}

/** Renders the flag that names a key in a setting, e.g. `--path 'overrides.web["a.b"]'`. */
export function pathFlag(key: string, within: readonly PropertyKey[]): string {
  const steps = within.map((part) => {
    if (typeof part === "number") return `[${part}]`;
    return /^\w+$/.test(String(part)) ? `.${String(part)}` : `["${String(part)}"]`;
  });
  return `--path '${key}${steps.join("")}'`;
}
