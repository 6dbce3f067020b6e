import * as pulumi from "@pulumi/pulumi";

import { valueOf } from "../../clouds/valueOf";
import { Mistake } from "../../cli/mistake";
import type { StackSettings } from "../../cli/stackFiles";
import { assume } from "./lookUps";
import { computed, idOf, STACK_REFERENCE } from "./standIns";

/** Resource that the program asks the engine for. */
export interface PlannedResource {
  readonly urn: string;
  /** Type, e.g. "hcloud:index/server:Server". */
  readonly type: string;
  /** Logical name, e.g. "bbb-host-server". */
  readonly name: string;
  /** Inputs with secrets unwrapped. Values made by a provider are stand-ins. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly protect: boolean;
  /** URNs that the program names, and those that its inputs imply. */
  readonly dependsOn: readonly string[];
}

/** Result of running the program with some settings. */
export interface PlannedProgram {
  /** Resources in the order of their registration, without the stack itself. */
  readonly resources: readonly PlannedResource[];
  /** Assumptions in words, for the questions to a cloud. */
  readonly assumptions: readonly string[];
  readonly outputs: Readonly<Record<string, unknown>>;
}

export interface ProgramContext {
  readonly project: string;
  readonly stack: string;
  /** Region of the hosts at AWS, if there are any. */
  readonly region: string;
}

type Inputs = Readonly<Record<string, unknown>>;

type Program = () => Promise<Readonly<Record<string, unknown>>>;

/**
 * Runs the program itself, index.ts, against the SDK's mocks: no cloud is asked, no CLI is needed, nothing is made.
 *
 * @param settings Settings without problems.
 * @throws Mistake when the package of a used cloud is not installed
 */
export async function planProgram(
  settings: StackSettings,
  { project, stack, region }: ProgramContext,
): Promise<PlannedProgram> {
  const resources: PlannedResource[] = [];
  const assumptions = new Set<string>();
  const inputs = new Map<string, Inputs>();
  let unforeseen: unknown;
  const texts = Object.entries(settings).map(([key, value]) => [`${project}:${key}`, asText(value)]);
  pulumi.runtime.setAllConfig(Object.fromEntries(texts) as Record<string, string>);
  // Which of them are in clear was told already.
  process.env.PULUMI_CONFIG_SECRET_KEYS = JSON.stringify(texts.map(([key]) => key));
  await pulumi.runtime.setMocks(
    {
      newResource(args) {
        if (args.type === STACK_REFERENCE) {
          const { name } = args.inputs as { readonly name: string };
          assumptions.add(
            `the stack ${name.split("/").at(-1)} has a TURN server, and this one's address in its turnPeers`,
          );
        }
        const own = args.inputs as Inputs;
        inputs.set(`${args.type} ${args.name}`, own);
        return { id: idOf(args), state: { ...own, ...computed(args) } };
      },
      call({ token, inputs }) {
        try {
          const { answer, says } = assume(token, inputs as Inputs, region);
          if (says) assumptions.add(says);
          return answer;
        } catch (error) {
          // The program would blame the settings.
          unforeseen ??= error;
          throw error;
        }
      },
    },
    project,
    stack,
    false,
    "organization",
  );
  onRegistration((request, urn) => {
    const given = inputs.get(`${request.getType()} ${request.getName()}`) ?? {};
    resources.push({
      urn,
      type: request.getType(),
      name: request.getName(),
      inputs: Object.fromEntries(
        Object.entries(given).map(([key, value]) => [key, pulumi.runtime.unwrapRpcSecret(value) as unknown]),
      ),
      protect: request.getProtect() ?? false,
      dependsOn: request.getDependenciesList(),
    });
  });
  const outputs = await withoutMessages(async () => {
    const program = require("../../index") as Program; // eslint-disable-line @typescript-eslint/no-require-imports -- once the mocks are there
    const made = await valueOf(await program().catch((error) => refused(unforeseen ?? error)));
    await pulumi.runtime.disconnect();
    // The program may go on without an answer.
    if (unforeseen) refused(unforeseen);
    return made;
  });
  return { resources, assumptions: [...assumptions], outputs };
}

/** Throws the program's own message to the operator. */
function refused(error: unknown): never {
  throw error instanceof pulumi.RunError ? new Mistake(error.message) : error;
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Registration of a resource, as far as it is read here. */
interface Registration {
  getType(): string;
  getName(): string;
  getProtect(): boolean | undefined;
  getDependenciesList(): string[];
}

type Register = (
  request: Registration,
  callback: (error: unknown, response: { getUrn(): string }) => void,
) => Promise<void>;

function onRegistration(note: (request: Registration, urn: string) => void): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as { registerResource: Register };
  // The SDK's mocks know of no resource hooks, which nothing calls here.
  Object.assign(monitor, {
    registerResourceHook: (_: unknown, registered: (error: null) => void) => registered(null),
  });
  const register: Register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (!error) note(request, response.getUrn());
      callback(error, response);
    });
}

/** Suppresses messages for the operator of an update, which the SDK prints when there is no engine. */
async function withoutMessages<T>(work: () => Promise<T>): Promise<T> {
  const { info, warn } = pulumi.log;
  const log = pulumi.log as { info: typeof info; warn: typeof warn };
  log.info = log.warn = () => Promise.resolve();
  try {
    return await work();
  } finally {
    Object.assign(log, { info, warn });
  }
}
