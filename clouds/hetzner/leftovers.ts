import * as pulumi from "@pulumi/pulumi";

import { named } from "../names";
import { askHetzner, type Question } from "./ask";
import { hetznerLabels, ownerSelector } from "./labels";

type Inputs = Readonly<Record<string, unknown>>;

/** Hetzner's collections of objects with names, by the type of resource. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  "hcloud:index/server:Server": "servers",
  "hcloud:index/primaryIp:PrimaryIp": "primary_ips",
  "hcloud:index/firewall:Firewall": "firewalls",
  "hcloud:index/placementGroup:PlacementGroup": "placement_groups",
  "hcloud:index/volume:Volume": "volumes",
  "hcloud:index/storageBox:StorageBox": "storage_boxes",
  "hcloud:index/sshKey:SshKey": "ssh_keys",
  "hcloud:index/zoneRrset:ZoneRrset": "rrsets",
};

/** Question for an object of that type and name with these labels. */
function questionOf(collection: string, { name, zone, type }: Inputs, selector: string): Question {
  const query = { name: String(name), label_selector: selector };
  if (collection === "rrsets")
    return { path: `/zones/${String(zone)}/rrsets`, query: { ...query, type: String(type) } };
  return { path: `/${collection}`, query, host: collection === "storage_boxes" ? "boxes" : "cloud" };
}

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
    const collection = COLLECTIONS[type];
    if (collection === undefined) return;
    const inputs = newInputs as Inputs;
    const question = questionOf(collection, inputs, ownerSelector(labels));
    // One that cannot be asked says so itself when it is to make something.
    const answer = await askHetzner<Record<string, readonly { readonly name: string }[]>>(
      question,
      opts,
    ).catch(() => undefined);
    if (answer?.[collection]?.some(({ name }) => name === inputs.name) !== true) return;
    throw new Error(
      `./scripts/recover ${hetznerLabels(labels).stack} is needed first: an update that was cut off has made ${String(inputs.name)} at Hetzner Cloud, ` +
        `with this stack's labels, but this stack's state does not have it. It takes that into the state; then pulumi up goes on`,
    );
  });
}
