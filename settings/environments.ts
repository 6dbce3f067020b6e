import { defaultRelease, releases } from "../bigbluebutton/releases";
import { type FieldValues } from "./fields";
import { removeCommand, setCommand } from "./remedies";
import { coveredShare } from "./formats/network";
import type { Problem } from "./problems";

/** Effects of a kind of environment; the settings `protect`, `protectRecordings` and `backups` override them. */
export interface Environment {
  /** Default server types: for trials, or for real meetings. */
  readonly size: "test" | "prod";
  /** Refuses to delete server and static addresses, in Pulumi and, if it can, at the cloud. */
  readonly protect: boolean;
  /** Refuses to delete the recordings volume, in Pulumi and, if it can, at the cloud. */
  readonly protectRecordings: boolean;
  /** Makes the cloud's daily backups of the BigBlueButton server. */
  readonly backups: boolean;
  /** Refuses everything that suits trials only: see {@link strictProblems}. */
  readonly strict: boolean;
}

/** Kinds of environment, defined only here; the table of docs/environments.md is made from it. */
export const environments = {
  test: { size: "test", protect: false, protectRecordings: false, backups: false, strict: false },
  staging: { size: "test", protect: false, protectRecordings: true, backups: false, strict: false },
  prod: { size: "prod", protect: true, protectRecordings: true, backups: true, strict: true },
} as const satisfies Record<string, Environment>;

/** Name of a kind of environment. */
export type EnvironmentName = keyof typeof environments;

type Values = Partial<FieldValues>;

/** Protection and backups by the settings, else by the environment. */
export function protectionOf(
  values: Pick<FieldValues, "environment" | "protect" | "protectRecordings" | "backups">,
): Pick<Environment, "protect" | "protectRecordings" | "backups"> {
  const environment = environments[values.environment];
  return {
    protect: values.protect ?? environment.protect,
    protectRecordings: values.protectRecordings ?? environment.protectRecordings,
    backups: values.backups ?? environment.backups,
  };
}

/** Conflicts with a strict environment; those of the server types are found with the types. */
export function strictProblems(values: Values): Problem[] {
  if (!values.environment || !environments[values.environment].strict) return [];
  const { environment } = values;
  const problem = (key: string, reason: string, remedy: string): Problem => ({
    key,
    reason: `${reason}, which contradicts environment: ${environment}`,
    remedy,
  });
  const problems: Problem[] = [];
  for (const key of ["protect", "protectRecordings", "backups"] as const) {
    if (values[key] !== false) continue;
    problems.push(
      problem(key, "is false", `${removeCommand(key)}, or ${setCommand("environment", "staging")}`),
    );
  }
  if (values.allowEndOfLife) {
    problems.push(
      problem(
        "allowEndOfLife",
        "is true",
        `${removeCommand("allowEndOfLife")}, and a release that is supported`,
      ),
    );
  }
  if (values.acmeServer === "staging") {
    const reason = "is staging, whose certificates browsers don't trust";
    problems.push(problem("acmeServer", reason, setCommand("acmeServer", "production")));
  }
  if (values.release && releases[values.release].status === "candidate") {
    const reason = `is ${values.release}, a release candidate`;
    problems.push(problem("release", reason, setCommand("release", defaultRelease)));
  }
  const remedy = setCommand("--path 'sshNetworks[0]'", "YOUR-ADDRESS/32");
  for (const reason of wideNetworks(values.sshNetworks ?? []))
    problems.push(problem("sshNetworks", reason, remedy));
  return problems;
}

/**
 * Largest shares of all addresses that may reach SSH. The largest organizations have a /8 of IPv4 and a /16 of IPv6.
 */
const WIDEST = { ipv4: 2 ** -8, ipv6: 2 ** -13 } as const;

/** Problems of networks with so many addresses that SSH is open to strangers, by one of them or together. */
function wideNetworks(networks: readonly string[]): string[] {
  return (["ipv4", "ipv6"] as const).flatMap((family) => {
    const wide = networks.filter((network) => coveredShare([network], family) > WIDEST[family]);
    if (wide.some((network) => network.endsWith("/0"))) {
      return wide.map((network) => `has ${network}, SSH from everywhere`);
    }
    const share = coveredShare(networks, family);
    if (share <= WIDEST[family]) return [];
    const percent = share >= 0.01 ? Math.round(share * 100) : (share * 100).toFixed(2);
    const title = family === "ipv4" ? "IPv4" : "IPv6";
    return [`has networks that are together ${percent} % of all ${title} addresses, SSH from strangers`];
  });
}

/** Refuses an expiry in the past, and protection of a deployment that expires. */
export function expiryProblems(values: Values, now: Date): Problem[] {
  if (!values.expires || !values.environment) return [];
  const expires = new Date(Number(values.expires) * 1000);
  if (expires <= now) {
    const reason = `is ${values.expires}, ${expires.toISOString()}, which is over: what is made would be removed at once`;
    const remedy = `${removeCommand("expires")}, for what is to stay; scripts/test-server extend gives a test server more time`;
    return [{ key: "expires", reason, remedy }];
  }
  const reason = "though the deployment has an expiry, at which it is removed";
  if (values.environment !== "test") {
    const remedy = `${removeCommand("expires")}, or ${setCommand("environment", "test")}`;
    return [{ key: "environment", reason: `is ${values.environment}, ${reason}`, remedy }];
  }
  return (["protect", "protectRecordings"] as const)
    .filter((key) => values[key])
    .map((key) => ({
      key,
      reason: `is true, ${reason}`,
      remedy: `${removeCommand(key)}, or ${removeCommand("expires")}`,
    }));
}
