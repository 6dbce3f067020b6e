import { readFileSync } from "node:fs";

import { TOKEN_FILE } from "../../../sandbox/paths";
import { until } from "./faults";
import { outside } from "./sandbox";

/** Hetzner's firewalls as somebody else changes them, past the program. */

interface Rule {
  readonly direction: string;
  readonly port: string | null;
}

async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
  const header = `header = "authorization: Bearer ${readFileSync(TOKEN_FILE, "utf8").trim()}"\n`;
  const data = body === undefined ? [] : ["--json", JSON.stringify(body)];
  const command = ["curl", "-sSf", "--config", "-", ...data, `http://api.sandbox.test/v1${path}`];
  const { code, stdout, stderr } = await outside(command, { as: "operator", input: header });
  if (code !== 0) throw new Error(`${path}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, unknown>;
}

async function firewall(role: string): Promise<{ id: number; rules: Rule[] }> {
  const { firewalls } = await call(`/firewalls?label_selector=role%3D${role}`);
  const [one] = firewalls as { id: number; rules: Rule[] }[];
  if (!one) throw new Error(`there is no firewall of the ${role} host`);
  return one;
}

/** Resolves once the rules are in force. */
async function setRules(id: number, rules: readonly Rule[]): Promise<void> {
  const { actions } = await call(`/firewalls/${id}/actions/set_rules`, { rules });
  for (const { id } of actions as { id: number }[]) {
    const ended = async () =>
      ((await call(`/actions/${id}`)).action as { status: string }).status === "success";
    await until(ended, 30);
  }
}

/** Takes a port's rule away, and returns all that there were. */
export async function closePort(role: "bbb" | "turn", port: number): Promise<readonly Rule[]> {
  const { id, rules } = await firewall(role);
  await setRules(
    id,
    rules.filter((rule) => rule.port !== String(port)),
  );
  return rules;
}

/** Puts them back. */
export async function openPort(role: "bbb" | "turn", rules: readonly Rule[]): Promise<void> {
  const { id } = await firewall(role);
  await setRules(id, rules);
}
