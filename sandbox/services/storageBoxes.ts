import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { omit, readJson, writeAtomically, writeJson } from "../hosts/files";
import { mountsBelow } from "../hosts/mounts";
import { startProcess } from "../hosts/processes";
import { SERVICES, serviceIpv6 } from "../network/addresses";
import { run } from "../network/run";
import { BOXES_DIR } from "../paths";
import type { StorageBoxSpec, ZoneRecord } from "../runtime";
import { BOX_ZONE } from "../hetzner/catalogue";
import { CONFIG_DIR } from "./named";
import { inTree, SERVICES_ROOT } from "./tree";
import type { Zones } from "./zones";

/** Host key of all boxes, as Hetzner's have one. */
const HOST_KEY = join(BOXES_DIR, "host_key");
const RECORDS = join(BOXES_DIR, "boxes.json");
const HOMES = join(BOXES_DIR, "homes");
/** Place of the homes in the services' tree. */
const HOMES_IN_TREE = "/srv/boxes";
const SHELL = "/usr/local/bin/box-shell";
const SFTP_SERVER = "/usr/lib/openssh/sftp-server";

/** Public key of the boxes, "ssh-ed25519 AAAA…"; undefined before the sandbox's first start. */
export function boxHostKey(): string | undefined {
  const file = `${HOST_KEY}.pub`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").slice(0, 2).join(" ").trim() : undefined;
}

/** sshd of the boxes: keys only, and none of what leads elsewhere. */
function renderSshd(addresses: readonly string[]): string {
  return [
    "Port 23",
    ...addresses.map((address) => `ListenAddress ${address}`),
    `HostKey ${CONFIG_DIR}/box_host_key`,
    "AuthorizedKeysFile .ssh/authorized_keys",
    `Subsystem sftp ${SFTP_SERVER}`,
    "UsePAM no",
    "PermitRootLogin no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "DisableForwarding yes",
    "UseDNS no",
    "PidFile none",
    "",
  ].join("\n");
}

/** Limited shell: a few programs, without any operator. A key's forced command goes this way too. */
const shell = `#!/bin/sh
set -f
case $2 in
  ${SFTP_SERVER}) exec ${SFTP_SERVER} ;;
  "rclone serve restic "*) exec $2 ;;
  *) echo "Command not found. Use 'help' to get a list of available commands." >&2; exit 127 ;;
esac
`;

/** Accounts of the boxes that SSH is switched on for, as lines of /etc/passwd. */
function renderAccounts(specs: Readonly<Record<string, StorageBoxSpec>>): string {
  return Object.values(specs)
    .filter(({ ssh }) => ssh)
    .map(({ username }) => {
      const id = idOf(username);
      return `${username}:*:${id}:${id}::${HOMES_IN_TREE}/${username}:${SHELL}\n`;
    })
    .join("");
}

function idOf(username: string): number {
  return Number(username.slice(1));
}

/** Storage Boxes: accounts of one OpenSSH server in the services' tree. Their homes outlive everything but `reset`. */
export class StorageBoxes {
  private specs: Readonly<Record<string, StorageBoxSpec>> = readJson(RECORDS) ?? {};

  constructor(private readonly zones: Zones) {}

  /** Makes the host key, and starts the server again if there are boxes. */
  async restore(): Promise<void> {
    mkdirSync(HOMES, { recursive: true });
    if (!existsSync(HOST_KEY))
      await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", HOST_KEY]);
    if (Object.keys(this.specs).length > 0) await this.serve();
  }

  async set(spec: StorageBoxSpec): Promise<void> {
    const { username, sshPublicKeys } = spec;
    const home = join(HOMES, username);
    if (!existsSync(home)) {
      const keys = join(home, ".ssh/authorized_keys");
      mkdirSync(join(home, ".ssh"), { recursive: true, mode: 0o700 });
      writeFileSync(keys, sshPublicKeys.map((line) => `${line}\n`).join(""), { mode: 0o600 });
      for (const path of [home, join(home, ".ssh"), keys]) chownSync(path, idOf(username), idOf(username));
    }
    this.specs = { ...this.specs, [username]: spec };
    writeJson(RECORDS, this.specs);
    await this.serve();
    await this.publish();
  }

  async delete(username: string): Promise<void> {
    this.specs = omit(this.specs, username);
    writeJson(RECORDS, this.specs);
    rmSync(join(HOMES, username), { recursive: true, force: true });
    this.writeAccounts();
    await this.publish();
  }

  /** Brings the server up, unless it runs. It reads the accounts anew for each connection. */
  private async serve(): Promise<void> {
    const inRoot = (path: string) => join(SERVICES_ROOT, path);
    mkdirSync(inRoot(HOMES_IN_TREE), { recursive: true });
    mkdirSync(inRoot("run/sshd"), { recursive: true });
    if (!mountsBelow(inRoot(HOMES_IN_TREE)).includes(inRoot(HOMES_IN_TREE)))
      await run("mount", ["--bind", HOMES, inRoot(HOMES_IN_TREE)]);
    writeFileSync(inRoot(SHELL), shell, { mode: 0o755 });
    writeFileSync(inRoot(`${CONFIG_DIR}/box_host_key`), readFileSync(HOST_KEY), { mode: 0o600 });
    const addresses = [SERVICES.boxes, serviceIpv6(SERVICES.boxes)];
    writeAtomically(inRoot(`${CONFIG_DIR}/box_sshd.conf`), renderSshd(addresses));
    this.writeAccounts();
    startProcess(
      "storage-boxes",
      inTree({}, ["/usr/sbin/sshd", "-D", "-e", "-f", `${CONFIG_DIR}/box_sshd.conf`]),
    );
  }

  private writeAccounts(): void {
    const file = join(SERVICES_ROOT, "etc/passwd");
    const others = readFileSync(file, "utf8").replace(/^u\d+:.*\n/gm, "");
    writeAtomically(file, others + renderAccounts(this.specs));
  }

  private publish(): Promise<void> {
    const names = Object.keys(this.specs);
    if (names.length === 0) return this.zones.delete(BOX_ZONE);
    const records = names.flatMap((name): ZoneRecord[] => [
      { name, type: "A", ttl: 60, value: SERVICES.boxes },
      { name, type: "AAAA", ttl: 60, value: serviceIpv6(SERVICES.boxes) },
    ]);
    return this.zones.set(BOX_ZONE, records);
  }
}
