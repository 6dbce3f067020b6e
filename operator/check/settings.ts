import { parseSettings } from "../../settings";
import type { BbbRequest } from "../../bigbluebutton/verification";
import { SettingsError } from "../../settings/problems";
import type { StackSettings } from "../../cli/stackFiles";
import { Doubtful, worst } from "./finding";

/** What is deployed, as far as it is compared. */
export interface DeployedFacts {
  readonly release: string;
  /** Name that front ends have. */
  readonly hostname: string;
  readonly turnHost: string;
  readonly turnStack?: string;
  /** Servers of a pool. @default a single server */
  readonly servers?: number;
}

/** Facts about a single server. */
export function deployedOf({ release, bbbHost, turnHost, turnStack }: BbbRequest): DeployedFacts {
  return { release, hostname: bbbHost, turnHost, turnStack };
}

const REMEDY = "pulumi preview shows what the next update would change";

/** Compares the deployment with the present settings, as far as that is possible without a preview. */
export function checkSettings(
  raw: StackSettings,
  context: { readonly project: string; readonly stack: string },
  deployed: DeployedFacts,
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
    ...differ("release", settings.release.name, deployed.release),
    ...differ("hostname", settings.bbb.fqdn, deployed.hostname),
    ...differ("turnStack", turn.kind === "shared" ? turn.stack : "none", deployed.turnStack ?? "none"),
    ...(turn.kind === "shared" ? [] : differ("turnHostname", turn.fqdn, deployed.turnHost)),
    ...differ("servers", String(settings.pool?.nodes ?? 0), String(deployed.servers ?? 0)),
    `${deployed.release}, as deployed`,
  ]);
}
