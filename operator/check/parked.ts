import { minute, parkedSnapshots, serverOf, takesSnapshots, type World } from "../park/world";
import { typeOf } from "../inventory/keys";
import type { StackResource } from "../stacks";
import type { Finding } from "./finding";

/** Parked BigBlueButton server. */
export interface Parked {
  /** Time of its snapshot, or of its stop if the cloud tells. */
  readonly since?: Date;
}

/** Servers of the stack's clouds. */
export type OpenServers = () => Promise<World["servers"]>;

/**
 * Tells whether a stack's BigBlueButton server is parked: its state has none, and there is a snapshot; or it is stopped, at
 * a cloud where that is how it is parked.
 *
 * @returns undefined for one that is not, and where the clouds can't be asked: the check's own questions then say why
 */
export async function parkedServer(
  world: Pick<World, "stack"> & { readonly stacks: Pick<World["stacks"], "project"> },
  resources: readonly StackResource[],
  open: OpenServers,
): Promise<Parked | undefined> {
  const inState = resources.find(
    ({ type, inputs }) => typeOf(type)?.type === "server" && roleOf(inputs) === "bbb",
  );
  // Where snapshots are made, a server that is in the state is looked for there by the check itself.
  if (inState?.type.startsWith("hcloud:")) return undefined;
  try {
    const servers = await open();
    const args = { ...world, servers } as World;
    if (takesSnapshots(servers.bbb)) {
      const [newest] = await parkedSnapshots(args, servers.bbb);
      return newest && { since: newest.created };
    }
    const server = await serverOf(args, "bbb");
    return server && ["stopping", "stopped"].includes(server.status) ? { since: server.stopped } : undefined;
  } catch {
    return undefined;
  }
}

function roleOf(inputs: StackResource["inputs"]): unknown {
  const { labels, tags } = inputs as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  return (labels ?? tags)?.role;
}

/** Finding in place of all that a parked server would fail. */
export function parkedFinding(stack: string, { since }: Parked): Finding {
  return {
    name: "parked",
    asked: "the BigBlueButton server",
    verdict: "skip",
    answer: since === undefined ? "parked" : `parked since ${minute(since)}`,
    seconds: 0,
    remedy: `./scripts/wake ${stack} brings it back`,
  };
}
