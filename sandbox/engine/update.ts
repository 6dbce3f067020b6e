/** Options and end of an update, under either engine. */
import { nameOf } from "../../cli/pulumiEvents";
import type { OperationEvent, StepEvent } from "./deploy";
import type { Summary } from "./display";
import type { Driver } from "./driver";

export interface UpdateOptions {
  /** Folder of Pulumi.yaml and the program. */
  readonly projectDir: string;
  readonly stack: string;
  /** Settings by their plain keys ("domain"), values any JSON; a key with a colon configures a provider. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Environment of the providers: HCLOUD_TOKEN, HCLOUD_ENDPOINT. The process's own is not passed on to them. */
  readonly env: Readonly<Record<string, string>>;
  /** Folder of the checkpoints and the passphrase of their secrets; 0700. */
  readonly stateDir: string;
  readonly engine: "embedded" | "pulumi";
  /** Logical names of resources to replace without a change, like `--replace` of the CLI. */
  readonly replace?: readonly string[];
  /**
   * Continues what a killed update began, which only this sandbox's engines do. With false, only warns of it, like the
   * CLI.
   *
   * @default true
   */
  readonly adopt?: boolean;
  /** For `destroy`: refreshes first, so that objects missing at the cloud stop nothing. */
  readonly refresh?: boolean;
  readonly out: NodeJS.WritableStream;
  /** Called for each step that changes something; in a preview, for each that would. */
  readonly onStep?: (step: StepEvent) => void;
  /** Called at the end of each call of a provider; the embedded engine only. */
  readonly onOperation?: (operation: OperationEvent) => void;
  /** Providers of the embedded engine, by package. @default those in ./drivers */
  readonly drivers?: Readonly<Record<string, Driver>>;
}

/** Error of an update that ended with errors, all of which have been printed. */
export class UpdateFailed extends Error {
  constructor(
    readonly summary: Summary,
    readonly errors: readonly string[],
  ) {
    super(errors[0] ?? "the update failed");
  }
}

/** URNs of the resources of these logical names. @throws with the names that the stack doesn't have */
export function urnsOf(
  names: readonly string[],
  resources: readonly { readonly urn: string }[],
  stack: string,
): string[] {
  const missing = names.filter((name) => !resources.some(({ urn }) => nameOf(urn) === name));
  if (missing.length > 0) throw new Error(`stack ${stack} has no resource ${missing.join(", ")} to replace`);
  return resources.map(({ urn }) => urn).filter((urn) => names.includes(nameOf(urn)));
}
