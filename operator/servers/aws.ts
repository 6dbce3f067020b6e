/** Instances and images in one region of AWS. Loaded only for stacks at AWS. */
import { setTimeout as sleep } from "node:timers/promises";

import {
  CreateImageCommand,
  CreateTagsCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  type DeregisterImageCommandOutput,
  type DescribeInstancesCommandInput,
  type Image,
  type Instance,
} from "@aws-sdk/client-ec2";

import { Failure } from "../../cli/mistake";
import type { Labels, Server, Servers, Snapshot } from ".";

/** Number of looks until an instance, a volume or an image is in a state. */
const LOOKS = 720;

/** Number of looks for which a new image may be unknown: EC2 tells of what it has made a moment later. */
const UNKNOWN_LOOKS = 24;

/** Length of an image's name, of which EC2 takes 128 characters, without its time. */
const NAME_LENGTH = 100;

/** @param pauseSeconds Pause between two looks. */
export function awsServers(region: string, pauseSeconds = 5): Servers {
  const ec2 = new EC2Client({ region });

  return {
    cloud: "aws",
    parksBy: "stopping",
    async find(labels) {
      const found = await describe({ Filters: filtersOf(labels) });
      const ending = ["shutting-down", "terminated"];
      return found.filter(({ State }) => !ending.includes(State?.Name ?? "")).map(serverOf);
    },
    async stop(id) {
      // An instance that does not shut down is switched off by EC2 itself, in some minutes.
      await ec2.send(new StopInstancesCommand({ InstanceIds: [id] }));
      await until(id, "stopped");
    },
    async start(id) {
      if ((await stateOf(id)) === "stopping") await until(id, "stopped");
      await ec2.send(new StartInstancesCommand({ InstanceIds: [id] }));
      await until(id, "running");
    },
    restart: async (id) => void (await ec2.send(new RebootInstancesCommand({ InstanceIds: [id] }))),
    async isOffered(type) {
      const Filters = [{ Name: "instance-type", Values: [type] }];
      const { InstanceTypeOfferings = [] } = await ec2.send(
        new DescribeInstanceTypeOfferingsCommand({ Filters }),
      );
      return InstanceTypeOfferings.length > 0;
    },
    async snapshots(labels) {
      const found = await snapshotsOf(await images({ Owners: ["self"], Filters: filtersOf(labels) }));
      return [...found].sort((a, b) => b.created.getTime() - a.created.getTime());
    },
    async take(id, labels, description) {
      const [instance] = await describe({ InstanceIds: [id] });
      const { RootDeviceName, BlockDeviceMappings = [] } = instance ?? {};
      const Tags = Object.entries(labels).map(([Key, Value]) => ({ Key, Value }));
      const what = `${labels.stack ?? labels.project}-${labels.purpose ?? labels.image}`;
      // Names are unique in an account.
      const Name = `${what.slice(0, NAME_LENGTH)}-${new Date().toISOString().replaceAll(/[:.]/g, "-")}`;
      const made = await ec2
        .send(
          new CreateImageCommand({
            InstanceId: id,
            Name,
            Description: description,
            // Data volumes outlive their instance.
            BlockDeviceMappings: BlockDeviceMappings.filter(
              ({ DeviceName }) => DeviceName !== RootDeviceName,
            ).map(({ DeviceName }) => ({ DeviceName, NoDevice: "" })),
            TagSpecifications: [
              { ResourceType: "image", Tags },
              { ResourceType: "snapshot", Tags },
            ],
          }),
        )
        .catch(async (error: Error) => {
          // Asked again, since an answer was lost: then it was made by the first call.
          if (error.name !== "InvalidAMIName.Duplicate") throw error;
          const [own] = await images({ Owners: ["self"], Filters: [{ Name: "name", Values: [Name] }] });
          if (own === undefined) throw error;
          return own;
        });
      return available(made.ImageId ?? "");
    },
    available,
    async relabel(id, labels) {
      const Tags = Object.entries(labels).map(([Key, Value]) => ({ Key, Value }));
      await ec2.send(new CreateTagsCommand({ Resources: [id], Tags }));
    },
    remove,
    async letGo(id) {
      const [instance] = await describe({ InstanceIds: [id] }).catch(whereGone);
      if (instance === undefined || instance.State?.Name === "terminated") return;
      const { RootDeviceName, BlockDeviceMappings = [] } = instance;
      await ec2.send(
        new ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value: false } }),
      );
      for (const { DeviceName, Ebs } of BlockDeviceMappings) {
        if (DeviceName !== RootDeviceName && Ebs?.VolumeId) await detach(Ebs.VolumeId);
      }
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
      await until(id, "terminated");
    },
  };

  async function describe(asked: DescribeInstancesCommandInput): Promise<Instance[]> {
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand(asked));
    return Reservations.flatMap(({ Instances = [] }) => Instances);
  }

  async function images(
    asked: ConstructorParameters<typeof DescribeImagesCommand>[0] & object,
  ): Promise<Image[]> {
    return (await ec2.send(new DescribeImagesCommand(asked))).Images ?? [];
  }

  async function stateOf(id: string): Promise<string> {
    const [instance] = await describe({ InstanceIds: [id] });
    return instance?.State?.Name ?? "gone";
  }

  async function until(id: string, wanted: string): Promise<void> {
    let state = "";
    await look(
      async () => (state = await stateOf(id)) === wanted,
      () => `instance ${id} is ${state}, and does not become ${wanted}: look at it in the console`,
    );
  }

  async function detach(VolumeId: string): Promise<void> {
    await ec2.send(new DetachVolumeCommand({ VolumeId }));
    await look(
      async () => {
        const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }));
        return Volumes[0]?.State === "available";
      },
      () => `volume ${VolumeId} is not detached: look at it in the console`,
    );
  }

  async function available(id: string): Promise<Snapshot> {
    let image: Image | undefined;
    let unknown = 0;
    await look(
      async () => {
        [image] = await images({ Owners: ["self"], ImageIds: [id] }).catch(whereGone);
        if (image?.State === "available") return true;
        if (image?.State === "pending" || (image === undefined && ++unknown < UNKNOWN_LOOKS)) return false;
        // One that failed would be found in place of the next one.
        if (image !== undefined) await remove(id);
        const reason = image?.StateReason?.Message;
        throw new Failure(`AWS did not make the image ${id}${reason ? ` (${reason})` : ""}: run this again`);
      },
      () => `AWS is still making the image ${id}: run this again later`,
    );
    const [snapshot] = await snapshotsOf([image!]);
    return snapshot!;
  }

  /** Removes an image with what it is made of, which costs and would stay. */
  async function remove(id: string): Promise<void> {
    const order = new DeregisterImageCommand({ ImageId: id, DeleteAssociatedSnapshots: true });
    const { DeleteSnapshotResults = [] } = await ec2.send(order).catch((error: Error) => {
      whereGone(error);
      return {} as DeregisterImageCommandOutput;
    });
    const left = DeleteSnapshotResults.filter(
      ({ ReturnCode }) => ReturnCode !== "success" && ReturnCode !== "skipped",
    );
    if (left.length === 0) return;
    const names = left.map(({ SnapshotId, ReturnCode }) => `${SnapshotId} (${ReturnCode})`);
    throw new Failure(
      `the image ${id} is removed, and what it was made of is not, which costs: delete ${names.join(", ")} in the console`,
    );
  }

  /** Images with the size of what is written to the disks that they are made of. */
  async function snapshotsOf(found: readonly Image[]): Promise<readonly Snapshot[]> {
    const idOf = ({ BlockDeviceMappings: [root] = [] }: Image) => root?.Ebs?.SnapshotId;
    const ids = found.flatMap((image) => idOf(image) ?? []);
    const order = new DescribeSnapshotsCommand({ Filters: [{ Name: "snapshot-id", Values: ids }] });
    const { Snapshots = [] } = ids.length === 0 ? {} : await ec2.send(order);
    const bytes = new Map(Snapshots.map((one) => [one.SnapshotId, one.FullSnapshotSizeInBytes]));
    return found.map((image) => snapshotOf(image, bytes.get(idOf(image))));
  }

  /** Waits until something is so. @throws Failure where that takes too long */
  async function look(isSo: () => Promise<boolean>, otherwise: () => string): Promise<void> {
    for (let looked = 0; looked < LOOKS; looked++) {
      if (await isSo()) return;
      await sleep(pauseSeconds * 1000);
    }
    throw new Failure(otherwise());
  }
}

/** Takes what does not exist any more for an empty answer. */
function whereGone(error: Error): never[] {
  if (error.name.endsWith(".NotFound") || error.name === "InvalidAMIID.Unavailable") return [];
  throw error;
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

function snapshotOf(
  { ImageId: id = "", CreationDate = "", Tags = [], State }: Image,
  bytes: number | undefined,
): Snapshot {
  return {
    id,
    created: new Date(CreationDate),
    labels: Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value])),
    available: State === "available",
    ...(bytes !== undefined && { gb: bytes / 2 ** 30 }),
  };
}
