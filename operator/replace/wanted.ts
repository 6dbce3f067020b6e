import { defaultRelease } from "../../bigbluebutton/releases";
import { Mistake } from "../../cli/mistake";
import { textOf, type StackSettings } from "../../cli/stackFiles";
import { parseSettings } from "../../settings";
import { SettingsError } from "../../settings/problems";
import type { Former } from "./journal";

/** New server that is asked for. */
export interface Wanted {
  /** Settings of the new server, over the stack's own. */
  readonly set: Readonly<Record<string, string>>;
  /** Values of the same settings with which the old server works. */
  readonly former: Former;
  readonly serverType: string;
  readonly location: string;
  /** True with the setting `backup`. */
  readonly backup: boolean;
}

/** Settings that a new server in the same place may have otherwise. */
export const KEYS = ["release", "serverType", "image"];

export interface Asked {
  /** Settings of the stack. */
  readonly settings: StackSettings;
  /** Name of the release that is deployed. */
  readonly release: string;
  /** Settings over the stack's own, by the command line. */
  readonly set: StackSettings;
  readonly context: { readonly project: string; readonly stack: string };
}

/**
 * New server by the stack's settings and those of the command line. A release that is set already, and that the server could
 * not become, is one of these.
 *
 * @throws Mistake for other keys, and with all mistakes in the settings
 */
export function wantedOf({ settings, release: deployed, set: asked, context }: Asked): Wanted {
  const others = Object.keys(asked).filter((key) => !KEYS.includes(key));
  if (others.length > 0) {
    throw new Mistake(
      `--set ${others.join(", ")}: a new server in the same place takes ${KEYS.join(", ")}; change the rest by pulumi up`,
    );
  }
  const present = textOf(settings.release) ?? defaultRelease;
  const set = {
    ...(present !== deployed && { release: present }),
    ...Object.fromEntries(Object.entries(asked).map(([key, value]) => [key, String(value)])),
  };
  const former = Object.fromEntries(
    Object.keys(set).map((key) => [
      key,
      key === "release" && present !== deployed ? deployed : (textOf(settings[key]) ?? null),
    ]),
  );
  const { bbb } = parsed({ ...settings, ...set }, context);
  return {
    ...{ set, former, serverType: bbb.serverType, location: bbb.location },
    backup: settings.backup !== undefined && settings.backup !== "",
  };
}

function parsed(settings: StackSettings, context: Asked["context"]) {
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => !key.includes(":")));
  try {
    return parseSettings(own, context);
  } catch (error) {
    if (error instanceof SettingsError) throw new Mistake(error.message.trimEnd(), { cause: error });
    throw error;
  }
}
