import type { CloudName, CloudObject, Inventory } from "../inventory";
import { cloudsOf, openInventories, type Environment } from "../inventory/open";
import { Mistake } from "../../cli/mistake";
import type { StackSettings } from "../../cli/stackFiles";
import type { ListObjects } from "./cloud";
import { NotAsked } from "./finding";

/** Lists the objects at the clouds, with credentials of the environment or of the stack's settings. */
export function listObjects(settings: () => Promise<StackSettings>, environment: Environment): ListObjects {
  return async (cloud, project): Promise<readonly CloudObject[]> => {
    try {
      const inventories = open(cloud, await settings(), environment);
      return (await Promise.all(inventories.map((inventory) => inventory.list(project)))).flat();
    } catch (error) {
      // What the caller could put right is no fault of the deployment's.
      throw error instanceof Mistake ? new NotAsked(error.message) : error;
    }
  };
}

function open(cloud: CloudName, settings: StackSettings, environment: Environment): Inventory[] {
  if (cloud === "aws") {
    const { regions } = cloudsOf(settings);
    return openInventories(
      regions.map((location) => ({ cloud: "aws", location })),
      ["aws"],
      environment,
    );
  }
  const token = settings["hcloud:token"];
  if (!environment.HCLOUD_TOKEN && !token) {
    throw new NotAsked("no HCLOUD_TOKEN in the environment, and no hcloud:token in the settings");
  }
  return openInventories([{ "hcloud:token": token }], ["hetzner"], environment);
}
