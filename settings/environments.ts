import { setCommand, type FieldValues } from "./fields";
import type { Problem } from "./problems";

/** What a kind of environment stands for; the settings `protect`, `protectRecordings` and `backups` can say otherwise. */
export interface Environment {
  /** Default server types: for trying out, or for real meetings. */
  readonly size: "test" | "prod";
  /** Server and static addresses can't be deleted, in Pulumi and, where it can, at the cloud. */
  readonly protect: boolean;
  /** The recordings volume can't be deleted, likewise. */
  readonly protectRecordings: boolean;
  /** The cloud's daily backups of the BigBlueButton server. */
  readonly backups: boolean;
  /** Whatever is good for trying out only is refused: see {@link strictProblems}. */
  readonly strict: boolean;
}

/** The one place that says what an environment is; README.md's table is made from it. */
export const environments = {
  test: { size: "test", protect: false, protectRecordings: false, backups: false, strict: false },
  staging: { size: "test", protect: false, protectRecordings: true, backups: false, strict: false },
  prod: { size: "prod", protect: true, protectRecordings: true, backups: true, strict: true },
} as const satisfies Record<string, Environment>;

/** The name of a kind of environment. */
export type EnvironmentName = keyof typeof environments;

type Values = Partial<FieldValues>;

/** Protection and backups as the settings ask for them, or else as the environment has them. */
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

/** What contradicts an environment that is strict; those of the server types are found with the types. */
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
      problem(key, "is false", `pulumi config rm ${key}, or ${setCommand("environment", "staging")}`),
    );
  }
  if (values.allowEndOfLife) {
    problems.push(
      problem(
        "allowEndOfLife",
        "is true",
        "pulumi config rm allowEndOfLife, and a release that is supported",
      ),
    );
  }
  if (values.acmeServer === "staging") {
    const reason = "is staging, whose certificates browsers don't trust";
    problems.push(problem("acmeServer", reason, setCommand("acmeServer", "production")));
  }
  for (const network of values.sshNetworks ?? []) {
    if (!network.endsWith("/0")) continue;
    const remedy = setCommand("--path 'sshNetworks[0]'", "YOUR-ADDRESS/32");
    problems.push(problem("sshNetworks", `has ${network}, SSH from everywhere`, remedy));
  }
  return problems;
}

/** What is to be removed in time cannot be protected from it. */
export function expiryProblems(values: Values): Problem[] {
  if (!values.expires || !values.environment) return [];
  const reason = "though the deployment has an expiry, at which it is removed";
  if (values.environment !== "test") {
    const remedy = `pulumi config rm expires, or ${setCommand("environment", "test")}`;
    return [{ key: "environment", reason: `is ${values.environment}, ${reason}`, remedy }];
  }
  return (["protect", "protectRecordings"] as const)
    .filter((key) => values[key])
    .map((key) => ({
      key,
      reason: `is true, ${reason}`,
      remedy: `pulumi config rm ${key}, or pulumi config rm expires`,
    }));
}
