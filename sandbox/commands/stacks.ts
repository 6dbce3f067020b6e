import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { Checkpoint } from "../engine/checkpoint";
import { PROJECT_DIR, STACKS_DIR } from "../paths";

/** Engine of a stack. */

export type Engine = "embedded" | "pulumi";
export type Cloud = "hetzner" | "aws";

/** State files of a stack, by engine. */
function stateFiles(stack: string): Record<Engine, string> {
  return { embedded: Checkpoint.file(STACKS_DIR, stack), pulumi: cliStateFile(stack) };
}

/** True when a stack had an update at some time, even if nothing is left of it. */
export function stackExists(stack: string): boolean {
  return Object.values(stateFiles(stack)).some((file) => existsSync(file));
}

/** Engine that has resources of a stack; undefined when nothing is deployed. */
export function engineOf(stack: string): Engine | undefined {
  const files = stateFiles(stack);
  return (Object.keys(files) as Engine[]).find(
    (engine) => existsSync(files[engine]) && holdsResources(readFileSync(files[engine], "utf8")),
  );
}

/** Size in GB of a stack's recordings volume; undefined without one. */
export function recordingsGbOf(stack: string): number | undefined {
  const file = Object.values(stateFiles(stack)).find(
    (file) => existsSync(file) && holdsResources(readFileSync(file, "utf8")),
  );
  return file === undefined ? undefined : volumeGb(readFileSync(file, "utf8"));
}

/** Size in GB of the recordings volume in the state file of either engine. */
export function volumeGb(text: string): number | undefined {
  const file = JSON.parse(text) as { deployment?: State; checkpoint?: { latest?: State } };
  const { resources = [] } = file.deployment ?? file.checkpoint?.latest ?? {};
  const volume = resources.find(({ type }) => /^(hcloud:index|aws:ebs)\/volume:Volume$/.test(type));
  const size = volume?.inputs?.size;
  return typeof size === "number" ? size : undefined;
}

interface State {
  readonly resources?: readonly {
    readonly type: string;
    readonly custom?: boolean;
    readonly inputs?: Readonly<Record<string, unknown>>;
  }[];
  readonly pending_operations?: readonly unknown[];
}

/** True when the state file of either engine has anything that exists at a cloud, or may exist there. */
export function holdsResources(text: string): boolean {
  const file = JSON.parse(text) as { deployment?: State; checkpoint?: { latest?: State } };
  const { resources = [], pending_operations: pending = [] } =
    file.deployment ?? file.checkpoint?.latest ?? {};
  return (
    pending.length > 0 || resources.some(({ type, custom }) => custom === true && !type.startsWith("pulumi:"))
  );
}

function cliStateFile(stack: string): string {
  const { name } = parse(readFileSync(join(PROJECT_DIR, "Pulumi.yaml"), "utf8")) as { name: string };
  return join(STACKS_DIR, "pulumi", ".pulumi", "stacks", name, `${stack}.json`);
}

/** Cloud of a stack's last update; undefined when nothing is deployed. */
export function cloudOf(stack: string): Cloud | undefined {
  const file = cloudFile(stack);
  if (engineOf(stack) === undefined || !existsSync(file)) return undefined;
  return readFileSync(file, "utf8").trim() as Cloud;
}

/** Remembers the cloud of a stack for the next command. */
export function rememberCloud(stack: string, cloud: Cloud): void {
  mkdirSync(STACKS_DIR, { recursive: true, mode: 0o700 });
  writeFileSync(cloudFile(stack), `${cloud}\n`);
}

/** Settings of a stack's last update that were given by `--set`; those of its file and the sandbox's own are not among them. */
export function setsOf(stack: string): readonly string[] {
  const file = setsFile(stack);
  if (engineOf(stack) === undefined || !existsSync(file)) return [];
  return JSON.parse(readFileSync(file, "utf8")) as string[];
}

/** Remembers them for the operator's commands. */
export function rememberSets(stack: string, set: readonly string[]): void {
  mkdirSync(STACKS_DIR, { recursive: true, mode: 0o700 });
  writeFileSync(setsFile(stack), JSON.stringify(set), { mode: 0o600 });
}

/**
 * Remembers whether the tests deployed a stack last, which `BBB_DEPLOYED_BY_TESTS` tells: scripts/test may remove what a
 * run of it that was cut off has left.
 */
export function rememberTests(stack: string): void {
  mkdirSync(STACKS_DIR, { recursive: true, mode: 0o700 });
  const file = join(STACKS_DIR, `${stack}.tests`);
  if (process.env.BBB_DEPLOYED_BY_TESTS === undefined) rmSync(file, { force: true });
  else writeFileSync(file, "");
}

function setsFile(stack: string): string {
  return join(STACKS_DIR, `${stack}.set.json`);
}

function cloudFile(stack: string): string {
  return join(STACKS_DIR, `${stack}.cloud`);
}
