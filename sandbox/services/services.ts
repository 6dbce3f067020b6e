import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

import { writeAtomically } from "../hosts/files";
import { mountOverlay, mountsBelow } from "../hosts/mounts";
import { children, isAlive, logFile, readProcess, startProcess } from "../hosts/processes";
import { SERVICES } from "../network/addresses";
import { run } from "../network/run";
import { SERVICES_DIR } from "../paths";
import {
  API_CERTIFICATE,
  API_KEY,
  collectRoots,
  ensureApiCertificate,
  PEBBLE_ENVIRONMENT,
  renderPebbleConfig,
} from "./authority";
import { CONFIG_DIR, parseBind, renderHints, renderResolver } from "./named";
import { lastWords } from "./lastWords";
import { inTree, SERVICES_ROOT } from "./tree";
import { Zones } from "./zones";

/** The name servers and the ACME authority: programs of the image's services tree, run in the router. */

const CONFIG = join(SERVICES_ROOT, CONFIG_DIR);

const AUTHORITATIVE = ["dns-root", "dns-zones"] as const;

/** Has both authoritative servers read their files again, by SIGHUP. */
function reloadZones(): void {
  for (const name of AUTHORITATIVE) {
    const record = readProcess(name);
    // The recorded process is `timeout`, which would end at this signal.
    if (isAlive(record)) for (const child of children(record.pid)) process.kill(child, "SIGHUP");
  }
}

/**
 * Starts the services that don't run; resolves when all answer.
 *
 * @param trees The services' tree and, below it, the hosts' base tree.
 */
export async function startServices(trees: readonly [services: string, base: string]): Promise<Zones> {
  if (mountsBelow(SERVICES_ROOT).length === 0) {
    // Nothing in it is worth keeping, and the trees below may be others now.
    rmSync(SERVICES_DIR, { recursive: true, force: true });
    for (const part of ["root", "upper", "work"]) mkdirSync(join(SERVICES_DIR, part), { recursive: true });
  }
  await mountOverlay(SERVICES_ROOT, trees, join(SERVICES_DIR, "upper"), join(SERVICES_DIR, "work"));
  mkdirSync(CONFIG, { recursive: true });

  const bind = parseBind(await run("chroot", [SERVICES_ROOT, "/usr/sbin/named", "-v"]));
  const zones = new Zones(CONFIG, reloadZones, bind);
  zones.write();
  writeAtomically(join(CONFIG, "resolver.conf"), renderResolver(bind));
  writeAtomically(join(CONFIG, "root.hints"), renderHints());
  for (const [name, file] of [
    ["dns-root", "root.conf"],
    ["dns-zones", "zones.conf"],
    ["dns-resolver", "resolver.conf"],
  ] as const) {
    startProcess(name, inTree({}, ["named", "-g", "-n", "1", "-u", "bind", "-c", join(CONFIG_DIR, file)]));
  }
  try {
    await Promise.all([startAuthority(), zones.served()]);
  } catch (error) {
    throw new Error([(error as Error).message, ...ended()].join("; "), { cause: error });
  }
  return zones;
}

/** Services that have ended, each with the last lines of its log and the log's path. */
function ended(): string[] {
  return [...AUTHORITATIVE, "dns-resolver", "pebble"]
    .filter((name) => readProcess(name) !== undefined && !isAlive(readProcess(name)))
    .map((name) => {
      const log = logFile(name);
      return `${name} has ended: ${lastWords(readFileSync(log, "utf8"))} (whole log: ${log})`;
    });
}

async function startAuthority(): Promise<void> {
  await ensureApiCertificate();
  copyFileSync(API_CERTIFICATE, join(CONFIG, "api.pem"));
  copyFileSync(API_KEY, join(CONFIG, "api.key"));
  chmodSync(join(CONFIG, "api.key"), 0o600);
  writeAtomically(
    join(CONFIG, "pebble.json"),
    renderPebbleConfig(join(CONFIG_DIR, "api.pem"), join(CONFIG_DIR, "api.key")),
  );
  const command = [
    "pebble",
    "-config",
    join(CONFIG_DIR, "pebble.json"),
    "-dnsserver",
    `${SERVICES.resolver}:53`,
  ];
  startProcess("pebble", inTree(PEBBLE_ENVIRONMENT, command));
  await collectRoots();
}
