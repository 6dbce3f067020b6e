/** Facts about a pool: how many people it carries, and what one server of it costs. */
import { capacities, diskGb } from "../../bigbluebutton/capacity";
import { MAX_NODES } from "../../bigbluebutton/pool";
import { sizeOf } from "../../clouds/serverTypes";
import type { Settings } from "../../settings";
import { estimate, type Billable } from "./estimate";

/** Most people that one server carries by published figures; 0 for a type without one. */
function peopleOn({ cloud, serverType }: Settings["bbb"]): number {
  const size = sizeOf(cloud, serverType);
  if (!size?.dedicated) return 0;
  return capacities.filter(({ cores }) => cores <= size.cores).at(-1)?.maxUsers ?? 0;
}

/** Servers for so many people, and one more for when one is away; undefined where none can be told. */
export function serversFor(people: number, bbb: Settings["bbb"]): number | undefined {
  const each = peopleOn(bbb);
  const servers = each === 0 ? Infinity : Math.ceil(people / each) + 1;
  return servers <= MAX_NODES ? servers : undefined;
}

/** Pool of a plan. */
export interface PoolFacts {
  readonly servers: number;
  /** People in all meetings together; null where no figure is published for the server type. */
  readonly people: number | null;
  /** People while one server is away: drained, replaced or dead. */
  readonly peopleLessOne: number | null;
  /** Most people in one meeting, which stays on one server. */
  readonly largestMeeting: number | null;
  /** Servers for the people that are expected, one more included; null for an unknown number. */
  readonly wanted: number | null;
  /** Cost of one server of the pool a month: net, by published prices; null for a type or place without one. */
  readonly each: { readonly currency: string; readonly net: string; readonly day: string } | null;
}

/** Returns null for a single server. @param users Number of people that are expected. */
export function poolFacts({ pool, bbb }: Settings, users?: number): PoolFacts | null {
  if (!pool) return null;
  const people = peopleOn(bbb);
  const { currency, sum, day, missing } = estimate(bbb.cloud, oneServer(bbb));
  return {
    servers: pool.nodes,
    people: people === 0 ? null : people * pool.nodes,
    peopleLessOne: people === 0 ? null : people * (pool.nodes - 1),
    largestMeeting: people === 0 ? null : people,
    wanted: (users === undefined ? undefined : serversFor(users, bbb)) ?? null,
    each: missing.length > 0 ? null : { currency, net: sum, day },
  };
}

function oneServer({ cloud, serverType, location }: Settings["bbb"]): readonly Billable[] {
  return [
    { what: "server", server: serverType, place: location },
    { what: "address", addresses: 1 },
    ...(cloud === "aws" ? [{ what: "disk", gigabytes: diskGb.bbb }] : []),
  ];
}
