/** Pieces of the JSON schemas of request bodies. Unknown fields are refused, so that nothing is lost in silence. */
export const labels = { type: "object", additionalProperties: { type: "string" } } as const;
export const id = { type: "integer", minimum: 1 } as const;
export const idOrName = { type: ["integer", "string"] } as const;
export const flag = { type: "boolean" } as const;
export const text = { type: "string" } as const;

/** Schema of an object with these fields only. */
export function object(properties: Record<string, unknown>, ...required: string[]): object {
  return { type: "object", properties, required, additionalProperties: false };
}

/** Schema of an object with these fields only; a request may have no body at all. */
export function optionalObject(properties: Record<string, unknown>): object {
  return { type: ["object", "null"], properties, additionalProperties: false };
}

export const noBody = optionalObject({});

const hostLabel = "[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
/** Schema of a host name by RFC 1123. */
export const hostName = {
  type: "string",
  maxLength: 253,
  pattern: `^${hostLabel}(\\.${hostLabel})*$`,
} as const;
/** Schema of any name of at most `most` characters. */
export function plainName(most: number): object {
  return { type: "string", minLength: 1, maxLength: most };
}
/** Schema of a name of letters, digits and `-_.` with letters or digits at both ends, at most 64 characters. */
export const volumeName = {
  type: "string",
  maxLength: 64,
  pattern: "^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?$",
} as const;

/** Schema of TTLs of zones and record sets, in seconds. */
export const ttl = { type: "integer", minimum: 60, maximum: 2147483647 } as const;
