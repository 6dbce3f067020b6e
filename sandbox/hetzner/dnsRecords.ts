import { isIPv4, isIPv6 } from "node:net";

import { type FieldProblem, invalidField, invalidInput } from "./errors";
import type { DnsRecord, RecordSet } from "./model";
import { object, text } from "./schemas";

const label = "[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?";
const relativeName = new RegExp(`^(\\*|(\\*\\.)?${label}(\\.${label})*)$`);
/** Pattern of a name as a record's value: absolute with a final dot, or relative to the zone. */
const target = new RegExp(`^(@|\\.|${label}(\\.${label})*\\.?)$`, "i");

type Check = (value: string) => string | undefined;

const isTarget: Check = (value) => (target.test(value) ? undefined : `'${value}' is not a domain name`);
const matches =
  (form: RegExp, example: string): Check =>
  (value) =>
    form.test(value) ? undefined : `'${value}' is not of the form ${example}`;

/** Checks of a record's value, by type: the types that the sandbox's name server is given. */
const checks: Readonly<Record<string, Check>> = {
  A: (value) => (isIPv4(value) ? undefined : `'${value}' is not an IPv4 address`),
  AAAA: (value) => (isIPv6(value) && !value.includes("%") ? undefined : `'${value}' is not an IPv6 address`),
  CNAME: isTarget,
  NS: isTarget,
  PTR: isTarget,
  MX: (value) => {
    const [preference = "", host = "", ...rest] = value.split(" ");
    const wellFormed = /^\d{1,5}$/.test(preference) && rest.length === 0 && target.test(host);
    return wellFormed ? undefined : `'${value}' is not of the form 10 mail.example.com.`;
  },
  SRV: matches(/^\d{1,5} \d{1,5} \d{1,5} \S+$/, "0 5 5061 sip.example.com."),
  CAA: matches(/^\d{1,3} [a-z0-9]+ "[^"]*"$/, '0 issue "letsencrypt.org"'),
  TXT: checkText,
};

export const recordTypes = Object.keys(checks);

const record = object({ value: text, comment: { type: ["string", "null"], maxLength: 255 } }, "value");
/** Schema for set_records and similar actions; a record set has at most 50 records. */
export const recordsSchema = { type: "array", minItems: 1, maxItems: 50, items: record } as const;

/** Throws 422 unless the name is lower case, relative to the zone, `@` for its apex. */
export function checkRecordName(name: string, zone: string): void {
  if (name === "@") return;
  if (name !== name.toLowerCase()) throw invalidField("name", `'${name}' has to be lower case`);
  if (name === zone || name.endsWith(`.${zone}`) || name.endsWith(".")) {
    throw invalidField("name", `'${name}' has to be relative to the zone ${zone}, without a final dot`);
  }
  if (!relativeName.test(name)) throw invalidField("name", `'${name}' is not a record name`);
}

/** Throws 422 for values that do not fit the type, or come twice. */
export function checkRecords(type: string, records: readonly DnsRecord[]): DnsRecord[] {
  const check = checks[type];
  if (!check) throw invalidField("type", `'${type}' is not one of ${recordTypes.join(", ")}`);
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  records.forEach(({ value }, index) => {
    const problem = check(value) ?? (seen.has(value) ? `'${value}' is there twice` : undefined);
    if (problem) problems.push({ name: `records.${index}.value`, messages: [problem] });
    seen.add(value);
  });
  if (problems.length > 0) throw invalidInput(...problems);
  return records.map(({ value, comment }) => (comment ? { value, comment } : { value }));
}

/** Refuses a CNAME beside another record of its name, and at the apex. */
export function checkCoexistence(
  sets: readonly RecordSet[],
  added: Pick<RecordSet, "name" | "type" | "records">,
): void {
  const others = sets.filter(({ name, type }) => name === added.name && type !== added.type);
  if (added.type === "CNAME") {
    if (added.name === "@") throw invalidField("type", "the apex of a zone can't have a CNAME");
    if (added.records.length > 1) throw invalidField("records", "a CNAME has exactly one record");
    if (others.length > 0)
      throw invalidField("type", `'${added.name}' has other records, so it can't have a CNAME`);
  } else if (others.some(({ type }) => type === "CNAME")) {
    throw invalidField("type", `'${added.name}' has a CNAME, so it can't have other records`);
  }
}

/**
 * Checks one or more strings in double quotes of at most 255 characters each, `\"` and `\\` for these two characters.
 */
function checkText(value: string): string | undefined {
  if (!/^"(?:[^"\\]|\\.)*"(?: +"(?:[^"\\]|\\.)*")*$/.test(value))
    return `TXT value ${value} has to be in double quotes`;
  const strings = [...value.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inner = ""]) =>
    inner.replace(/\\(.)/g, "$1"),
  );
  return strings.some((inner) => Buffer.byteLength(inner) > 255)
    ? "a string of a TXT value is longer than 255 characters: split it into several quoted strings"
    : undefined;
}
