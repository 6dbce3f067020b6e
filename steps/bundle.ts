import { createHash } from "node:crypto";

import { quote } from "shell-quote";

import { memoized } from "./memoized";

/** Folder of the scripts on a host. */
export const scriptsDirectory = "/usr/local/lib/bbb-deploy";

/** Script that runs on the hosts. */
export interface ScriptFile {
  readonly name: string;
  readonly content: string;
}

/** Arguments of {@link connectScript}. */
export interface ConnectArgs {
  /** Files of scripts/host, with connect.sh, whose functions it calls. */
  readonly files: readonly ScriptFile[];
  /** All keys that may log in, except those that somebody added on the host by hand. */
  readonly authorizedKeys: readonly string[];
}

const END = "END_OF_BBB_DEPLOY_FILE";

/** Scripts that others read in, and nobody runs. */
const READ_IN = [
  ...["lib.sh", "certbot.sh", "installer.sh", "addresses.sh", "personalise.sh", "save-state.sh"],
  "greenlight.rb",
];

/**
 * Renders one bash script for the standard input of `bash -s` on a host: connect.sh, then calls of its functions for the
 * {@link installation}, which is there by then, and for the keys. The state keeps this text, so it has but the digest of
 * the other.
 *
 * @throws Error if connect.sh is missing, or the keys hold the line that ends them
 */
export function connectScript({ files, authorizedKeys }: ConnectArgs): string {
  return [
    contentOf(files, "connect.sh"),
    `install_scripts ${digestOf(files)}\n`,
    hereDocument("authorize_keys", "authorized_keys", authorizedKeys.map((key) => `${key}\n`).join("")),
  ].join("\n");
}

/**
 * Renders the calls of connect.sh's install_script, one for each file.
 *
 * @throws Error if a file holds the line that ends it
 */
export const installation = memoized((files: readonly ScriptFile[]): string =>
  files
    .map(({ name, content }) =>
      hereDocument(
        `install_script ${quote([name])} ${READ_IN.includes(name) ? "644" : "755"}`,
        name,
        content,
      ),
    )
    .join("\n"),
);

/** SHA-256 of an {@link installation}. */
const digestOf = memoized((files: readonly ScriptFile[]): string =>
  createHash("sha256").update(installation(files)).digest("hex"),
);

/**
 * Finds the text of a script.
 *
 * @throws Error with the name of a script that isn't there
 */
export function contentOf(files: readonly ScriptFile[], name: string): string {
  const file = files.find((file) => file.name === name);
  if (!file) throw new Error(`scripts/host/${name} is missing; the project's folder is incomplete`);
  return file.content;
}

function hereDocument(command: string, name: string, content: string): string {
  if (content.split("\n").includes(END)) {
    throw new Error(`${name}: the line ${END} would end the file in the bundle; reword it`);
  }
  return `${command} <<'${END}'\n${content}${content === "" || content.endsWith("\n") ? "" : "\n"}${END}\n`;
}
