import { onHost, type Names, type Outputs } from "./sandbox";
import { secretForms } from "./secretForms";

/** Secret that must show up nowhere: a name to report, and the text to look for. */
export type Secret = readonly [name: string, text: string];

/** Lines of a PEM key that are its own, without its armour and the header that all such keys share. */
export function keyLines(name: string, pem: string): Secret[] {
  return pem
    .split("\n")
    .map((line) => line.trim())
    .filter(
      (line) => line.length >= 30 && !line.startsWith("-----") && !line.startsWith("b3BlbnNzaC1rZXktdjE"),
    )
    .map((line, index) => [`${name}, line ${index}`, line] as const);
}

/** Secrets of the deployment that users are given. */
export function outputSecrets(outputs: Outputs): Secret[] {
  return [
    ["sharedSecret", outputs.sharedSecret],
    ["turnSecret", outputs.turnSecret],
    ...keyLines("privateKey", outputs.privateKey),
  ];
}

/** SSH keys of both hosts, which only user data may contain. */
export async function hostKeys({ bbb, turn }: Names): Promise<Secret[]> {
  const keys = await Promise.all(
    [bbb, turn].map(async (fqdn) =>
      keyLines(`SSH host key of ${fqdn}`, await onHost(fqdn, ["cat", "/etc/ssh/ssh_host_ed25519_key"])),
    ),
  );
  return keys.flat();
}

/** Names of the secrets that a text holds, in any of their forms. */
export function found(secrets: readonly Secret[], text: string): string[] {
  return secrets
    .filter(([, secret]) => secretForms(secret).some((form) => text.includes(form)))
    .map(([name]) => name);
}

/** Searches a host's journal and everything under /var/log; returns "name in place" lines. */
export async function foundInHostLogs(fqdn: string, secrets: readonly Secret[]): Promise<string[]> {
  const input = secrets.flatMap(([, secret]) => secretForms(secret).map((form) => `${form}\n`)).join("");
  const lines = await onHost(fqdn, ["bash", "-c", SEARCH], { input });
  const places = lines
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => {
      const [place, ...matched] = line.split(":");
      return found(secrets, matched.join(":")).map((name) => `${name} in ${place} of ${fqdn}`);
    });
  return [...new Set(places)];
}

const SEARCH = `
set -uo pipefail
patterns=$(mktemp)
trap 'rm -f "$patterns"' EXIT
cat >"$patterns"
journalctl --no-pager -a -o verbose | grep -aoF -f "$patterns" | sort -u | sed 's/^/the journal:/'
grep -raosHF -f "$patterns" /var/log | sort -u
true
`;
