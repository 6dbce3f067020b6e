import { z } from "zod";

import { nearest } from "../nearest";
import { entryPath } from "./field";
import { removeCommand } from "../remedies";

/**
 * Checks an object of known keys. Each unknown one is a mistake of its own, told with the known one that was perhaps
 * meant.
 *
 * @param path Its place, e.g. "greenlight.admin".
 */
export function group<const S extends z.ZodRawShape>(path: string, shape: S) {
  const known = Object.keys(shape);
  const strict = z.strictObject(shape, { error: `must be an object of ${known.join(", ")}` });
  return z.unknown().transform((value, context): z.output<typeof strict> => {
    const result = strict.safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      // Those of a map in it are that one's own to tell.
      if (issue.code !== "unrecognized_keys" || issue.path.length > 0) passOn(issue, context);
      else for (const key of issue.keys) context.addIssue(unknown(key));
    }
    return z.NEVER;
  });

  function unknown(key: string) {
    const near = nearest(key, known);
    return {
      code: "custom" as const,
      path: [key],
      message: `is no setting; ${near ? `did you mean ${near}?` : `there are ${known.join(", ")}`}`,
      params: { remedy: removeCommand(entryPath(path, key)) },
    };
  }
}

/** Adds a mistake that another schema found. */
export function passOn(issue: z.core.$ZodIssue, context: z.RefinementCtx): void {
  const { path, message } = issue;
  context.addIssue({
    code: "custom",
    path,
    message,
    ...(issue.code === "custom" && { params: issue.params }),
  });
}
