/** How messages say what to set: as a command for a stack's configuration, as an argument for a component in a program. */

/** The command that sets a key, as the first half of a sentence. @param key With `--path` for an entry of a list. */
export function setCommand(key: string, value: string): string {
  return `pulumi config set ${key} ${value}`;
}

/** The command that removes a key. @param key With `--path` for an entry of a list. */
export function removeCommand(key: string): string {
  return `pulumi config rm ${key}`;
}

/** The argument that has the value of a file's text. */
export function setFromFile(key: string, file: string): string {
  return setCommand(key, `< ${file}`);
}

/** The text of a file as an argument in a shell. */
export function textOf(file: string): string {
  return `"$(cat ${file})"`;
}

const KEY = String.raw`(?:--path '(?<path>[^']+)'|(?<key>\w+))`;
const SET = new RegExp(
  String.raw`pulumi config set ${KEY} (?:"\$\(cat (?<cat>[^)]+)\)"|< (?<file>[^\s,;]+)|(?<value>[^\s,;]+))`,
  "g",
);
const REMOVE = new RegExp(String.raw`pulumi config rm ${KEY}`, "g");

/** The remedy of a mistake in a component's arguments: what {@link setCommand} and {@link removeCommand} made, as arguments. */
export function asArguments(remedy: string): string {
  return remedy
    .replace(SET, (...found) => {
      const { path, key, cat, file, value } = found.at(-1) as Readonly<Record<string, string | undefined>>;
      const from = cat ?? file;
      return `${path ?? key}: ${from === undefined ? literal(value ?? "") : `the text of ${from}`}`;
    })
    .replace(REMOVE, (...found) => {
      const { path, key } = found.at(-1) as Readonly<Record<string, string | undefined>>;
      return `leave out ${path ?? key}`;
    });
}

function literal(value: string): string {
  return /^(true|false|\d{1,9})$/.test(value) ? value : JSON.stringify(value);
}
