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
 * The engine itself answers, without asking a cloud.
 */
export async function stackResources(): Promise<readonly StackResource[]> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const answer: unknown = await pulumi.runtime
    .invoke("pulumi:pulumi:readStackResourceOutputs", { stackName })
    .catch(() => ({}));
  const { outputs } = answer as {
    readonly outputs?: Readonly<Record<string, Omit<StackResource, "urn">>>;
  };
  return Object.entries(outputs ?? {}).map(([urn, resource]) => ({ urn, ...resource }));
}
