/** Changes that the Pulumi CLI's events announce. */
import { isDeepStrictEqual } from "node:util";

import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation";

/** Change of one resource by an update or its preview, in the order of announcement. */
export interface Change {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly step: "create" | "update" | "replace" | "delete";
  /** Paths of the changed inputs, e.g. "labels.expires" or "labels"; empty if they are not known. */
  readonly paths: readonly string[];
}

const STEPS: readonly string[] = ["create", "update", "replace", "delete"] satisfies Change["step"][];

/** Change of one resource that an event announces; undefined for the stack itself and for providers. */
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
 * Inputs that differ. A provider without a detailed diff also names outputs that its plan does not know yet, such as
 * assigneeId of an address whose label changes. Two secrets look alike, so its word counts for them.
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
  return JSON.stringify(value ?? null).includes('"[secret]"');
}

/** Logical name at the end of a URN. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
