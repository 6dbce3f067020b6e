import { existsSync, readFileSync } from "node:fs";

import Table from "cli-table3";

import { hostInit } from "../hosts/container";
import { isAlive, listProcesses } from "../hosts/processes";
import { readHosts } from "../hosts/runtime";
import { interfaceAddresses, sshConnections } from "../network/namespaces";
import { AWS_REQUEST_LOG, REQUEST_LOG } from "../paths";
import { namesOf } from "./exec";

export interface Status {
  readonly running: boolean;
  readonly hosts: readonly {
    readonly id: string;
    readonly name: string;
    readonly names: readonly string[];
    readonly ipv4?: string;
    /** Address of its interface, where that is not the public one. */
    readonly privateIpv4?: string;
    readonly ipv6?: string;
    readonly ubuntu: string;
    readonly cores: number;
    readonly memoryGb: number;
    readonly power: "on" | "off";
    /** Number of SSH connections from the operator since the host was made. */
    readonly sshConnections: number;
  }[];
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  /** Number of calls since the last reset that asked an emulated cloud to change something. */
  readonly mutatingApiCalls: number;
}

async function readStatus(): Promise<Status> {
  const ssh = await sshConnections();
  const processes = listProcesses().filter(isAlive);
  return {
    running: processes.some(({ name }) => name === "daemon"),
    hosts: readHosts().map(({ spec }) => ({
      id: spec.id,
      name: spec.name,
      names: namesOf(spec),
      ipv4: spec.addresses.ipv4,
      ...(spec.addresses.privateIpv4 ? { privateIpv4: spec.addresses.privateIpv4 } : {}),
      ipv6: interfaceAddresses(spec.addresses).ipv6?.replace(/\/.*/, ""),
      ubuntu: spec.ubuntu,
      cores: spec.cores,
      memoryGb: spec.memoryGb,
      power: hostInit(spec.id) === undefined ? "off" : "on",
      sshConnections: ssh[spec.id] ?? 0,
    })),
    processes: processes.map(({ name, pid }) => ({ name, pid })),
    mutatingApiCalls: [REQUEST_LOG, AWS_REQUEST_LOG]
      .filter((log) => existsSync(log))
      .reduce((sum, log) => sum + countMutating(readFileSync(log, "utf8")), 0),
  };
}

/** Requests in an emulated API's log that could change something. */
export function countMutating(log: string): number {
  return log
    .split("\n")
    .filter((line) => line !== "" && (JSON.parse(line) as { mutating?: boolean }).mutating).length;
}

export async function showStatus({ json }: { readonly json?: true }): Promise<void> {
  const status = await readStatus();
  process.stdout.write(`${json ? JSON.stringify(status, null, 2) : render(status)}\n`);
}

function render(status: Status): string {
  const plain = { style: { head: [], border: [] } };
  const hosts = new Table({
    ...plain,
    head: ["host", "address", "Ubuntu", "size", "power", "SSH connections"],
  });
  for (const host of status.hosts) {
    hosts.push([
      host.names.join("\n"),
      [host.ipv4, host.privateIpv4 && `${host.privateIpv4} (private)`, host.ipv6].filter(Boolean).join("\n"),
      host.ubuntu,
      `${host.cores} cores, ${host.memoryGb} GB`,
      host.power,
      host.sshConnections,
    ]);
  }
  const processes = new Table({ ...plain, head: ["process", "id"] });
  for (const { name, pid } of status.processes) processes.push([name, pid]);
  return [
    status.running ? "The sandbox is running." : "The sandbox is not running.",
    ...(status.hosts.length > 0 ? [hosts.toString()] : ["No hosts."]),
    ...(status.processes.length > 0 ? [processes.toString()] : []),
    `API calls that changed something, since the last reset: ${status.mutatingApiCalls}`,
  ].join("\n");
}
