import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

import { hetznerLabels } from "./labels";

type Inputs = Readonly<Record<string, unknown>>;
type Lister = (withSelector: string, inputs: Inputs) => Promise<readonly (string | undefined)[]>;

const names = (found: readonly { readonly name?: string }[]) => found.map(({ name }) => name);

/** Names of what the project has with some labels, by the type of the resource that makes such. */
const LISTERS: Readonly<Record<string, Lister>> = {
  "hcloud:index/server:Server": async (withSelector) =>
    names((await hcloud.getServers({ withSelector })).servers),
  "hcloud:index/primaryIp:PrimaryIp": async (withSelector) =>
    names((await hcloud.getPrimaryIps({ withSelector })).primaryIps),
  "hcloud:index/firewall:Firewall": async (withSelector) =>
    names((await hcloud.getFirewalls({ withSelector })).firewalls),
  "hcloud:index/volume:Volume": async (withSelector) =>
    names((await hcloud.getVolumes({ withSelector })).volumes),
  "hcloud:index/sshKey:SshKey": async (withSelector) =>
    names((await hcloud.getSshKeys({ withSelector })).sshKeys),
  "hcloud:index/zoneRrset:ZoneRrset": async (withSelector, { zone, type }) =>
    names(
      (await hcloud.getZoneRrsets({ zone: String(zone), withSelector })).rrsets.filter(
        (rrset) => rrset.type === type,
      ),
    ),
};

let hook: pulumi.ResourceHook | undefined;

/**
 * Refuses to make what exists with this stack's labels already, though its state does not have it: an update that was
 * killed has made that. The cloud alone would tell of a name that is taken.
 *
 * @param labels Of the deployment.
 * @returns A hook for the creation of each resource that has a name at Hetzner; one for the whole program.
 */
export function leftoverCheck({
  project = "",
  stack = "",
}: Readonly<Record<string, string>>): pulumi.ResourceHook {
  const labels = hetznerLabels({ project, stack });
  return (hook ??= new pulumi.ResourceHook(
    "nothing-is-left-of-a-killed-update",
    async ({ type, newInputs }) => {
      const inputs = newInputs as Inputs;
      const withSelector = `project==${labels.project},stack==${labels.stack}`;
      // One that cannot be asked says so itself when it is to make something.
      const found = await LISTERS[type]?.(withSelector, inputs).catch((): readonly string[] => []);
      if (found?.includes(String(inputs.name)) !== true) return;
      throw new Error(
        `./scripts/recover ${stack} is needed first: an update that was cut off has made ${String(inputs.name)} at Hetzner Cloud, ` +
          `with this stack's labels, but this stack's state does not have it. It takes that into the state; then pulumi up goes on`,
      );
    },
  ));
}
