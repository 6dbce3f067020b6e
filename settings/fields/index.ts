/** Every setting there is, declared once. What depends on more than one of them is checked in conflicts.ts. */
import { access } from "./access";
import { bigbluebutton } from "./bigbluebutton";
import { certificates } from "./certificates";
import { environment } from "./environment";
import { setCommand } from "../remedies";
import { type Field, type ValueOf } from "./field";
import { names } from "./names";
import { occasions } from "./occasions";
import { places } from "./places";
import { recordings } from "./recordings";
import { turn } from "./turn";

/** Settings by topic, in the order of the docs. */
export const topics = [
  { title: "Names", fields: names },
  { title: "Certificates", fields: certificates },
  { title: "Access by SSH", fields: access },
  { title: "Environment and protection", fields: environment },
  { title: "Clouds and servers", fields: places },
  { title: "BigBlueButton", fields: bigbluebutton },
  { title: "Recordings", fields: recordings },
  { title: "One TURN server for several", fields: turn },
  { title: "Upgrades and new secrets", fields: occasions },
] as const;

/** Every setting. */
export const fields = {
  ...names,
  ...certificates,
  ...access,
  ...environment,
  ...places,
  ...bigbluebutton,
  ...recordings,
  ...turn,
  ...occasions,
} as const;

/** The name of a setting. */
export type FieldName = keyof typeof fields;

/** The names of all settings. */
export const fieldNames = Object.keys(fields) as readonly FieldName[];

/** The value of every setting, each valid by itself. */
export type FieldValues = { readonly [K in FieldName]: ValueOf<(typeof fields)[K]> };

/** What puts a setting right where nothing better is known. */
export function remedyFor(key: FieldName): string {
  const { remedy, example = "VALUE" }: Field = fields[key];
  return remedy ?? setCommand(key, example);
}
