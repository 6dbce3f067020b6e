import { quote } from "shell-quote";

/** Folder of the scripts on a host. */
export const scriptsDirectory = "/usr/local/lib/bbb-deploy";

/** Script that runs on the hosts. */
export interface ScriptFile {
  readonly name: string;
  readonly content: string;
}

/** Arguments of {@link bundle}. */
export interface BundleArgs {
  /** Label and title of the step for the operator, e.g. "bbb 1/7" and "Connect and install the step scripts". */
  readonly label: string;
  readonly title: string;
  readonly files: readonly ScriptFile[];
  /** Account that the program logs in to. */
  readonly user: string;
  /** All keys that may log in to it, except those that somebody added on the host by hand. */
  readonly authorizedKeys: readonly string[];
}

const END = "END_OF_BBB_DEPLOY_FILE";

/**
 * Renders one bash script for the standard input of `bash -s` on a host. It installs the step scripts and updates the
 * account's authorized keys. It removes unwanted keys of a former run, and leaves all others.
 *
 * @throws Error if a file holds the line that ends it in the bundle
 */
export function bundle({ label, title, files, user, authorizedKeys }: BundleArgs): string {
  return [
    "set -euo pipefail",
    `title=${quote([title])} label=${quote([`[${label}]`])}`,
    `printf '%s: started %s\\n' "$title" "$label"`,
    `trap 'status=$?; if ((status)); then printf "FAILED after %s s: %s %s\\n" "$SECONDS" "$title" "$label"; fi' EXIT`,
    "",
    ...files.map(installFile),
    `user=${quote([user])}`,
    `home=$(getent passwd "$user" | cut -d: -f6)`,
    `group=$(id -gn "$user")`,
    `keys=$home/.ssh/authorized_keys`,
    `managed=${scriptsDirectory}/authorized_keys`,
    `install -d -m 700 -o "$user" -g "$group" "$home/.ssh"`,
    `touch "$keys" "$managed"`,
    hereDocument(`cat >"$managed.new"`, "authorized_keys", authorizedKeys.map((key) => `${key}\n`).join("")),
    `{ cat "$managed" "$managed.new" | grep -vxFf - "$keys" || true; cat "$managed.new"; } >"$managed.all"`,
    `install -m 600 -o "$user" -g "$group" "$managed.all" "$keys"`,
    `mv "$managed.new" "$managed"`,
    `rm "$managed.all"`,
    "",
    `printf 'done in %s s: %s %s\\n' "$SECONDS" "$title" "$label"`,
    "",
  ].join("\n");
}

function installFile({ name, content }: ScriptFile): string {
  const mode = name === "lib.sh" ? "644" : "755";
  return hereDocument(
    `install -D -m ${mode} /dev/stdin ${quote([`${scriptsDirectory}/${name}`])}`,
    name,
    content,
  );
}

function hereDocument(command: string, name: string, content: string): string {
  if (content.split("\n").includes(END)) {
    throw new Error(`${name}: the line ${END} would end the file in the bundle; reword it`);
  }
  return `${command} <<'${END}'\n${content}${content === "" || content.endsWith("\n") ? "" : "\n"}${END}\n`;
}
