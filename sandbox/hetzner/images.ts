import { type Image, images, type ServerType, unavailableAfter } from "./catalogue";
import { ApiError, invalidField, unsupported } from "./errors";
import type { Snapshot, State } from "./model";

/** Finds an image of the project, deleted ones included, or of the catalogue. */
export function findImage(state: State, id: number): Image | Snapshot | undefined {
  return state.snapshots[id] ?? images.find((image) => image.id === id);
}

/**
 * Finds the image of an order by id or name.
 *
 * @throws for one that does not exist, is not for the type, or cannot be ordered now
 */
export function imageOfOrder(
  state: State,
  wanted: number | string,
  type: ServerType,
  now: Date,
): Image | Snapshot {
  const snapshot = state.snapshots[wanted];
  return snapshot?.deleted === null ? snapshotOfOrder(snapshot, type) : systemImageOfOrder(wanted, type, now);
}

function snapshotOfOrder(snapshot: Snapshot, type: ServerType): Snapshot {
  if (snapshot.architecture !== type.architecture)
    throw invalidField("image", `image '${snapshot.id}' is not for architecture ${type.architecture}`);
  if (snapshot.bytes === null) throw invalidField("image", `image '${snapshot.id}' is not available`);
  if (snapshot.diskSize > type.disk)
    throw new ApiError("invalid_input", "image disk is bigger than server type disk");
  return snapshot;
}

function systemImageOfOrder(wanted: number | string, type: ServerType, now: Date): Image {
  const candidates = images.filter(({ id, name }) => id === Number(wanted) || name === wanted);
  const image = candidates.find(({ architecture }) => architecture === type.architecture);
  if (candidates.length === 0) throw invalidField("image", `image '${wanted}' not found`);
  if (!image) throw invalidField("image", `image '${wanted}' is not for architecture ${type.architecture}`);
  if (image.deprecated !== null && unavailableAfter(image.deprecated) < now) {
    throw invalidField("image", `image '${image.name}' is deprecated and can no longer be ordered`);
  }
  if (image.flavor !== "ubuntu") throw unsupported(`booting image '${image.name}' (only Ubuntu's are)`);
  return image;
}
