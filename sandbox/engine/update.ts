/** What an update is asked for and how it ends, under either engine. */
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
  /** Where checkpoints and the passphrase of their secrets are; 0700. */
  readonly stateDir: string;
  readonly engine: "embedded" | "pulumi";
  /** Logical names of resources to replace though nothing about them has changed, as `--replace` of the CLI. */
  readonly replace?: readonly string[];
  /**
   * Go on with what a killed update had begun, as no engine but this sandbox's does; false: as the CLI, warn of it.
   *
   * @default true
   */
  readonly adopt?: boolean;
  /** Of `destroy`: refresh first, so that what is gone at the cloud stops nothing. */
  readonly refresh?: boolean;
  readonly out: NodeJS.WritableStream;
  /** Told of each step that changes something, in a preview of each that would. */
  readonly onStep?: (step: StepEvent) => void;
  /** Told of each call of a provider as it ends; the embedded engine only. */
  readonly onOperation?: (operation: OperationEvent) => void;
  /** Providers of the embedded engine, by package. @default those in ./drivers */
  readonly drivers?: Readonly<Record<string, Driver>>;
}

/** The update ended with errors, all of which have been printed. */
export class UpdateFailed extends Error {
  constructor(
    readonly summary: Summary,
    readonly errors: readonly string[],
  ) {
    super(errors[0] ?? "the update failed");
  }
}

/** The resources of these logical names. @throws naming those that the stack does not have */
export function urnsOf(
  names: readonly string[],
  resources: readonly { readonly urn: string }[],
  stack: string,
): string[] {
  const missing = names.filter((name) => !resources.some(({ urn }) => nameOf(urn) === name));
  if (missing.length > 0) throw new Error(`stack ${stack} has no resource ${missing.join(", ")} to replace`);
  return resources.map(({ urn }) => urn).filter((urn) => names.includes(nameOf(urn)));
}
