/** Instances in one region of AWS. Loaded only for stacks at AWS. */
import { setTimeout as sleep } from "node:timers/promises";

import {
  DescribeInstancesCommand,
  EC2Client,
  StartInstancesCommand,
  StopInstancesCommand,
  type DescribeInstancesCommandInput,
  type Instance,
} from "@aws-sdk/client-ec2";

import { Failure } from "../../cli/mistake";
import type { Labels, Server, Servers } from ".";

/** Number of looks until an instance is in a state. */
const LOOKS = 240;

/** @param pauseSeconds Pause between two looks. */
export function awsServers(region: string, pauseSeconds = 5): Servers {
  const ec2 = new EC2Client({ region });

  return {
    cloud: "aws",
    async find(labels) {
      const found = await describe({ Filters: filtersOf(labels) });
      return found.filter(({ State }) => State?.Name !== "terminated").map(serverOf);
    },
    async stop(id) {
      // An instance that does not shut down is switched off by EC2 itself, in some minutes.
      await ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
      await until(id, "stopped");
    },
    async start(id) {
      const [instance] = await describe({ InstanceIds: [id] });
      if (instance?.State?.Name === "stopping") await until(id, "stopped");
      await ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
      await until(id, "running");
    },
  };

  async function describe(asked: DescribeInstancesCommandInput): Promise<Instance[]> {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand(asked));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }

  async function until(id: string, wanted: string): Promise<void> {
    let status = "";
    for (let look = 0; look < LOOKS; look++) {
      const [instance] = await describe({ InstanceIds: [id] });
      status = instance?.State?.Name ?? "gone";
      if (status === wanted) return;
      await sleep(pauseSeconds * 1000);
    }
    throw new Failure(
      `instance ${id} is ${status}, and does not become ${wanted}: look at it in the console`,
    );
  }
}

function filtersOf(labels: Labels): { readonly Name: string; readonly Values: string[] }[] {
  return Object.entries(labels).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] }));
}

function serverOf({
  InstanceId: id = "",
  Tags = [],
  State,
  ImageId,
  StateTransitionReason = "",
}: Instance): Server {
  // "User initiated (2026-11-29 21:00:00 GMT)"
  const [, time] = /\((\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:GMT|UTC)\)/.exec(StateTransitionReason) ?? [];
  return {
    id,
    name: Tags.find(({ Key }) => Key === "Name")?.Value ?? id,
    status: State?.Name ?? "unknown",
    image: ImageId,
    ...(time !== undefined && { stopped: new Date(`${time.replace(" ", "T")}Z`) }),
  };
}
