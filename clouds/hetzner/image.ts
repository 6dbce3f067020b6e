import * as hcloud from "@pulumi/hcloud";
import type * as pulumi from "@pulumi/pulumi";

import { chooseImage, imageKey, noBakedImage, type BakedImage } from "../bakedImages";
import type { HostArgs } from "../host";
import { LookUpError } from "../lookUps";
import { hetznerLabels, selectorOf } from "./labels";
import { hetznerLookUp } from "./lookUp";
import { serversOf } from "./serverTypes";

/**
 * Finds the baked image for a host that asks for one: the newest that is whole.
 *
 * @param scripts Hash of the scripts that install on it.
 * @returns its id; undefined for a host that is made from its `image`
 * @throws LookUpError if the host needs one, and there is none that its server type can take
 */
export async function findBakedImage(
  host: HostArgs,
  scripts: string,
  opts: pulumi.InvokeOptions,
): Promise<string | undefined> {
  if (!host.baked) return undefined;
  const found = await newest(host, opts);
  const { id, problem } = await chooseImage(
    host,
    found,
    { diskGb: found && (await diskOf(host, opts)), now: new Date(), scripts },
    async () => (await serversOf(host, opts)).length > 0,
  );
  if (problem) throw new LookUpError([problem]);
  return id;
}

async function newest(host: HostArgs, opts: pulumi.InvokeOptions): Promise<BakedImage | undefined> {
  const withSelector = selectorOf(hetznerLabels(host.baked!.labels));
  // A list without entries is no error; the provider shows that of getImage, and with it the update as failed.
  const ask = async (): Promise<BakedImage | undefined> => {
    const { images } = await hcloud.getImages(
      { withSelector, mostRecent: true, withStatuses: ["available"], withArchitectures: ["x86"] },
      opts,
    );
    return images.map(({ id, labels }) => ({ id: String(id), labels }))[0];
  };
  return hetznerLookUp(ask, () => noBakedImage(host));
}

/** GB of the disk of the host's server type; undefined if nobody tells. */
async function diskOf(
  { role, serverType }: HostArgs,
  opts: pulumi.InvokeOptions,
): Promise<number | undefined> {
  const { disk } = await hetznerLookUp(
    () => hcloud.getServerType({ name: serverType }, opts),
    (answer) => ({
      key: imageKey(role),
      reason: `can't be compared with the disk of ${serverType}: ${answer}`,
      remedy: "choose a server type that the console offers",
    }),
  );
  return disk;
}
