import { alter, describe, type Cloud } from "./cloud";
import { snapshotOfImage } from "./snapshots";
import { readInstances, readVolumes } from "./view";
import { items, text } from "./xml";

/**
 * Takes over what moto was told and a killed process did not record here: such an instance boots, such a volume is
 * made. Such an image is removed, since nobody was told its id.
 */
export async function recover(cloud: Cloud): Promise<void> {
  const { state } = cloud.store;
  const instances = await readInstances(cloud);
  for (const { id } of instances) state.instances[id] ??= { host: `a${state.nextHost++}`, state: "pending" };
  const roots = instances.flatMap(({ blockDevices, rootDeviceName }) =>
    blockDevices.filter(({ device }) => device === rootDeviceName).map(({ volumeId }) => volumeId),
  );
  for (const { id } of await readVolumes(cloud))
    if (!roots.includes(id)) state.volumes[id] ??= { createdAt: cloud.clock() };
  const own = await describe(cloud, "DescribeImages", { "Owner.1": "self" });
  for (const image of items(own.imagesSet)) {
    const ImageId = text(image.imageId);
    if (!snapshotOfImage(state, ImageId)) await alter(cloud, "DeregisterImage", { ImageId });
  }
}
