import { spawn } from "node:child_process";
import { constants } from "node:os";

import { hostInit } from "../hosts/container";
import { readHosts } from "../hosts/runtime";
import type { ServerSpec } from "../runtime";
import { readZones } from "../services/zones";
import { asClient, clientEnvironment } from "./client";
import { Mistake } from "../../cli/mistake";

/** Runs a command in the given place, with this process's standard streams; resolves with its exit code. */
export async function execute(
  command: readonly string[],
  { at, as }: { readonly at?: string; readonly as?: "internet" | "operator" },
): Promise<number> {
  if (at === undefined) return pass(asClient(as ?? "internet", command), clientEnvironment(process.env));
  return pass(atHost(at, command), {
    PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    HOME: "/root",
    USER: "root",
    LOGNAME: "root",
    SHELL: "/bin/bash",
    LANG: "C.UTF-8",
    ...(process.env.TERM ? { TERM: process.env.TERM } : {}),
  });
}

/** The command line that runs a command as root on the host of that name. @throws Mistake for one that is switched off */
export function atHost(fqdn: string, command: readonly string[]): string[] {
  const init = hostInit(findHost(fqdn).id);
  if (init === undefined) throw new Mistake(`${fqdn} is switched off: see ./scripts/sandbox status`);
  const enter = ["--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd"];
  return ["nsenter", "--target", String(init), ...enter, "--", ...command];
}

/** Host of a name: a published one, or the server's own. */
export function findHost(fqdn: string): ServerSpec {
  const hosts = readHosts().map(({ spec }) => spec);
  const name = fqdn.toLowerCase().replace(/\.$/, "");
  const addresses = addressesOf(name);
  const found =
    hosts.find(({ addresses: { ipv4 } }) => ipv4 !== undefined && addresses.includes(ipv4)) ??
    hosts.find((spec) => spec.name === name);
  if (found) return found;
  const names = hosts.flatMap((spec) => namesOf(spec));
  throw new Mistake(
    names.length === 0
      ? `no host ${fqdn}: nothing is deployed, see ./scripts/sandbox up`
      : `no host ${fqdn}: there are ${names.join(", ")}`,
  );
}

function addressesOf(fqdn: string): string[] {
  return Object.entries(readZones()).flatMap(([zone, records]) =>
    records
      .filter(({ type, name }) => type === "A" && (name === "@" ? zone : `${name}.${zone}`) === fqdn)
      .map(({ value }) => value),
  );
}

/** All published names of a host; its own name without any. */
export function namesOf(spec: ServerSpec): string[] {
  const names = Object.entries(readZones()).flatMap(([zone, records]) =>
    records
      .filter(({ type, value }) => type === "A" && value === spec.addresses.ipv4)
      .map(({ name }) => (name === "@" ? zone : `${name}.${zone}`)),
  );
  return names.length > 0 ? names : [spec.name];
}

/** Runs a command with this process's standard streams and passes signals on; resolves with its exit code. */
export function pass(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { stdio: "inherit", env });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
      // A terminal sends its own to the child as well.
      process.on(signal, () => {
        if (signal !== "SIGINT" && signal !== "SIGQUIT") child.kill(signal);
      });
    }
    child.on("error", (error) => reject(new Mistake(`${program}: ${error.message}`)));
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
