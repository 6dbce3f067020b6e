/** Choice of the clouds to ask, and their credentials. */
import { defaultLocations } from "../../bigbluebutton/capacity";
import type { PairRole } from "../../clouds/host";
import { Mistake } from "../../cli/mistake";
import { textOf, type StackSettings } from "../../cli/stackFiles";
import type * as Aws from "./aws";
import { hetznerInventory } from "./hetzner";
import type { HetznerAccess } from "./hetznerApi";
import type { CloudName, Inventory } from ".";

/** Variables of the environment, with the names of the clouds' own tools. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Cloud of each host by these settings, and the region of one at AWS. */
export function placesOf(
  settings: StackSettings,
): Readonly<Record<PairRole, { readonly cloud: string; readonly region: string }>> {
  const cloud = textOf(settings.cloud) ?? "hetzner";
  const turnCloud = textOf(settings.turnCloud) ?? cloud;
  const region = textOf(settings.location) ?? defaultLocations.aws;
  const turnRegion = textOf(settings.turnLocation) ?? (cloud === turnCloud ? region : defaultLocations.aws);
  return { bbb: { cloud, region }, turn: { cloud: turnCloud, region: turnRegion } };
}

/** Clouds in which these settings have something with labels, and for AWS the regions. */
export function cloudsOf(settings: StackSettings): {
  readonly hetzner: boolean;
  readonly regions: readonly string[];
} {
  const { bbb, turn } = placesOf(settings);
  const dns = textOf(settings.dns) ?? (bbb.cloud === "aws" ? "route53" : "hetzner");
  const regions = [bbb, turn].filter(({ cloud }) => cloud === "aws").map(({ region }) => region);
  return { hetzner: [bbb.cloud, turn.cloud, dns].includes("hetzner"), regions: [...new Set(regions)] };
}

/** True when these settings have something in an inventory's place. */
export function isIn(
  settings: StackSettings,
  { cloud, region }: Pick<Inventory, "cloud" | "region">,
): boolean {
  const { hetzner, regions } = cloudsOf(settings);
  return cloud === "hetzner" ? hetzner : region !== undefined && regions.includes(region);
}

/**
 * Opens the inventories of all clouds that any of these settings use, and always those that `also` names.
 *
 * @throws Mistake for missing credentials of one
 */
export function openInventories(
  settings: readonly StackSettings[],
  also: readonly CloudName[],
  environment: Environment,
): Inventory[] {
  const used = settings.map(cloudsOf);
  const inventories: Inventory[] = [];
  if (also.includes("hetzner") || used.some(({ hetzner }) => hetzner)) {
    inventories.push(hetznerInventory(hetznerAccess(settings, environment)));
  }
  const regions = new Set(used.flatMap(({ regions }) => regions));
  if (also.includes("aws") && regions.size === 0) regions.add(environment.AWS_REGION ?? defaultLocations.aws);
  for (const region of regions) inventories.push(openAws(region));
  return inventories;
}

/** Access to Hetzner Cloud, by the environment or the first settings with a token. @throws Mistake without one */
export function hetznerAccess(settings: readonly StackSettings[], environment: Environment): HetznerAccess {
  return {
    token: token(settings, environment),
    endpoint: environment.HCLOUD_ENDPOINT,
    boxEndpoint: environment.HETZNER_ENDPOINT,
  };
}

function token(settings: readonly StackSettings[], environment: Environment): string {
  const found =
    environment.HCLOUD_TOKEN ||
    settings.map((one) => textOf(one["hcloud:token"])).find((one) => one !== undefined);
  if (!found) {
    throw new Mistake(
      "there is no token for Hetzner Cloud: set HCLOUD_TOKEN in the environment, or hcloud:token in the settings: of the stack, or, for a test server, of the one that it is made like",
    );
  }
  return found;
}

function openAws(region: string): Inventory {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loads AWS's clients only where they are needed
  return withAwsPackages(() => (require("./aws") as typeof Aws).awsInventory(region));
}

/** Opens something that is made of AWS's clients. @throws Mistake where they are not installed */
export function withAwsPackages<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    throw new Mistake("the packages of AWS are not installed: run npm ci, without --omit=optional", {
      cause: error,
    });
  }
}
