import { parse } from "shell-quote";

import type { Role } from "../../clouds/host";
import { stepTable, type HostScript, type StepScript } from "../../steps/table";
import type { Basis, Duration } from "./durations";
import type { PlannedResource } from "./program";

/** Step on a host, by its command line. */
export interface PlannedStep {
  readonly role: Role;
  readonly number: number;
  readonly of: number;
  readonly title: string;
  /** File of scripts/host. */
  readonly script: StepScript;
  readonly seconds: Duration["seconds"];
  readonly basis: Basis;
  /** Additional time for which it may wait until a name leads to its host. */
  readonly dnsWaitSeconds?: number;
}

const COMMAND = "command:remote:Command";

/**
 * All steps, host by host, in the order in which they run.
 *
 * @param copies Hosts that are copies of a baked image.
 */
export function stepsOf(resources: readonly PlannedResource[], copies: readonly Role[] = []): PlannedStep[] {
  const all = resources.filter((resource) => isStep(resource)).map((resource) => read(resource, copies));
  return (["bbb", "turn", "balancer"] as const).flatMap((role) => {
    const own = onceEach(all.filter((step) => step.role === role)).sort(
      (a, b) => ORDER.indexOf(a.script) - ORDER.indexOf(b.script),
    );
    return own.map((step, i) => ({ ...step, number: i + 1, of: own.length }));
  });
}

const ORDER = Object.keys(stepTable) as StepScript[];

/** Steps of one host: those of a pool's servers are the same, as are the balancer's for each of them. */
function onceEach<S extends { readonly script: string; readonly title: string }>(steps: readonly S[]): S[] {
  return [...new Map(steps.map((step) => [`${step.script} ${step.title}`, step])).values()];
}

/**
 * Duration from … to, in seconds, of the longest chain of steps that wait for each other; the hosts work side by side.
 */
export function longestChain(
  resources: readonly PlannedResource[],
  copies: readonly Role[] = [],
): Duration["seconds"] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const known = new Map<string, readonly [number, number]>();
  const end = (urn: string): readonly [number, number] => {
    const resource = byUrn.get(urn);
    if (!resource) return [0, 0];
    const before = known.get(urn);
    if (before) return before;
    const own = isStep(resource) ? read(resource, copies).seconds : ([0, 0] as const);
    const ends = resource.dependsOn.map(end);
    const after = (i: 0 | 1) => Math.max(0, ...ends.map((one) => one[i])) + own[i];
    known.set(urn, [after(0), after(1)]);
    return known.get(urn)!;
  };
  const all = resources.map(({ urn }) => end(urn));
  return [Math.max(0, ...all.map(([least]) => least)), Math.max(0, ...all.map(([, most]) => most))];
}

/**
 * True for a step. Commands that only resume a step after its host's restart, and those that run before a deletion, are
 * none.
 */
function isStep({ type, inputs }: PlannedResource): boolean {
  return (
    type === COMMAND && inputs.create !== undefined && !parse(String(inputs.create)).includes("--resume")
  );
}

/** A command line has role, title and script in this order; that of the first step has bash's instead of a script. */
function read(
  { name, inputs }: PlannedResource,
  copies: readonly Role[],
): Omit<PlannedStep, "number" | "of"> {
  const words = parse(String(inputs.create)).map(String);
  const bash = words.indexOf("--");
  const isFirst = words[bash - 2] === "bash";
  const at = isFirst ? bash + 3 : words.findIndex((word) => word.endsWith(".sh"));
  const script = isFirst ? "connect.sh" : words[at];
  const [role, title] = [words[at - 2], words[at - 1]];
  const row = (stepTable as Readonly<Record<string, HostScript>>)[script ?? ""];
  if ((role !== "bbb" && role !== "turn" && role !== "balancer") || title === undefined || row === undefined)
    throw new Error(`${name}: no step that a plan knows: ${words.join(" ")}`);
  const wait = words.indexOf("--dns-wait");
  return {
    role,
    title,
    script: script as StepScript,
    ...(row.copySeconds && copies.includes(role)
      ? { seconds: row.copySeconds, basis: "estimate" }
      : { seconds: row.seconds, basis: row.basis }),
    ...(wait < 0 ? {} : { dnsWaitSeconds: Number(words[wait + 1]) }),
  };
}
