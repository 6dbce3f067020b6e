import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";

import { named } from "../names";
import { hetznerLabels, ownerSelector } from "./labels";
import type { HostArgs } from "../host";
import { parkedPurposes, TURN_PARKED, type Purpose } from "./parkedLabels";

const PARKED: Purpose = "parked";

/**
 * Refuses to make a server that is parked: its disk is a snapshot, from which scripts/wake makes it again. An empty one
 * in its place would have the name, and none of what was on it.
 *
 * @returns a hook for the creation of the host's server
 */
export function parkedCheck(
  { name, role, image, labels }: Pick<HostArgs, "name" | "role" | "image" | "labels">,
  opts: pulumi.InvokeOptions,
): pulumi.ResourceHook {
  return new pulumi.ResourceHook(named(`${name}-is-not-parked`, labels), async () => {
    const withSelector = `${ownerSelector(labels)},role==bbb,purpose in (${parkedPurposes.join(",")})`;
    // Whoever cannot be asked says so when the server is ordered.
    const { images } = await hcloud.getImages({ withSelector }, opts).catch(() => ({ images: [] }));
    const parked =
      role === "bbb"
        ? images.some(({ id }) => String(id) === image)
          ? []
          : images
        : images.filter(({ labels: found }) => found.purpose === PARKED && found.turn === TURN_PARKED);
    const [snapshot] = parked;
    if (snapshot === undefined) return;
    const { stack } = hetznerLabels(labels);
    throw new Error(
      `stack ${stack} is parked, as the snapshot ${snapshot.id}: ./scripts/wake ${stack} brings it back as it was. ` +
        `To have an empty server instead: ./scripts/park ${stack} --discard removes the snapshot for good`,
    );
  });
}
