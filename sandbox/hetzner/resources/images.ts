import { find, images } from "../catalogue";
import { notFound } from "../errors";
import { listAnswer, queryAll, queryOne } from "../pagination";
import { renderImage } from "../renderCatalogue";
import type { Routes } from "../routes";

/** System images only: snapshots and backups are not emulated, so lists of them are empty. */
export const imageRoutes: Routes = (app) => {
  app.get("/images", (request, reply) => {
    const types = queryAll(request, "type");
    const statuses = queryAll(request, "status");
    const architectures = queryAll(request, "architecture");
    const deprecatedToo = queryOne(request, "include_deprecated")?.toLowerCase() === "true";
    const wanted = images.filter(
      (image) =>
        (types.length === 0 || types.includes("system")) &&
        (statuses.length === 0 || statuses.includes("available")) &&
        (architectures.length === 0 || architectures.includes(image.architecture)) &&
        (deprecatedToo || image.deprecated === null) &&
        queryOne(request, "bound_to") === undefined,
    );
    return listAnswer(request, reply, "images", wanted.map(renderImage));
  });
  app.get<{ Params: { id: string } }>("/images/:id", (request) => {
    const image = find(images, Number(request.params.id));
    if (!image) throw notFound("image", request.params.id);
    return { image: renderImage(image) };
  });
};
