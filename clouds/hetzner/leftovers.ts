import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

import { named } from "../names";
import { hetznerLabels, ownerSelector } from "./labels";

type Inputs = Readonly<Record<string, unknown>>;
type Lister = (
  withSelector: string,
  inputs: Inputs,
  opts: pulumi.InvokeOptions,
) => Promise<readonly (string | undefined)[]>;

const names = (found: readonly { readonly name?: string }[]) => found.map(({ name }) => name);

/** Listers of the names of objects with some labels, by the type of resource. */
const LISTERS: Readonly<Record<string, Lister>> = {
  "hcloud:index/server:Server": async (withSelector, _, opts) =>
    names((await hcloud.getServers({ withSelector }, opts)).servers),
  "hcloud:index/primaryIp:PrimaryIp": async (withSelector, _, opts) =>
    names((await hcloud.getPrimaryIps({ withSelector }, opts)).primaryIps),
  "hcloud:index/firewall:Firewall": async (withSelector, _, opts) =>
    names((await hcloud.getFirewalls({ withSelector }, opts)).firewalls),
  "hcloud:index/placementGroup:PlacementGroup": async (withSelector, _, opts) =>
    names((await hcloud.getPlacementGroups({ withSelector }, opts)).placementGroups),
  "hcloud:index/volume:Volume": async (withSelector, _, opts) =>
    names((await hcloud.getVolumes({ withSelector }, opts)).volumes),
  "hcloud:index/storageBox:StorageBox": async (withSelector, _, opts) =>
    names((await hcloud.getStorageBoxes({ withSelector }, opts)).storageBoxes),
  "hcloud:index/sshKey:SshKey": async (withSelector, _, opts) =>
    names((await hcloud.getSshKeys({ withSelector }, opts)).sshKeys),
  "hcloud:index/zoneRrset:ZoneRrset": async (withSelector, { zone, type }, opts) =>
    names(
      (await hcloud.getZoneRrsets({ zone: String(zone), withSelector }, opts)).rrsets.filter(
        (rrset) => rrset.type === type,
      ),
    ),
};

/** Hooks by name, one for each deployment. */
const hooks = new Map<string, pulumi.ResourceHook>();

/**
 * Refuses to make an object that exists with this stack's labels, but not in its state: a killed update made it. The
 * cloud itself would only say that the name is taken.
 *
 * @param labels Labels of the deployment.
 * @returns a hook for the creation of each resource with a name at Hetzner; one for the whole deployment
 */
export function leftoverCheck(
  labels: Readonly<Record<string, string>>,
  opts: pulumi.InvokeOptions,
): pulumi.ResourceHook {
  const name = named("nothing-is-left-of-a-killed-update", labels);
  const made = hooks.get(name) ?? newHook(name, labels, opts);
  hooks.set(name, made);
  return made;
}

function newHook(
  name: string,
  labels: Readonly<Record<string, string>>,
  opts: pulumi.InvokeOptions,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(name, async ({ type, newInputs }) => {
    const inputs = newInputs as Inputs;
    // One that cannot be asked says so itself when it is to make something.
    const found = await LISTERS[type]?.(ownerSelector(labels), inputs, opts).catch(
      (): readonly string[] => [],
    );
    if (found?.includes(String(inputs.name)) !== true) return;
    throw new Error(
      `./scripts/recover ${hetznerLabels(labels).stack} is needed first: an update that was cut off has made ${String(inputs.name)} at Hetzner Cloud, ` +
        `with this stack's labels, but this stack's state does not have it. It takes that into the state; then pulumi up goes on`,
    );
  });
}
