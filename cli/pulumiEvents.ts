/** What the Pulumi CLI's events say that it does, or would do. */
import { isDeepStrictEqual } from "node:util";

import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";

/** What an update or its preview does to one resource, in the order in which it is announced. */
export interface Change {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly step: "create" | "update" | "replace" | "delete";
  /** Paths of the changed inputs, e.g. "labels.expires" or "labels"; empty where they are not known. */
  readonly paths: readonly string[];
}

const STEPS: readonly string[] = ["create", "update", "replace", "delete"] satisfies Change["step"][];

/** The change of one resource that an event announces; none of the stack itself and of providers. */
export function changeOf({ resourcePreEvent }: EngineEvent): Change | undefined {
  if (resourcePreEvent === undefined) return undefined;
  const { op, urn, type, detailedDiff } = resourcePreEvent.metadata;
  if (!STEPS.includes(op) || type.startsWith("pulumi:")) return undefined;
  return {
    urn,
    type,
    name: nameOf(urn),
    step: op as Change["step"],
    paths: detailedDiff ? Object.keys(detailedDiff) : changedInputs(resourcePreEvent.metadata),
  };
}

/**
 * The inputs that differ. A provider without a detailed diff names outputs as well that its plan does not know yet, such as
 * assigneeId of an address whose label changes. Two secrets look alike: there its word has to do.
 */
function changedInputs({ old, new: now, diffs = [] }: StepEventMetadata): string[] {
  const [before, after] = [old, now].map((state) => (state?.inputs ?? {}) as Record<string, unknown>);
  const keys = [...new Set([...Object.keys(before!), ...Object.keys(after!)])];
  return keys.filter(
    (key) =>
      key !== "__defaults" &&
      (!isDeepStrictEqual(before![key], after![key]) || (isClosed(after![key]) && diffs.includes(key))),
  );
}

function isClosed(value: unknown): boolean {
  return JSON.stringify(value)?.includes('"[secret]"') === true;
}

/** The logical name at the end of a URN. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
