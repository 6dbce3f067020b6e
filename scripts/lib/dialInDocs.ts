/** Table of the docs about dial-in, made from its one declaration in settings/fields/dialIn.ts. */
import { dialInWords } from "../../settings/fields/dialIn";
import { table } from "./markdown";

/** Renders the table of the entries. */
export function dialInTable(): string {
  const rows = [...dialInWords].map(([name, { description, default: preset = "**required**", example }]) => [
    `\`${name}\``,
    description,
    preset,
    `\`${example}\``,
  ]);
  return table(["entry", "what", "default", "example"], rows);
}
