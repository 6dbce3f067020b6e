/** Output of scripts/image, for people and as JSON. */
import { renderTable } from "../../cli/table";
import { fromEpoch, iso, relative } from "../testServers/duration";
import type { Baked } from "./bake";
import type { Image } from "./store";

export function renderBaked(baked: readonly Baked[]): string {
  return baked
    .map(({ role, id, labels }) => `image of the ${role} host: ${id} (${contentOf(labels)})`)
    .concat("use them: pulumi config set image baked; pulumi config set turnImage baked")
    .join("\n");
}

export function renderImages(images: readonly Image[], now: Date, width?: number): string {
  if (images.length === 0) return "No images.";
  return renderTable(
    [["id"], ["cloud"], ["host"], ["content"], ["baked"], ["disk", "right"], ["stored", "right"], ["state"]],
    images.map(({ id, cloud, role, labels, gb, available }) => {
      const built = fromEpoch(labels.built);
      return [
        id,
        cloud,
        role,
        contentOf(labels),
        built === undefined ? "–" : `${iso(built)}, ${relative(built, now)}`,
        labels.disk ? `${labels.disk} GB` : "–",
        gb === undefined ? "–" : `${gb.toFixed(2)} GB`,
        available ? "available" : "being made, or broken",
      ];
    }),
    width,
  );
}

export function imageJson({ created, gb, labels, ...image }: Image): object {
  const { release, bbb, ubuntu, built, scripts, disk } = labels;
  return {
    ...image,
    release: release ?? null,
    bbb: bbb ?? null,
    ubuntu: ubuntu ?? null,
    scripts: scripts ?? null,
    diskGb: disk ? Number(disk) : null,
    storedGb: gb ?? null,
    built: fromEpoch(built)?.toISOString() ?? null,
    created: created.toISOString(),
  };
}

function contentOf({ release, bbb, ubuntu }: Readonly<Record<string, string>>): string {
  return release ? `${release}, BigBlueButton ${bbb ?? "?"}` : `coturn, Ubuntu ${ubuntu ?? "?"}`;
}
