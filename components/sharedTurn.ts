import * as pulumi from "@pulumi/pulumi";

import type { Settings } from "../settings";
import type { ChildOptions } from "../clouds/host";
import { LookUpError, refuseProblems } from "../clouds/lookUps";
import { named } from "../clouds/names";
import type { TurnService } from "./turnServer";
import type { Source } from "../settings/problems";
import { removeCommand } from "../settings/remedies";

type SharedTurnSettings = Source & Pick<Settings, "labels">;

/**
 * TURN server of another stack of this project, by that stack's outputs. Nothing about it is made or changed here: its
 * own stack decides whom it serves, by the setting `turnPeers`.
 *
 * @throws SettingsError if that stack can't be read, or has none to share
 */
export function sharedTurn(
  stack: string,
  settings: SharedTurnSettings,
  opts: ChildOptions,
): Promise<TurnService> {
  return refuseProblems(findShared(stack, settings, opts), settings);
}

async function findShared(
  stack: string,
  settings: SharedTurnSettings,
  opts: ChildOptions,
): Promise<TurnService> {
  const { project, stack: own } = settings;
  const refused = (reason: string, remedy: string) =>
    new LookUpError([{ key: "turnStack", reason: `is ${stack}, ${reason}`, remedy }]);
  if (stack === own) throw refused("this stack itself", removeCommand("turnStack"));
  // Whole, since a bare name would be looked for in the user's default organization, not in this stack's.
  const name = `${pulumi.getOrganization()}/${project}/${stack}`;
  const reference = new pulumi.StackReference(named("turn-stack", settings.labels), { name }, opts);
  const [host, secret] = await Promise.all([
    reference.getOutputDetails("turnHost"),
    reference.getOutputDetails("turnSecret"),
  ]);
  if (host.value === undefined) {
    throw refused(
      "whose outputs tell of no TURN server of its own",
      `the stack that makes it; if ${stack} does, an older version deployed it: run pulumi up there once`,
    );
  }
  if (secret.secretValue === undefined) {
    throw refused(
      "whose secrets this stack's passphrase or key does not open",
      "give both stacks the same one: pulumi stack change-secrets-provider",
    );
  }
  return {
    fqdn: String(host.value),
    secret: reference.requireOutput("turnSecret") as pulumi.Output<string>,
    dependsOn: [],
  };
}
