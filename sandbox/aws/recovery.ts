import type { Cloud } from "./cloud";
import { readInstances, readVolumes } from "./view";

/**
 * Take in what moto was told of and this layer did not come to write down: the process was killed in between. Such
 * an instance boots, such a volume is made.
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
}
