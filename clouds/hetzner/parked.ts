import * as pulumi from "@pulumi/pulumi";

import { named } from "../names";
import { askHetzner } from "./ask";
import { hetznerLabels, ownerSelector } from "./labels";
import type { HostArgs } from "../host";
import { parkedPurposes, TURN_PARKED, type Purpose } from "./parkedLabels";

const PARKED: Purpose = "parked";

interface Images {
  readonly images: readonly { readonly id: number; readonly labels: Readonly<Record<string, string>> }[];
}

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
    const selector = `${ownerSelector(labels)},role==bbb,purpose in (${parkedPurposes.join(",")})`;
    const question = { path: "/images", query: { type: "snapshot", label_selector: selector } };
    // Whoever cannot be asked says so when the server is ordered.
    const { images } = await askHetzner<Images>(question, opts).catch((): Images => ({ images: [] }));
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
