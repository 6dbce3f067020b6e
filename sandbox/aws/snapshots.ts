import { describe, type Cloud } from "./cloud";
import { ubuntuOf } from "./images";
import type { SnapshotRecord, State } from "./state";
import { items, text } from "./xml";

/** The snapshot that one of the account's images is made of. */
export function snapshotOfImage(
  state: State,
  imageId: string,
): { readonly id: string; readonly record: SnapshotRecord } | undefined {
  const found = Object.entries(state.snapshots).find(([, record]) => record.imageId === imageId);
  return found && { id: found[0], record: found[1] };
}

/** Ubuntu release of an image, the account's own or one of Canonical's for servers. @throws for any other */
export async function ubuntuOfImage(cloud: Cloud, imageId: string): Promise<string> {
  const own = snapshotOfImage(cloud.store.state, imageId);
  if (own) return own.record.ubuntu;
  const images = await describe(cloud, "DescribeImages", { "ImageId.1": imageId });
  const name = text(items(images.imagesSet)[0]?.name);
  const ubuntu = ubuntuOf(name);
  if (ubuntu === undefined)
    throw new Error(`image ${imageId} (${name}) is none of Canonical's for servers, nor made of one`);
  return ubuntu;
}
