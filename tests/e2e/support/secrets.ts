import { onHost, type Names, type Outputs } from "./sandbox";

/** What must show up nowhere: a name to report, and the text to look for. */
export type Secret = readonly [name: string, text: string];

/** The lines of a PEM key that are its own: not its armour, nor the header that all such keys share. */
export function keyLines(name: string, pem: string): Secret[] {
  return pem
    .split("\n")
    .map((line) => line.trim())
    .filter(
      (line) => line.length >= 30 && !line.startsWith("-----") && !line.startsWith("b3BlbnNzaC1rZXktdjE"),
    )
    .map((line, index) => [`${name}, line ${index}`, line] as const);
}

/** The secrets of the deployment that users are given. */
export function outputSecrets(outputs: Outputs): Secret[] {
  return [
    ["sharedSecret", outputs.sharedSecret],
    ["turnSecret", outputs.turnSecret],
    ...keyLines("privateKey", outputs.privateKey),
  ];
}

/** Both hosts' own SSH keys, which user data alone may carry. */
export async function hostKeys({ bbb, turn }: Names): Promise<Secret[]> {
  const keys = await Promise.all(
    [bbb, turn].map(async (fqdn) =>
      keyLines(`SSH host key of ${fqdn}`, await onHost(fqdn, ["cat", "/etc/ssh/ssh_host_ed25519_key"])),
    ),
  );
  return keys.flat();
}

/** The names of the secrets that a text holds. */
export function found(secrets: readonly Secret[], text: string): string[] {
  return secrets.filter(([, secret]) => text.includes(secret)).map(([name]) => name);
}

/** Searches a host's journal and everything under /var/log; returns "name in place" lines. */
export async function foundInHostLogs(fqdn: string, secrets: readonly Secret[]): Promise<string[]> {
  const input = secrets.map(([name, secret]) => `${name}\t${secret}\n`).join("");
  const lines = await onHost(fqdn, ["bash", "-c", SEARCH], { input });
  return lines
    .split("\n")
    .filter(Boolean)
    .map((place) => `${place} of ${fqdn}`);
}

const SEARCH = `
set -uo pipefail
journal=$(mktemp)
trap 'rm -f "$journal"' EXIT
journalctl --no-pager -a -o verbose >"$journal"
while IFS=$'\\t' read -r name secret; do
  grep -aqF -f <(printf '%s\\n' "$secret") "$journal" && printf '%s in the journal\\n' "$name"
  grep -raslF -f <(printf '%s\\n' "$secret") /var/log |
    while IFS= read -r file; do printf '%s in %s\\n' "$name" "$file"; done
done
true
`;
