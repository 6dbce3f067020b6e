import { parseSettings } from "../../settings";
import type { CheckOutput } from "../../bigbluebutton/verification";
import { SettingsError } from "../../settings/problems";
import type { StackSettings } from "../../cli/stackFiles";
import { Doubtful, worst } from "./finding";

const REMEDY = "pulumi preview shows what the next update would change";

/** Compares the deployment with the present settings, as far as that is possible without a preview. */
export function checkSettings(
  raw: StackSettings,
  context: { readonly project: string; readonly stack: string },
  { bbb: { request: bbb } }: CheckOutput,
): string {
  const own = Object.fromEntries(Object.entries(raw).filter(([key]) => !key.includes(":")));
  let settings;
  try {
    settings = parseSettings(own, context);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    const keys = error.problems.map(({ key }) => key).join(", ");
    throw new Doubtful(`mistakes in the settings, which would stop an update: ${keys}`, REMEDY);
  }
  const { turn } = settings;
  const differ = (what: string, wanted: string, deployed: string) =>
    wanted === deployed ? [] : [new Doubtful(`${what}: ${wanted} is set, ${deployed} is deployed`, REMEDY)];
  return worst([
    ...differ("release", settings.release.name, bbb.release),
    ...differ("hostname", settings.bbb.fqdn, bbb.bbbHost),
    ...differ("turnStack", turn.kind === "shared" ? turn.stack : "none", bbb.turnStack ?? "none"),
    ...(turn.kind === "shared" ? [] : differ("turnHostname", turn.fqdn, bbb.turnHost)),
    `${bbb.release}, as deployed`,
  ]);
}
