import { parseSettings, type Settings } from "../../settings";
import { entryAt } from "../../settings/clearSecrets";
import { SettingsError, type Problem } from "../../settings/problems";
import { ENCRYPTED_ENTRY, type StackSettings } from "../../cli/stackFiles";
import type { Given } from "./given";

/** Setting for which the plan uses another value than the given one. */
export interface StandIn {
  readonly key: string;
  /** Value for the plan; undefined plans without the setting. */
  readonly value?: unknown;
  readonly why: "problem" | "encrypted" | "partly encrypted";
}

/** Settings with their problems, and settings for a plan. */
export interface Assessed {
  /** All problems of the given settings. */
  readonly problems: readonly Problem[];
  readonly standIns: readonly StandIn[];
  /** Settings for a plan; undefined when none can be made. */
  readonly plannable?: { readonly raw: StackSettings; readonly settings: Settings };
}

/** Values for missing or wrong settings that a plan can't do without. */
const STAND_INS: StackSettings = {
  domain: "example.org",
  // A domain that nobody can have, which the check of addresses does not know as such.
  email: "admin@stand-in.placeholder",
  sshNetworks: ["192.0.2.1/32"],
  image: "image-of-yours",
  installerSha256: "0".repeat(64),
};

/** Number of rounds: enough for problems that only show once another one is gone. */
const ROUNDS = 6;

/** Finds the problems, and settings without them that are as near as possible. */
export function assess({ project, stack, settings, encrypted, partly, elsewhere }: Given): Assessed {
  const context = { project, stack };
  const standIns = new Map<string, StandIn>();
  let raw: StackSettings = settings;
  const standIn = (key: string, why: StandIn["why"]) => {
    const value = standIns.has(key) || !(key in STAND_INS) ? undefined : STAND_INS[key];
    standIns.set(key, { key, value, why });
    raw = Object.fromEntries([
      ...Object.entries(raw).filter(([other]) => other !== key),
      ...(value === undefined ? [] : [[key, value]]),
    ]) as StackSettings;
  };
  encrypted.filter((key) => !(key in partly)).forEach((key) => standIn(key, "encrypted"));
  for (const [key, value] of Object.entries(partly)) {
    standIns.set(key, { key, value, why: "partly encrypted" });
    raw = { ...raw, [key]: value };
  }

  let problems: readonly Problem[] | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const result = attempt(raw, context);
    if ("settings" in result) {
      const plannable = { raw, settings: result.settings };
      return { problems: [...elsewhere, ...(problems ?? [])], standIns: [...standIns.values()], plannable };
    }
    // Nobody knows what an encrypted entry is.
    const unknown = result.problems.filter(({ key }) => entryAt(partly, key) === ENCRYPTED_ENTRY);
    problems ??= result.problems.filter((problem) => !unknown.includes(problem));
    // An entry that is wrong takes its whole setting away.
    for (const problem of result.problems)
      standIn(problem.key.replace(/\..*/, ""), unknown.includes(problem) ? "encrypted" : "problem");
  }
  return { problems: [...elsewhere, ...(problems ?? [])], standIns: [] };
}

function attempt(
  raw: StackSettings,
  context: { readonly project: string; readonly stack: string },
): { readonly settings: Settings } | { readonly problems: readonly Problem[] } {
  try {
    return { settings: parseSettings(raw, context) };
  } catch (error) {
    if (error instanceof SettingsError) return { problems: error.problems };
    throw error;
  }
}
