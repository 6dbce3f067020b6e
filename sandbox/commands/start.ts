import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, symlinkSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import type { Image } from "../daemon";
import { readJson, writeAtomically, writeJson } from "../hosts/files";
import type { Credentials } from "../aws";
import { ROUTER, SERVICES } from "../network/addresses";
import { ensureNetwork } from "../network/namespaces";
import { run, runIn } from "../network/run";
import {
  AWS_CREDENTIALS_FILE,
  IMAGE_FILE,
  MIRROR_DIR,
  PROJECT_DIR,
  SANDBOX_STATE,
  STANDIN_DIR,
  TOKEN_FILE,
} from "../paths";
import { writeClientFiles } from "./client";
import { startDaemon } from "./daemonProcess";

/** Time for the emulated AWS to come up and repeat its whole journal. */
const AWS_READY_MS = 120_000;

/** Brings the sandbox up, without the deployment. Fast when it runs already. */
export async function startSandbox(): Promise<void> {
  mkdirSync(SANDBOX_STATE, { recursive: true, mode: 0o711 });
  needRoom();
  const image = await buildImage();
  const standIn = await buildStandIn();
  writeJson(IMAGE_FILE, image);
  link(image.mirror, "debian");
  for (const part of ["bbb", "bbb-install", "exporter", "docker"]) link(join(standIn, part), part);
  if (!existsSync(TOKEN_FILE)) writeAtomically(TOKEN_FILE, `${randomBytes(32).toString("hex")}\n`, 0o600);
  writeClientFiles();
  await ensureNetwork();
  await startDaemon();
  await recreateHosts();
}

/** Disk space for a deployment with all its hosts, and the same again for experiments. */
const ROOM_GB = 2;

/**
 * Refuses to start with too little disk space. Hosts have the disks of their server types, which may be larger than
 * this machine's; on a full one they fail in odd ways.
 */
function needRoom(): void {
  const { bavail, bsize } = statfsSync(SANDBOX_STATE);
  const free = (bavail * bsize) / 1024 ** 3;
  if (free < ROOM_GB)
    throw new Error(
      `${SANDBOX_STATE} has ${free.toFixed(1)} GB free, and the sandbox needs ${ROOM_GB} GB there: make room, or name a directory ` +
        "on another disk in BBB_SANDBOX_STATE",
    );
}

/**
 * Makes hosts of servers whose creation failed in an earlier update.
 * @throws Error that names those which fail again
 */
async function recreateHosts(): Promise<void> {
  const token = readFileSync(TOKEN_FILE, "utf8").trim();
  const curl = [
    ...["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "300", "--request", "POST"],
    ...["--config", "-", `http://${SERVICES.api}/_hosts`],
  ];
  const input = `header = "authorization: Bearer ${token}"\nuser-agent = "sandbox"\n`;
  const answer = await runIn(ROUTER, curl, { input, timeoutMs: 305_000 });
  const { failed } = JSON.parse(answer) as { failed: { server: string; error: string }[] };
  if (failed.length === 0) return;
  const told = failed.map(({ server, error }) => `${server}: ${error}`).join("; ");
  throw new Error(
    `servers that an earlier update could not create still cannot be made on this machine: ${told}`,
  );
}

/**
 * Gives the running sandbox its AWS: its parts on this machine, an account and its access key (AWS_CREDENTIALS_FILE).
 * Resolves when it answers. Fast when it does already.
 */
export async function startAws(): Promise<void> {
  await installMoto();
  if (!existsSync(AWS_CREDENTIALS_FILE)) writeJson(AWS_CREDENTIALS_FILE, makeCredentials());
  const { secretAccessKey } = readJson<Credentials>(AWS_CREDENTIALS_FILE)!;
  // The secret goes by standard input, no command line has it.
  const curl = [
    ...["curl", "--silent", "--show-error", "--max-time", String(AWS_READY_MS / 1000)],
    ...["--config", "-", "--write-out", "\\n%{http_code}", `http://${SERVICES.aws}/_ready`],
  ];
  const input = `header = "authorization: Bearer ${secretAccessKey}"\n`;
  const answer = await runIn(ROUTER, curl, { input, timeoutMs: AWS_READY_MS + 5000 });
  const lines = answer.trimEnd().split("\n");
  if (lines.at(-1) !== "200")
    throw new Error(`the sandbox's AWS does not start: ${lines.slice(0, -1).join(" ")}`);
}

/** Installs moto's server where it is missing or outdated. Can be called while the sandbox starts. */
export async function installMoto(): Promise<void> {
  const script = `set -euo pipefail; . ${join(PROJECT_DIR, "scripts/lib/setup.sh")}; setup_moto`;
  const installer = spawn("bash", ["-c", script], { stdio: ["ignore", "ignore", "inherit"] });
  const [code] = (await once(installer, "exit")) as [number];
  if (code !== 0) throw new Error("moto's server could not be installed, as told above");
}

/** Makes credentials that look like AWS's. The id is no secret. */
function makeCredentials(): Credentials {
  const letters = randomBytes(16).map((byte) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".charCodeAt(byte % 32));
  return {
    accessKeyId: `AKIA${Buffer.from(letters).toString("latin1")}`,
    secretAccessKey: randomBytes(30).toString("base64"),
  };
}

function link(target: string, name: string): void {
  mkdirSync(MIRROR_DIR, { recursive: true });
  const fresh = join(MIRROR_DIR, `.${name}.new`);
  rmSync(fresh, { force: true });
  symlinkSync(target, fresh);
  renameSync(fresh, join(MIRROR_DIR, name));
}

async function buildImage(): Promise<Image> {
  const builder = spawn(join(PROJECT_DIR, "sandbox/image/build.sh"), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [printed, [code]] = await Promise.all([
    text(builder.stdout),
    once(builder, "exit") as Promise<[number]>,
  ]);
  if (code !== 0) throw new Error("the hosts' image could not be built, as told above");
  return parseImage(printed);
}

/** Parses the KEY=DIRECTORY lines of image/build.sh. */
export function parseImage(printed: string): Image {
  const parts = Object.fromEntries(
    printed
      .trim()
      .split("\n")
      .map((line) => line.split("=", 2) as [string, string]),
  );
  const { base, services, mirror } = parts;
  if (!base || !services || !mirror)
    throw new Error(`image/build.sh named no ${["base", "services", "mirror"].join(", ")}`);
  return { base, services, mirror };
}

/** The stand-in's packages and installers, made once for each version of its sources. */
async function buildStandIn(): Promise<string> {
  const source = join(PROJECT_DIR, "sandbox/bbb");
  const directory = `${STANDIN_DIR}-${await hashTree(source)}`;
  if (existsSync(directory)) return directory;
  process.stderr.write("set-up: building the BigBlueButton stand-in\n");
  await run(join(source, "build"), [directory], { timeoutMs: 300_000 });
  return directory;
}

async function hashTree(directory: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort())
    hash
      .update(file.slice(directory.length))
      .update("\0")
      .update(await readFile(file));
  return hash.digest("hex").slice(0, 12);
}
