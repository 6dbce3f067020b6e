import { hetzner } from "./clouds";
import { until } from "./faults";

/** Changes of Hetzner's firewalls by somebody else, past the program. */

interface Rule {
  readonly direction: string;
  readonly port: string | null;
}

async function call(method: "GET" | "POST", path: string, body?: unknown): Promise<Record<string, unknown>> {
  const [answer] = await hetzner([method, path, body]);
  if (!answer || answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer?.body)}`);
  return answer.body as Record<string, unknown>;
}

async function firewall(role: string): Promise<{ id: number; rules: Rule[] }> {
  const { firewalls } = await call("GET", `/firewalls?label_selector=role%3D${role}`);
  const [one] = firewalls as { id: number; rules: Rule[] }[];
  if (!one) throw new Error(`there is no firewall of the ${role} host`);
  return one;
}

/** Sets the rules; resolves once they are in force. */
async function setRules(id: number, rules: readonly Rule[]): Promise<void> {
  const { actions } = await call("POST", `/firewalls/${id}/actions/set_rules`, { rules });
  for (const { id } of actions as { id: number }[]) {
    const ended = async () =>
      ((await call("GET", `/actions/${id}`)).action as { status: string }).status === "success";
    await until(ended, 30);
  }
}

/** Removes a port's rule, and returns all rules from before. */
export async function closePort(role: "bbb" | "turn", port: number): Promise<readonly Rule[]> {
  const { id, rules } = await firewall(role);
  await setRules(
    id,
    rules.filter((rule) => rule.port !== String(port)),
  );
  return rules;
}

/** Restores the rules. */
export async function openPort(role: "bbb" | "turn", rules: readonly Rule[]): Promise<void> {
  const { id } = await firewall(role);
  await setRules(id, rules);
}
