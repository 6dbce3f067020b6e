import { type Image, unavailableAfter } from "./catalogue";
import type { Cloud } from "./cloud";
import { findImage } from "./images";
import type { Snapshot } from "./model";

type Json = Record<string, unknown>;

/** Hetzner's JSON of an image, by its id. */
export function renderImage(cloud: Cloud, id: number): Json {
  const found = findImage(cloud.store.state, id);
  if (!found) throw new Error(`no image ${id} in the project or in the catalogue`);
  return "flavor" in found ? renderSystemImage(found) : renderSnapshot(cloud, found);
}

export function renderSystemImage(image: Image): Json {
  return {
    id: image.id,
    type: "system",
    status: "available",
    name: image.name,
    description: image.description,
    image_size: null,
    disk_size: 5,
    created: image.created,
    created_from: null,
    bound_to: null,
    os_flavor: image.flavor,
    os_version: image.version,
    architecture: image.architecture,
    rapid_deploy: image.flavor === "ubuntu",
    protection: { delete: false },
    deprecated: image.deprecated,
    deprecation: image.deprecated
      ? { announced: image.deprecated, unavailable_after: unavailableAfter(image.deprecated).toISOString() }
      : null,
    deleted: null,
    labels: {},
  };
}

export function renderSnapshot({ actions, store }: Cloud, snapshot: Snapshot): Json {
  const { id, bytes } = snapshot;
  const unfinished = actions.isLocked(store.state, { type: "image", id }) ? "creating" : "unavailable";
  return {
    id,
    type: "snapshot",
    status: bytes === null ? unfinished : "available",
    name: null,
    description: snapshot.description,
    image_size: bytes === null ? null : gigabytes(bytes),
    disk_size: snapshot.diskSize,
    created: snapshot.created,
    created_from: snapshot.createdFrom,
    bound_to: null,
    os_flavor: "ubuntu",
    os_version: snapshot.version,
    architecture: snapshot.architecture,
    rapid_deploy: false,
    protection: { delete: snapshot.deleteProtected },
    deprecated: null,
    deprecation: null,
    deleted: snapshot.deleted,
    labels: snapshot.labels,
  };
}

/** Size in gigabytes, to two digits, and never none. */
function gigabytes(bytes: number): number {
  return Math.max(0.01, Math.round((bytes / 1024 ** 3) * 100) / 100);
}
