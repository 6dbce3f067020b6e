/** Instances that are stopped, and copies of instances, by AWS's own client: no deployment, no Pulumi. */
import { aws, subnetWith } from "../support/clouds";
import { booted, FIRST_BOOTS, linesOf, marking, ownOf } from "../support/copies";
import { freshSandbox, until } from "../support/faults";
import { must, update } from "../support/sandbox";

type Fields = Record<string, unknown>;

/** The one answer of EC2 to one call. */
async function ec2(operation: string, args: Fields = {}): Promise<Fields> {
  const [answer] = await aws(["ec2", operation, args]);
  return answer as Fields;
}

async function instance(id: string): Promise<Fields> {
  const { Reservations } = await ec2("describe_instances", { InstanceIds: [id] });
  return (Reservations as { Instances: Fields[] }[])[0]!.Instances[0]!;
}

async function inState(id: string, state: string): Promise<Fields> {
  let now: Fields = {};
  await until(async () => {
    now = await instance(id);
    return (now.State as { Name: string }).Name === state;
  }, 60);
  return now;
}

/** Runs an instance at an interface, and waits until cloud-init has ended there. @returns its id and name */
async function run(ImageId: string, NetworkInterfaceId: string, mark: string): Promise<[string, string]> {
  const { Instances } = await ec2("run_instances", {
    ...{ ImageId, InstanceType: "c7i.large", MinCount: 1, MaxCount: 1, UserData: marking(mark) },
    NetworkInterfaces: [{ NetworkInterfaceId, DeviceIndex: 0, DeleteOnTermination: false }],
    BlockDeviceMappings: [
      { DeviceName: "/dev/sda1", Ebs: { VolumeSize: 30, VolumeType: "gp3", Encrypted: true } },
    ],
  });
  const id = String((Instances as Fields[])[0]!.InstanceId);
  const name = String((await inState(id, "running")).PrivateDnsName);
  await booted(name);
  return [id, name];
}

beforeAll(async () => {
  await freshSandbox();
  // An update at AWS brings it up.
  await update("preview", "embedded", ["--cloud", "aws"]);
}, 400_000);
afterAll(() => must(["reset"]), 60_000);

test("an instance that was stopped comes back with its disk and addresses; a copy of it is another machine", async () => {
  const SubnetId = await subnetWith({ ipv6: true });
  const { NetworkInterface } = await ec2("create_network_interface", { SubnetId, Ipv6AddressCount: 1 });
  const interfaceId = String((NetworkInterface as Fields).NetworkInterfaceId);
  const { AllocationId } = await ec2("allocate_address", { Domain: "vpc" });
  await ec2("associate_address", { AllocationId, NetworkInterfaceId: interfaceId });
  const { Images } = await ec2("describe_images", {
    ...{ Owners: ["099720109477"] },
    Filters: [{ Name: "name", Values: ["ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*"] }],
  });
  const [id, name] = await run(String((Images as Fields[])[0]!.ImageId), interfaceId, "model");

  await linesOf(name, "echo kept >/srv/note");
  const before = await instance(id);
  const addresses = await linesOf(name, "hostname -I");
  await ec2("stop_instances", { InstanceIds: [id] });
  await inState(id, "stopped");
  await expect(linesOf(name, "true")).rejects.toThrow("switched off");
  await ec2("start_instances", { InstanceIds: [id] });
  const after = await inState(id, "running");
  await booted(name);
  expect(await linesOf(name, "cat /srv/note; hostname -I")).toEqual(["kept", ...addresses]);
  for (const key of ["PublicIpAddress", "PrivateIpAddress", "BlockDeviceMappings"])
    expect([key, after[key]]).toEqual([key, before[key]]);

  const [booting] = await linesOf(name, "stat -c %Y /proc/1");
  const { ImageId } = await ec2("create_image", { InstanceId: id, Name: "a copy" });
  await until(async () => {
    const { Images: own } = await ec2("describe_images", { ImageIds: [ImageId] });
    return (own as Fields[])[0]!.State === "available";
  }, 60);
  await booted(name);
  // It was off in between.
  expect(await linesOf(name, "stat -c %Y /proc/1")).not.toEqual([booting]);
  const models = await ownOf(name);
  await ec2("terminate_instances", { InstanceIds: [id] });
  await inState(id, "terminated");

  const [, copy] = await run(String(ImageId), interfaceId, "copy");
  expect(await linesOf(copy, `cat /srv/note ${FIRST_BOOTS}`)).toEqual(["kept", "model", "copy"]);
  expect(await linesOf(copy, ". /etc/os-release; echo $VERSION_ID")).toEqual(["24.04"]);
  const own = await ownOf(copy);
  expect(own.instance).not.toBe(models.instance);
  expect(own.sshKey).not.toBe(models.sshKey);
}, 300_000);
