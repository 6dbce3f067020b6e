import { BUCKET, STORAGE_KEYS, STORAGE_NAME } from "../../../sandbox/services/storage";
import { onHost, sandbox, type Result } from "./sandbox";
import type { Secret } from "./secrets";

const STORAGE_SECRET = "Kx7mQ2vRt9pLw4zB";

/** Setting `backup` for the sandbox's storage. */
export function backupSetting(folder: string, more: object = {}): string {
  return JSON.stringify({
    to: `s3:http://${STORAGE_NAME}/${BUCKET}/${folder}`,
    accessKeyId: STORAGE_KEYS.full,
    secretAccessKey: { secure: STORAGE_SECRET },
    ...more,
  });
}

export const STORAGE_SECRETS: readonly Secret[] = [["secret key of the storage", STORAGE_SECRET]];

/** `scripts/backup ARGS… --sandbox`, as its shim starts it. */
export const backup = (...args: string[]): Promise<Result> =>
  sandbox(["operator", "backup", ...args, "--sandbox"]);

/** `scripts/restore ARGS… --sandbox`, without a question. */
export const restore = (...args: string[]): Promise<Result> =>
  sandbox(["operator", "restore", ...args, "--yes", "--sandbox"]);

/** Runs a piece of bash as root on a host. */
export const root = (fqdn: string, script: string, ...args: string[]): Promise<string> =>
  onHost(fqdn, ["bash", "-c", `set -euo pipefail; ${script}`, "bash", ...args]);

const RECORDINGS = ["presentation/e2e-1", "presentation/e2e-2", "video/e2e-2"] as const;
const PUBLISHED = "/var/bigbluebutton/published";

/** Publishes recordings of random bytes in two formats. */
export function publish(fqdn: string): Promise<string> {
  const one = `
for one in "$@"; do
  install -d -o bigbluebutton -g bigbluebutton "${PUBLISHED}/\${one%/*}" "${PUBLISHED}/$one"
  head -c 300000 /dev/urandom >"${PUBLISHED}/$one/video.webm"
  echo "<recording><link>https://${fqdn}/playback/$one</link></recording>" >"${PUBLISHED}/$one/metadata.xml"
  chown -R bigbluebutton: "${PUBLISHED}/$one"
done`;
  return root(fqdn, one, ...RECORDINGS);
}

/** Sums and owners of everything that is published. */
export function publishedSums(fqdn: string): Promise<string> {
  return root(
    fqdn,
    `cd ${PUBLISHED}; find . -type f ! -name .keep -printf '%u ' -exec sha256sum {} \\; | sort`,
  );
}
