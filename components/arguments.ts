import * as pulumi from "@pulumi/pulumi";

import { parseSettings, type Settings } from "../settings";
import {
  componentTitle,
  keepMessage,
  SettingsError,
  type NamedComponent,
  type Problem,
  type Source,
} from "../settings/problems";
import { asArguments } from "../settings/remedies";
import { environmentWarnings } from "../settings/warnings";

/** Arguments in a program's form: each may be known later. */
export type RawArguments = Readonly<Record<string, unknown>>;

/** Arguments that hold secrets, or may do so. */
const CLOSED = ["alerts", "backup", "dialIn", "greenlight", "overrides"] as const;

/** Arguments as the state keeps them. */
export function withSecrets<Args extends { readonly [Key in (typeof CLOSED)[number]]?: unknown }>(
  args: Args,
): Args {
  const closed = CLOSED.filter((key) => args[key] !== undefined);
  return { ...args, ...Object.fromEntries(closed.map((key) => [key, pulumi.secret(args[key])])) };
}

/** Error with all mistakes in the arguments of a program's components, which the CLI shows without a stack trace. */
class ArgumentsError extends pulumi.RunError {
  constructor(readonly errors: readonly SettingsError[]) {
    super(errors.map(({ message }) => message).join("\n"));
    this.name = "ArgumentsError";
    keepMessage(this);
  }
}

/** Errors of components with wrong arguments, found before any child of any component is registered. */
const wrong: SettingsError[] = [];
let thrown: ArgumentsError | undefined;

/** Owners of the names that are in use. */
const names = new Map<string, string>();

/** Checks of settings beyond their own, and the known names that they make. */
export interface Checks {
  readonly problems: (raw: RawArguments) => readonly Problem[];
  readonly settingsOf: (raw: RawArguments) => RawArguments;
  readonly fqdns: (settings: Settings) => Readonly<Record<string, string>>;
}

/**
 * Reads the arguments of a component. Checks plain ones at once, for all components of the program together; the others
 * as soon as they are known.
 *
 * @returns the settings; undefined in a preview with an unknown argument, of which it warns
 * @throws SettingsError with every mistake; ArgumentsError with those of several components
 */
export function readArguments(
  component: NamedComponent,
  args: RawArguments,
  checks: Checks,
): Promise<Settings | undefined> {
  if (!isPlain(args)) return readLater(component, args, checks);
  try {
    const settings = check(component, args, checks);
    return nextTurn().then(() => {
      refuse();
      return settings;
    });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    wrong.push(error);
    return nextTurn().then(refuse) as Promise<never>;
  }
}

/** Throws all mistakes found so far. */
function refuse(): void {
  if (wrong.length > 0) throw (thrown ??= new ArgumentsError(wrong));
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function readLater(
  component: NamedComponent,
  args: RawArguments,
  checks: Checks,
): Promise<Settings | undefined> {
  await nextTurn();
  refuse();
  const values: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(args)) {
    const output = pulumi.output(value) as Inside;
    if (await output.isKnown) values[key] = await output.promise();
    else unknown.push(key);
  }
  if (unknown.length === 0) return check(component, values, checks);
  const reason = `${unknown.join(", ")} of ${componentTitle(component)} ${unknown.length === 1 ? "is" : "are"} not known yet`;
  if (!pulumi.runtime.isDryRun()) {
    const remedy = "include the resources that they come from, or run pulumi up without --target";
    throw new pulumi.RunError(`${reason}, so nothing of it was changed: ${remedy}`);
  }
  await pulumi.log.warn(
    `${reason}: a resource that is still to be made decides. So this preview shows nothing of what ${component.name} makes; ` +
      "the update does it, once they are known. To see it before, give them as plain values",
  );
  return undefined;
}

/** Parts of an Output that the SDK's types leave out. */
interface Inside {
  readonly isKnown: Promise<boolean>;
  promise(): Promise<unknown>;
}

function check(component: NamedComponent, args: RawArguments, checks: Checks): Settings {
  const given = Object.fromEntries(Object.entries(args).filter(([, value]) => value !== undefined));
  const source = sourceOf(component);
  const elsewhere = [...nameProblems(component.name), ...checks.problems(given)];
  const settings = parseSettings(checks.settingsOf(given), { ...source, elsewhere });
  const taken = takenNames(componentTitle(component), checks.fqdns(settings));
  if (taken.length > 0) throw new SettingsError(taken, source);
  for (const warning of environmentWarnings(given, source.stack)) {
    void pulumi.log.warn(`${componentTitle(component)}: ${asArguments(warning)}`);
  }
  return settings;
}

function sourceOf(component: NamedComponent): Source {
  return { project: pulumi.getProject(), stack: pulumi.getStack(), component };
}

/**
 * Problems of a component's name. It becomes part of labels, tags and resources' names, in which every cloud must tell
 * it from others.
 */
function nameProblems(name: string): Problem[] {
  if (/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name)) return [];
  return [
    {
      key: "name",
      reason: `is "${name}", of which labels at the clouds are made`,
      remedy: "give the component a name of at most 40 small letters, digits and dashes, a letter first",
    },
  ];
}

function takenNames(title: string, fqdns: Readonly<Record<string, string>>): Problem[] {
  return Object.entries(fqdns).flatMap(([key, fqdn]) => {
    const owner = names.get(fqdn);
    if (owner === undefined) names.set(fqdn, title);
    if (owner === undefined || owner === title) return [];
    const [label] = fqdn.split(".", 1);
    return [
      {
        key,
        reason: `makes the name ${fqdn}, which is that of ${owner}`,
        remedy: `${key}: "${label}-2", or any other that no component has`,
      },
    ];
  });
}

/** True for a value without any part that has to be waited for. */
function isPlain(value: unknown): boolean {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) return false;
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isPlain);
}
