/** All settings, each declared once. Checks of more than one of them are in conflicts.ts. */
import { access } from "./access";
import { alerts } from "./alerts";
import { backup } from "./backup";
import { bigbluebutton } from "./bigbluebutton";
import { branding } from "./branding";
import { certificates } from "./certificates";
import { dialIn } from "./dialIn";
import { environment } from "./environment";
import { setCommand } from "../remedies";
import { type Field, type ValueOf } from "./field";
import { meetings } from "./meetings";
import { metrics } from "./metrics";
import { names } from "./names";
import { occasions } from "./occasions";
import { overrides } from "./overrides";
import { places } from "./places";
import { pool } from "./pool";
import { privacy } from "./privacy";
import { recordings } from "./recordings";
import { turn } from "./turn";

/** Settings by topic, in the order of the docs. */
export const topics = [
  { title: "Names", fields: names },
  { title: "Certificates", fields: certificates },
  { title: "Access by SSH", fields: access },
  { title: "Environment and protection", fields: environment },
  { title: "Clouds and servers", fields: places },
  { title: "A pool of servers", fields: pool },
  { title: "BigBlueButton", fields: bigbluebutton },
  { title: "Meetings", fields: meetings },
  { title: "Branding", fields: branding },
  { title: "Recordings", fields: recordings },
  { title: "Privacy", fields: privacy },
  { title: "Dial-in", fields: dialIn },
  { title: "Overrides", fields: overrides },
  { title: "Alerts", fields: alerts },
  { title: "Metrics", fields: metrics },
  { title: "Backup", fields: backup },
  { title: "One TURN server for several", fields: turn },
  { title: "Upgrades and new secrets", fields: occasions },
] as const;

/** All settings. */
export const fields = {
  ...names,
  ...certificates,
  ...access,
  ...environment,
  ...places,
  ...pool,
  ...bigbluebutton,
  ...meetings,
  ...branding,
  ...recordings,
  ...privacy,
  ...dialIn,
  ...overrides,
  ...alerts,
  ...metrics,
  ...backup,
  ...turn,
  ...occasions,
} as const;

/** Name of a setting. */
export type FieldName = keyof typeof fields;

/** Names of all settings. */
export const fieldNames = Object.keys(fields) as readonly FieldName[];

/** Values of all settings, each valid by itself. */
export type FieldValues = { readonly [K in FieldName]: ValueOf<(typeof fields)[K]> };

/** Advice for a setting without any of its own. */
export function remedyFor(key: FieldName): string {
  const { remedy, example = "VALUE" }: Field = fields[key];
  return remedy ?? setCommand(key, example);
}

/** Value of a setting that is left out, as Pulumi.yaml declares it: empty for one without a default. */
export function declaredDefault({ default: value, type }: Field): NonNullable<Field["default"]> {
  return value ?? { array: [], object: {} }[type as string] ?? "";
}

/** Value that stands for "not set". */
export function emptyValue(key: string): unknown {
  return Object.hasOwn(fields, key) ? declaredDefault(fields[key as FieldName]) : "";
}
