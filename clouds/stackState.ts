import * as pulumi from "@pulumi/pulumi";

/** A resource that the stack has by its last update. */
export interface StackResource {
  readonly urn: string;
  /** e.g. "aws:route53/record:Record" */
  readonly type: string;
  readonly outputs: Readonly<Record<string, unknown>>;
}

/**
 * Resources of this stack's own state, as it was before this update. An engine that does not tell them has none.
 *
 * The engine answers itself, and asks no cloud.
 */
export async function stackResources(): Promise<readonly StackResource[]> {
  const stackName = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const answer = await pulumi.runtime
    .invoke("pulumi:pulumi:readStackResourceOutputs", { stackName })
    .catch(() => ({}));
  const { outputs } = answer as {
    readonly outputs?: Readonly<Record<string, Omit<StackResource, "urn">>>;
  };
  return Object.entries(outputs ?? {}).map(([urn, resource]) => ({ urn, ...resource }));
}
