import * as pulumi from "@pulumi/pulumi";

/** Resource of the stack, by its last update. */
export interface StackResource {
  readonly urn: string;
  /** Type, e.g. "aws:route53/record:Record". */
  readonly type: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * Resources of this stack's own state before this update; none by an engine that does not tell them.
 *
 * The engine itself answers, without asking a cloud. A state of megabytes takes a tenth of a second.
 */
export async function stackResources(): Promise<readonly StackResource[]> {
  const outputs = await asked<Omit<StackResource, "urn">>("readStackResourceOutputs", "stackName");
  return Object.entries(outputs).map(([urn, resource]) => ({ urn, ...resource }));
}

/** Outputs of a stack by their names. */
export type StackOutputs = Readonly<Record<string, unknown>>;

/** Outputs of this stack's last update that came to its end; none before the first. */
export function stackOutputs(): Promise<StackOutputs> {
  return asked("readStackOutputs", "name");
}

/** Source: pkg/resource/deploy/builtins.go. */
async function asked<T>(builtin: string, key: string): Promise<Readonly<Record<string, T>>> {
  const stack = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const answer: unknown = await pulumi.runtime
    .invoke(`pulumi:pulumi:${builtin}`, { [key]: stack })
    .catch(() => ({}));
  return (answer as { readonly outputs?: Readonly<Record<string, T>> }).outputs ?? {};
}
