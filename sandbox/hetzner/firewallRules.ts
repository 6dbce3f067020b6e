import { canonicalCidr } from "./addresses";
import { type FieldProblem, invalidInput, unsupported } from "./errors";
import type { FirewallRule } from "./model";
import { object, text } from "./schemas";

/** Rule in the form of a request. */
export interface RuleInput {
  readonly direction: "in" | "out";
  readonly protocol: FirewallRule["protocol"];
  readonly port?: string | null;
  readonly source_ips?: readonly string[];
  readonly destination_ips?: readonly string[];
  readonly description?: string | null;
}

const cidrs = { type: "array", maxItems: 100, items: text } as const;
const nullableText = (maxLength: number): object => ({ type: ["string", "null"], maxLength });

export const rulesSchema = {
  type: "array",
  maxItems: 50,
  items: object(
    {
      direction: { enum: ["in", "out"] },
      protocol: { enum: ["tcp", "udp", "icmp", "esp", "gre"] },
      port: nullableText(11),
      source_ips: cidrs,
      destination_ips: cidrs,
      description: nullableText(255),
    },
    "direction",
    "protocol",
  ),
} as const;

/**
 * Checks rules and brings them into the stored form: CIDRs canonical, absent parts null or empty. Refuses outbound
 * rules, since the sandbox would not enforce them.
 */
export function normaliseRules(rules: readonly RuleInput[]): FirewallRule[] {
  const problems: FieldProblem[] = [];
  const normalised = rules.map((rule, index) => {
    const report = (field: string, message: string): void => {
      problems.push({ name: `rules.${index}.${field}`, messages: [message] });
    };
    if (rule.direction === "out") throw unsupported("a firewall rule with direction 'out'");
    const withPorts = rule.protocol === "tcp" || rule.protocol === "udp";
    const port = rule.port ?? null;
    if (withPorts && !isPortRange(port)) report("port", `'${port}' is not a port or a range like 80-85`);
    if (!withPorts && port !== null) report("port", `protocol ${rule.protocol} has no ports`);
    if (!rule.source_ips?.length) report("source_ips", "Missing data for required field.");
    if (rule.destination_ips?.length) report("destination_ips", "only for direction 'out'");
    const sources = (rule.source_ips ?? []).map((cidr) => {
      const canonical = canonicalCidr(cidr);
      if (canonical === undefined) report("source_ips", `'${cidr}' is not a network in CIDR notation`);
      return canonical ?? cidr;
    });
    return {
      direction: rule.direction,
      protocol: rule.protocol,
      port,
      source_ips: sources,
      destination_ips: [],
      description: rule.description ?? null,
    };
  });
  if (problems.length > 0) throw invalidInput(...problems);
  return normalised;
}

function isPortRange(port: string | null): boolean {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(port ?? "");
  if (!match) return false;
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return from >= 1 && from <= to && to <= 65535;
}
