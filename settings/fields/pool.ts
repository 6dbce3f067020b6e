import { defaultServerTypes } from "../../bigbluebutton/capacity";
import { MAX_NODES } from "../../bigbluebutton/pool";
import { setCommand } from "../remedies";
import { integer, textThat, type Fields } from "./field";

const { hetzner, aws } = defaultServerTypes;

export const pool = {
  servers: {
    type: "integer",
    default: 0,
    description: `Number of BigBlueButton servers behind one balancer, 1 to ${MAX_NODES}; it may grow and shrink at any time. 0: one server without a balancer. A stack stays what it is: one server, or a pool. docs/pool.md has what a pool is, and what it cannot do yet.`,
    schema: integer("servers", (value) =>
      value >= 0 && value <= MAX_NODES
        ? undefined
        : `is ${value}; a pool has 1 to ${MAX_NODES} servers, and 0 stands for one server without a balancer`,
    ),
    remedy: `${setCommand("servers", "3")}, or 0 for one server without a balancer`,
  },
  balancerServerType: {
    type: "string",
    example: hetzner.prod.balancer,
    description: `Server type of a pool's balancer, x86. Not set: ${hetzner.prod.balancer} in prod, ${hetzner.test.balancer} otherwise; on AWS ${aws.prod.balancer}.`,
    schema: textThat((value) =>
      /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)?$/i.test(value)
        ? undefined
        : `"${value}" is not the name of a server type`,
    ),
  },
  drainMinutes: {
    type: "integer",
    default: 30,
    description:
      "Minutes, 0 to 180, for which an update waits for the last meeting on a server that leaves the pool, for good or for work on it. After that it fails. The server stays; one that was to go gets no new meetings for an hour.",
    schema: integer("minutes", (value) =>
      value >= 0 && value <= 180 ? undefined : `is ${value}; an update waits for 0 to 180 minutes`,
    ),
    remedy: setCommand("drainMinutes", "30"),
  },
  maxUnavailable: {
    type: "integer",
    default: 1,
    description:
      "Number of a pool's servers, 1 to 49 and less than servers, that may be out at once for an upgrade, another server type or a restart of BigBlueButton. Each waits for its turn, then up to drainMinutes for the end of its meetings.",
    schema: integer("servers", (value) =>
      value >= 1 && value < MAX_NODES
        ? undefined
        : `is ${value}; 1 to ${MAX_NODES - 1} servers may be out at once`,
    ),
    remedy: setCommand("maxUnavailable", "1"),
  },
} as const satisfies Fields;
