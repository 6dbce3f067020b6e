import { parse } from "shell-quote";

import type { Role } from "../../clouds/host";
import { durations, type Basis, type Duration } from "./durations";
import type { PlannedResource } from "./program";

/** Step on a host, by its command line. */
export interface PlannedStep {
  readonly role: Role;
  readonly number: number;
  readonly of: number;
  readonly title: string;
  /** File of scripts/host; "connect" for the first step, which brings these there. */
  readonly script: string;
  readonly seconds: Duration["seconds"];
  readonly basis: Basis;
  /** Additional time for which it may wait until a name leads to its host. */
  readonly dnsWaitSeconds?: number;
}

const COMMAND = "command:remote:Command";

/** All steps, host by host, in the order in which they run. */
export function stepsOf(resources: readonly PlannedResource[]): PlannedStep[] {
  return resources
    .filter((resource) => isStep(resource))
    .map(stepOf)
    .sort((a, b) => a.role.localeCompare(b.role) || a.number - b.number);
}

/**
 * Duration from … to, in seconds, of the longest chain of steps that wait for each other; the hosts work side by side.
 */
export function longestChain(resources: readonly PlannedResource[]): Duration["seconds"] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const known = new Map<string, readonly [number, number]>();
  const end = (urn: string): readonly [number, number] => {
    const resource = byUrn.get(urn);
    if (!resource) return [0, 0];
    const before = known.get(urn);
    if (before) return before;
    const own = isStep(resource) ? stepOf(resource).seconds : ([0, 0] as const);
    const ends = resource.dependsOn.map(end);
    const after = [0, 1].map((i) => Math.max(0, ...ends.map((one) => one[i] ?? 0)) + (own[i] ?? 0));
    known.set(urn, after as unknown as readonly [number, number]);
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

function stepOf({ name, inputs }: PlannedResource): PlannedStep {
  const words = parse(String(inputs.create)).map(String);
  const at = words.findIndex((word) => LABEL.test(word));
  const { label, title, script } =
    at < 0
      ? { ...headOf(String(inputs.stdin)), script: "connect" }
      : { label: words[at]!, title: words[at + 1]!, script: words[at + 2]! };
  const [, role, number, of] = LABEL.exec(label) ?? [];
  const duration = durations[script];
  if (!role || !duration) throw new Error(`${name}: no step that a plan knows: ${label} ${title} ${script}`);
  const wait = words.indexOf("--dns-wait");
  return {
    role: role as Role,
    number: Number(number),
    of: Number(of),
    title,
    script,
    ...duration,
    ...(wait < 0 ? {} : { dnsWaitSeconds: Number(words[wait + 1]) }),
  };
}

/** Label of a step, e.g. "bbb 5/7". */
const LABEL = /^(bbb|turn) (\d+)\/(\d+)$/;

/** Reads the first message of the script that installs the others. */
function headOf(script: string): { readonly label: string; readonly title: string } {
  const [, title = "", label = ""] = /^title='(.+?)' label='\[(.+?)\]'$/m.exec(script) ?? [];
  return { label, title };
}
