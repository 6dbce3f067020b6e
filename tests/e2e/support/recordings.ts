import { onHost } from "./sandbox";

/** Directories of BigBlueButton's published recordings, and of those that are not processed yet. */
const FILES = [
  "/var/bigbluebutton/published/presentation/e2e/video.webm",
  "/var/bigbluebutton/recording/raw/e2e/audio.opus",
];

const WRITE = `
set -euo pipefail
mkdir -p "\${0%/*}" "\${1%/*}"
head -c 3000000 /dev/urandom >"$0"
echo raw >"$1"
sync
sha256sum "$0" "$1"`;

/** Writes random bytes as recordings; returns their sums, for comparison with {@link recordingSums}. */
export function plantRecordings(fqdn: string): Promise<string> {
  return onHost(fqdn, ["bash", "-c", WRITE, ...FILES]);
}

/** Sums of the present recordings. */
export function recordingSums(fqdn: string): Promise<string> {
  return onHost(fqdn, ["sha256sum", ...FILES]);
}
