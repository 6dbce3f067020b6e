/** Opens the clouds whose images are meant. */
import type { CloudName } from "../../bigbluebutton/capacity";
import { atCloud, type StackSettings } from "../../cli/stackFiles";
import type { Environment } from "../inventory/open";
import type { Servers } from "../servers";
import { openServers } from "../servers/open";

/** Opens the clouds of both hosts, each once; `also` alone, if it is given. @throws Mistake for missing credentials */
export function openImages(
  settings: StackSettings,
  also: CloudName | undefined,
  environment: Environment,
): Servers[] {
  const asked = also === undefined ? settings : { ...atCloud(settings, also), turnCloud: also };
  const opened = Object.values(openServers(asked, environment));
  return opened.filter(({ cloud }, i) => opened.findIndex((one) => one.cloud === cloud) === i);
}
