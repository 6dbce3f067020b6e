/** Choice of the cloud of each server of a stack. */
import type { PairRole } from "../../clouds/host";
import type { StackSettings } from "../../cli/stackFiles";
import { hetznerAccess, placesOf, withAwsPackages, type Environment } from "../inventory/open";
import type * as Aws from "./aws";
import { hetznerServers } from "./hetzner";
import type { Servers } from ".";

/** Opens the clouds of both servers. @throws Mistake for missing credentials */
export function openServers(
  settings: StackSettings,
  environment: Environment,
): Readonly<Record<PairRole, Servers>> {
  const { bbb, turn } = placesOf(settings);
  const open = ({ cloud, region }: typeof bbb) =>
    cloud === "aws" ? openAws(region) : hetznerServers(hetznerAccess([settings], environment));
  return { bbb: open(bbb), turn: open(turn) };
}

function openAws(region: string): Servers {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loads AWS's clients only where they are needed
  return withAwsPackages(() => (require("./aws") as typeof Aws).awsServers(region));
}
