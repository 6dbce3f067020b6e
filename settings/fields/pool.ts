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
      "Minutes, 0 to 180, for which an update waits for the last meeting on a server that leaves the pool. After that it fails; the server stays, and gets no new meetings.",
    schema: integer("minutes", (value) =>
      value >= 0 && value <= 180 ? undefined : `is ${value}; an update waits for 0 to 180 minutes`,
    ),
    remedy: setCommand("drainMinutes", "30"),
  },
} as const satisfies Fields;
