import { nameOf } from "../cli/pulumiEvents";
import type { StackResource } from "./stacks";

/** Mark of an encrypted value in a state. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

interface Exported {
  readonly deployment?: {
    readonly resources?: readonly {
      readonly urn: string;
      readonly type: string;
      readonly id?: string;
      readonly protect?: boolean;
      /** Replaced, and still to be deleted. */
      readonly delete?: boolean;
      readonly inputs?: Readonly<Record<string, unknown>>;
      readonly outputs?: Readonly<Record<string, unknown>>;
      readonly created?: string;
    }[];
  };
}

/** Resources of `pulumi stack export`, secrets as "[secret]". */
export function exportedResources(exported: unknown): StackResource[] {
  const { resources = [] } = (exported as Exported | undefined)?.deployment ?? {};
  return resources.map(({ urn, type, id, protect, inputs, outputs, created }) => ({
    urn,
    type,
    name: nameOf(urn),
    id,
    protect: protect ?? false,
    inputs: withoutSecrets(inputs ?? {}) as Readonly<Record<string, unknown>>,
    outputs: withoutSecrets(outputs ?? {}) as Readonly<Record<string, unknown>>,
    created: created === undefined ? undefined : new Date(created),
  }));
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (SIGNATURE in value && ("ciphertext" in value || "plaintext" in value)) return "[secret]";
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutSecrets(item)]));
}
