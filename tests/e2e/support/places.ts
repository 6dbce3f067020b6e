import { snapshotFile } from "../../../sandbox/hosts/snapshots";
import { accountObjects, AWS_KINDS, checkpointReferences, references } from "./account";
import { aws, hetzner } from "./clouds";
import { AWS, HETZNER, type Scenario } from "./scenarios";

/** Clouds at which servers are taken away and brought back, and what is told of them. */

export interface Server {
  readonly id: string;
  readonly name: string;
  /** State in the cloud's own word. */
  readonly status: string;
}

export interface Snapshot {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Path of the copied disk in the sandbox. */
  readonly disk: string;
}

export interface Place extends Pick<Scenario, "name" | "first" | "names" | "inventory"> {
  /** Settings for servers of the type that images are baked on. */
  readonly small: readonly string[];
  /** GB that a disk of a baked image needs, as scripts/image tells. */
  readonly imageGb: number | null;
  /** Kinds of the inventory that images are. */
  readonly imageKinds: readonly string[];
  /** Servers that are there, by name. */
  servers(): Promise<readonly Server[]>;
  /** Snapshots of servers' disks. @throws Error for what is left of one, and costs */
  snapshots(): Promise<readonly Snapshot[]>;
  /** Expects that a stack's record has all objects of the account. */
  expectRecorded(stack: string): Promise<void>;
}

const byName = (servers: readonly Server[]) => [...servers].sort((a, b) => a.name.localeCompare(b.name));

export const AT_HETZNER: Place = {
  ...HETZNER,
  small: ["--set", "serverType=cx33"],
  imageGb: 80,
  imageKinds: ["images"],
  async servers() {
    const found = (await accountObjects()).filter(({ kind }) => kind === "servers");
    return byName(found.map(({ id, name, status }) => ({ id, name, status: String(status) })));
  },
  async snapshots() {
    const [answer] = await hetzner(["GET", "/images?type=snapshot"]);
    const { images } = answer!.body as { images: { id: number; labels: Record<string, string> }[] };
    return images.map(({ id, labels }) => ({ id: String(id), labels, disk: snapshotFile(String(id)) }));
  },
  async expectRecorded(stack) {
    expect(references(await accountObjects())).toEqual(checkpointReferences(stack));
  },
};

type Fields = Readonly<Record<string, unknown>>;

async function instances(): Promise<Fields[]> {
  const [answer] = await aws(["ec2", "describe_instances", {}]);
  const all = answer!.Reservations!.flatMap(({ Instances }) => Instances as Fields[]);
  return all.filter(({ State }) => !/shutting-down|terminated/.test((State as { Name: string }).Name));
}

const tagsOf = (item: Fields): Record<string, string> => {
  const tags = (item.Tags ?? []) as { Key: string; Value: string }[];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
};

export const AT_AWS: Place = {
  ...AWS,
  small: ["--set", "serverType=c7a.xlarge"],
  imageGb: null,
  imageKinds: ["Images", "Snapshots"],
  async servers() {
    const found = await instances();
    return byName(
      found.map((one) => ({
        id: String(one.InstanceId),
        name: tagsOf(one).Name!,
        status: (one.State as { Name: string }).Name,
      })),
    );
  },
  async snapshots() {
    const [identity] = await aws(["sts", "get_caller_identity", {}]);
    // moto's "self" has more.
    const own = { Filters: [{ Name: "owner-id", Values: [String(identity!.Account)] }] };
    const [images, snapshots] = await aws(
      ["ec2", "describe_images", own],
      ["ec2", "describe_snapshots", own],
    );
    const found = images!.Images!.map((image) => {
      const [root] = image.BlockDeviceMappings as { Ebs: { SnapshotId: string } }[];
      const id = root!.Ebs.SnapshotId;
      return { snapshot: id, id: String(image.ImageId), labels: tagsOf(image), disk: snapshotFile(id) };
    });
    const of = snapshots!.Snapshots!.map(({ SnapshotId }) => String(SnapshotId)).sort();
    expect(of).toEqual(found.map(({ snapshot }) => snapshot).sort());
    return found;
  },
  async expectRecorded(stack) {
    const [interfaces, addresses, volumes] = await aws(
      ["ec2", "describe_network_interfaces", {}],
      ["ec2", "describe_addresses", {}],
      ["ec2", "describe_volumes", {}],
    );
    const roots = (await instances()).flatMap(({ RootDeviceName, BlockDeviceMappings }) =>
      (BlockDeviceMappings as { DeviceName: string; Ebs: { VolumeId: string } }[])
        .filter(({ DeviceName }) => DeviceName === RootDeviceName)
        .map(({ Ebs }) => Ebs.VolumeId),
    );
    const found = [
      ...(await instances()).map(({ InstanceId }) => `instances ${String(InstanceId)}`),
      ...interfaces!.NetworkInterfaces!.map((one) => `interfaces ${String(one.NetworkInterfaceId)}`),
      ...addresses!.Addresses!.map(({ AllocationId }) => `addresses ${String(AllocationId)}`),
      // A root disk is part of its instance.
      ...volumes!
        .Volumes!.map(({ VolumeId }) => String(VolumeId))
        .filter((id) => !roots.includes(id))
        .map((id) => `volumes ${id}`),
    ];
    expect(found.sort()).toEqual(checkpointReferences(stack, AWS_KINDS));
  },
};
