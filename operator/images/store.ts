/** Images of our own, in the accounts that some settings use. */
import type { CloudName } from "../../bigbluebutton/capacity";
import { roles, type PairRole } from "../../clouds/host";
import { hetznerLabels } from "../../clouds/hetzner/labels";
import type { Servers, Labels, Snapshot } from "../servers";

/** Image that scripts/image has baked. */
export interface Image extends Snapshot {
  readonly cloud: CloudName;
  readonly role: PairRole;
}

/** Label with the id of the server that an image was made from. */
const SERVER = "server";

/** Lists the images of a project at one cloud, newest first. */
export async function imagesAt(servers: Servers, project: string): Promise<readonly Image[]> {
  const lists = roles.map(async (role) => {
    const found = await servers.snapshots(hetznerLabels({ project, image: role }));
    return found.map((snapshot) => ({ ...snapshot, role, cloud: servers.cloud }));
  });
  const all = (await Promise.all(lists)).flat();
  return all.sort((a, b) => b.created.getTime() - a.created.getTime());
}

/** Finds the image that was made from a server. */
export async function imageOf(
  servers: Servers,
  { project, role, server }: { readonly project: string; readonly role: PairRole; readonly server: string },
): Promise<Snapshot | undefined> {
  const [found] = await servers.snapshots(hetznerLabels({ project, image: role, [SERVER]: server }));
  return found;
}

/** Sealed server, of which an image is made. */
export interface SealedServer {
  readonly id: string;
  readonly diskGb?: number;
}

/**
 * Makes an image of a server's disk, and waits until it is available. After a failure that does not tell whether it was made,
 * it looks for it: there never is a second one.
 *
 * @param labels Labels of the image, project and role among them.
 */
export async function store(
  servers: Servers,
  { id, diskGb }: SealedServer,
  {
    labels,
    role,
    description,
  }: { readonly labels: Labels; readonly role: PairRole; readonly description: string },
): Promise<Snapshot> {
  const all = hetznerLabels({
    ...labels,
    ...(diskGb !== undefined && { disk: String(diskGb) }),
    [SERVER]: id,
  });
  await servers.stop(id);
  try {
    return await servers.take(id, all, description);
  } catch (error) {
    const made = await imageOf(servers, { project: labels.project ?? "", role, server: id });
    if (!made) throw error;
    return servers.available(made.id);
  }
}
