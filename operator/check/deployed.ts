import { z } from "zod";

import type { CheckOutput, PoolCheckOutput } from "../../bigbluebutton/verification";
import { Mistake } from "../../cli/mistake";

/** Deployment to check, by the stack's outputs. It holds secrets, which are kept in memory only. */
export interface Deployed {
  /** Of the component, where the program makes several; undefined where the stack is the deployment. */
  readonly name?: string;
  readonly hosts: CheckOutput;
  /** Key for the program's log-ins, in OpenSSH's form. */
  readonly privateKey: string;
  /** Key that may delete in the Storage Box of the backups, if there is one. */
  readonly backupBoxKey?: string;
}

/** Pool to check, by the stack's outputs; with the same secrets. */
export interface DeployedPool {
  readonly hosts: PoolCheckOutput;
  readonly privateKey: string;
}

const file = z.object({ path: z.string(), text: z.string() });
const common = {
  zone: z.string(),
  bbbHost: z.string(),
  turnHost: z.string(),
  ipv4: z.string(),
  ipv6: z.string().optional(),
  untrustedCa: z.boolean(),
  untrustedTurnCa: z.boolean(),
  ownCertificates: z.array(z.enum(["bbb", "turn"])),
  turnSecret: z.string(),
  // Missing where an older program deployed it.
  greenlight: z.boolean().optional(),
  openPorts: z
    .array(z.object({ protocol: z.enum(["tcp", "udp"]), from: z.number(), to: z.number() }))
    .optional(),
};
const access = { host: z.string(), user: z.string(), hostKey: z.string().startsWith("ssh-") };

/** Schemas of the hosts. Additional fields of a newer program's request go to the hosts unread. */
const bbb = z.object({
  ...access,
  request: z.looseObject({
    ...common,
    role: z.literal("bbb"),
    privateIpv4: z.string().optional(),
    release: z.string(),
    version: z.string(),
    recordings: z.boolean(),
    sharedSecret: z.string(),
    turnXml: file,
    turnStack: z.string().optional(),
    pool: z.literal(true).optional(),
    turnIpv4: z.string().optional(),
  }),
});
const turn = z
  .object({
    ...access,
    request: z.looseObject({
      ...common,
      role: z.literal("turn"),
      bbbIpv4: z.string(),
      turnServerConf: file,
    }),
  })
  .optional();

const schema = z.object({
  privateKey: z.string(),
  backupBoxKey: z.string().optional(),
  check: z.object({ bbb, turn }),
});

const balancer = z.object({
  ...access,
  request: z.looseObject({
    role: z.literal("balancer"),
    zone: common.zone,
    bbbHost: common.bbbHost,
    ipv4: common.ipv4,
    privateIpv4: z.string().optional(),
    untrustedCa: common.untrustedCa,
    ownCertificates: common.ownCertificates,
    openPorts: common.openPorts,
    sharedSecret: z.string(),
    nodes: z.array(z.string()),
  }),
});

const poolSchema = z.object({
  privateKey: z.string(),
  check: z.object({ balancer, turn, nodes: z.record(z.string(), bbb) }),
});

/** True for the outputs of a pool. */
export function isPool({ check }: Outputs): boolean {
  return typeof check === "object" && check !== null && "balancer" in check;
}

/** Reads a pool from its stack's outputs. @throws Mistake for one that another version deployed */
export function readPool(stack: string, outputs: Outputs): DeployedPool {
  const read = poolSchema.safeParse(outputs);
  if (!read.success) throw lacking(stack, read.error);
  const { check: hosts, privateKey } = read.data;
  return { hosts, privateKey };
}

/**
 * Reads the deployments among a stack's outputs: the stack's own, or those of components that its program exports, one by one
 * or in objects of such.
 *
 * @throws Mistake for a stack without a finished deployment that supports this command
 */
export function readDeployments(stack: string, outputs: Readonly<Record<string, unknown>>): Deployed[] {
  if (Object.keys(outputs).length === 0) {
    throw new Mistake(
      `nothing is deployed in stack ${stack}, or its first update has not ended well: run pulumi up`,
    );
  }
  const components = "check" in outputs ? [] : componentsIn(outputs);
  if (components.length === 0) return [readOne(stack, outputs)];
  return components.map(([name, found]) => ({ name, ...readOne(stack, found) }));
}

type Outputs = Readonly<Record<string, unknown>>;

/** Deployments by their names: what has `check` and `privateKey`, whatever else it has. */
function componentsIn(outputs: Outputs, depth = 2): (readonly [string, Outputs])[] {
  return Object.entries(outputs).flatMap(([name, value]) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
    const inner = value as Outputs;
    if ("check" in inner && "privateKey" in inner) return [[name, inner] as const];
    return depth > 1 ? componentsIn(inner, depth - 1) : [];
  });
}

function readOne(stack: string, outputs: Outputs): Omit<Deployed, "name"> {
  const read = schema.safeParse(outputs);
  if (!read.success) throw lacking(stack, read.error);
  const { check: hosts, privateKey, backupBoxKey } = read.data;
  return { hosts, privateKey, backupBoxKey };
}

function lacking(stack: string, { issues: [issue] }: z.ZodError): Mistake {
  const where = issue?.path.join(".") ?? "";
  return new Mistake(
    `the outputs of stack ${stack} lack what this command needs (${where}), as it was deployed by another version: run pulumi up once`,
  );
}
