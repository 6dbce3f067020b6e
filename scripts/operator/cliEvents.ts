/** What the Pulumi CLI's events say that it does, or would do. */
import type { EngineEvent } from "@pulumi/pulumi/automation";

import type { Change } from "./stacks";

const STEPS: readonly string[] = ["create", "update", "replace", "delete"] satisfies Change["step"][];

/** The change of one resource that an event announces; none of the stack itself and of providers. */
export function changeOf({ resourcePreEvent }: EngineEvent): Change | undefined {
  if (resourcePreEvent === undefined) return undefined;
  const { op, urn, type, diffs = [], detailedDiff } = resourcePreEvent.metadata;
  if (!STEPS.includes(op) || type.startsWith("pulumi:")) return undefined;
  return {
    urn,
    type,
    name: nameOf(urn),
    step: op as Change["step"],
    paths: detailedDiff ? Object.keys(detailedDiff) : diffs,
  };
}

/** The logical name at the end of a URN. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
