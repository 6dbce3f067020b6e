import { spawnSync } from "node:child_process";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import type { Fault } from "../../../sandbox/hetzner/faults";
import { ROUTER } from "../../../sandbox/network/addresses";
import { CONTROL_SOCKET } from "../../../sandbox/paths";
import { getMeetings } from "./checks";
import { startWatched } from "./kill";
import { must, onHost, outputs, tryUpdate, update, type Update } from "./sandbox";

/** Faults of the sandbox, and the assertions at the end of every case. */

export type Service = "acme" | "hetzner" | "mail" | "mirror" | "storage";

function control(method: string, path: string, body?: unknown): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const asked = request({ socketPath: CONTROL_SOCKET, method, path, headers }, (answer) => {
      void text(answer).then((told) => {
        if ((answer.statusCode ?? 500) < 300) resolve(told);
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${told}`));
      });
    });
    asked.on("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Arms faults for the next matching requests to a service. The sandbox must be running. */
export async function arm(service: Service, ...faults: readonly Fault[]): Promise<void> {
  for (const fault of faults) await control("POST", `/faults/${service}`, fault);
}

/**
 * Disarms all faults.
 *
 * @throws with those that never happened: the case did not test what its name says
 */
export async function disarm(): Promise<void> {
  const { unused } = JSON.parse(await control("DELETE", "/faults")) as { unused: readonly Fault[] };
  if (unused.length > 0) throw new Error(`armed, but not used up: ${JSON.stringify(unused)}`);
}

/** Waits until all faults of a service have happened. A request that one delays is held by then. */
export function happened(service: Service, seconds = 120): Promise<void> {
  const none = async () =>
    (JSON.parse(await control("GET", `/faults/${service}`)) as { faults: readonly Fault[] }).faults.length ===
    0;
  return until(none, seconds);
}

/** Sets or removes the delegation by the zone's parent. */
export async function delegate(zone: string, delegated: boolean): Promise<void> {
  await control(delegated ? "PUT" : "DELETE", `/delegations/${zone}`);
}

/** Makes a sandbox without a deployment, so that faults can be armed before the first update. */
export async function freshSandbox(): Promise<void> {
  await must(["reset"]);
  await must(["start"]);
}

function router(rules: string): void {
  const command = [`--net=/run/netns/${ROUTER}`, "nft", "-f", "-"];
  const { status, stderr } = spawnSync("nsenter", command, { input: rules, encoding: "utf8" });
  if (status !== 0) throw new Error(`nft: ${stderr}`);
}

/** Makes the network refuse ("reject") or swallow ("drop") TCP to a port of every host, until {@link unblock}. */
export function block(port: number, how: "reject" | "drop"): void {
  const verdict = how === "reject" ? "reject with tcp reset" : "drop";
  unblock();
  router(
    `table inet faults { chain forward { type filter hook forward priority -200; tcp dport ${port} ${verdict}; }; }\n`,
  );
}

export function unblock(): void {
  router("table inet faults\ndelete table inet faults\n");
}

/** Resolves as soon as a condition holds. @throws after the given seconds */
export async function until(condition: () => boolean | Promise<boolean>, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`did not come to pass in ${seconds} s: ${condition.toString()}`);
    await sleep(200);
  }
}

/** Runs an up that must fail, with a message for each of these reasons. */
export async function failingUp(args: readonly string[], ...reasons: readonly RegExp[]): Promise<Update> {
  const result = await tryUpdate("up", "embedded", args);
  const text = result.stdout + result.stderr;
  if (result.code === 0) throw new Error(`up succeeded, though it had to fail:\n${text}`);
  for (const reason of reasons) expect(text).toMatch(reason);
  return result;
}

export const up = (...args: readonly string[]): Promise<Update> => update("up", "embedded", args);

/** Starts an up in the background. */
export function upInBackground(...args: readonly string[]) {
  const { update, ended, kill } = startWatched(["up", "--engine", "embedded", ...args]);
  return {
    update,
    ended,
    kill,
    /** Waits until it prints that. @throws if it ends before */
    prints: (what: RegExp, seconds = 120) =>
      until(() => {
        if (update.code !== undefined) throw new Error(`ended without ${String(what)}:\n${update.printed}`);
        return what.test(update.printed);
      }, seconds),
  };
}

/** Expects that the deployment works, and that another up has nothing to do. */
export async function expectDeployed(args: readonly string[] = []): Promise<void> {
  const stack = args.includes("--stack")
    ? args.slice(args.indexOf("--stack"), args.indexOf("--stack") + 2)
    : [];
  const out = await outputs(stack);
  expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("<returncode>SUCCESS</returncode>");
  expect(Object.keys((await up(...args)).summary)).toEqual(["unchanged"]);
}

/** Ends every SSH session of a host, like a cut connection. */
export const cutSsh = (fqdn: string): Promise<string> =>
  onHost(fqdn, ["bash", "-c", "pkill -KILL -f '^sshd: .*@' || true"]);

/** Number of runs of BigBlueButton's installer on a host. */
export const installerRuns = async (fqdn: string): Promise<number> =>
  Number(
    await onHost(fqdn, [
      "bash",
      "-c",
      "grep -c 'running bbb-install' /var/log/bbb-deploy/install-bbb.log || true",
    ]),
  );
