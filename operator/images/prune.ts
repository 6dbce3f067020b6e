/** Decides which images may go. */
import type { Image } from "./store";

/**
 * Images beyond the newest of each kind: the same role at the same place, and for BigBlueButton the same release. One that is
 * being made, or broken, counts as none: it is old only where a newer one is there.
 *
 * @param images Newest first.
 * @param keep Number of those that stay of each kind.
 */
export function beyond(images: readonly Image[], keep: number): readonly Image[] {
  const kept = new Map<string, number>();
  return images.filter((image) => {
    const { cloud, role, labels } = image;
    const kind = [cloud, role, labels.release ?? labels.ubuntu ?? ""].join(" ");
    const count = kept.get(kind) ?? 0;
    if (image.available) kept.set(kind, count + 1);
    return count >= keep;
  });
}
