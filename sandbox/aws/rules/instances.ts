import { listParam, withParams, type Call } from "../call";
import { alter, describe, forward, look, type Cloud } from "../cloud";
import { AwsError, notEmulated } from "../errors";
import type { InstanceRecord, InstanceState } from "../state";
import { readInstance, readInterfaces, readType, type Interface } from "../view";
import { child, items, text, type Node } from "../xml";
import { ec2Answer, edit, idempotently } from "./answers";
import { splitFilter } from "./filters";
import { rootFrom } from "./images";
import { assertRoomInGroup } from "./placementGroups";
import type { Rule } from "./rule";
import { attachmentState } from "./volumes";

const CODES: Readonly<Record<InstanceState, string>> = {
  pending: "0",
  running: "16",
  "shutting-down": "32",
  terminated: "48",
  stopping: "64",
  stopped: "80",
};

/** EC2's limit, before the encoding. */
const MAX_USER_DATA_BYTES = 16_384;

const run: Rule = (cloud, call) =>
  idempotently(cloud, call, async () => {
    const { params } = call;
    if (params.MinCount !== "1" || params.MaxCount !== "1") throw notEmulated("several instances at a time");
    const primary = await checkInterface(cloud, params);
    await checkImage(cloud, params);
    await checkType(cloud, params, primary.availabilityZone);
    if (Buffer.from(params.UserData ?? "", "base64").length > MAX_USER_DATA_BYTES)
      throw new AwsError("InvalidParameterValue", "User data is limited to 16384 bytes");
    const placementGroup = params["Placement.GroupName"];
    if (placementGroup !== undefined)
      await assertRoomInGroup(cloud, placementGroup, primary.availabilityZone);
    // moto would put it, and its disk, into the region's first zone.
    const placed = withParams(call, {
      "Placement.AvailabilityZone": primary.availabilityZone,
      "Placement.GroupName": undefined,
      ...(await rootFrom(cloud, params)),
    });
    const answer = await forward(cloud, placed);
    if (answer.status >= 400) return answer;
    const { state } = cloud.store;
    const made: string[] = [];
    const edited = edit(answer, (root) => {
      for (const instance of items(root.instancesSet)) {
        const id = text(instance.instanceId);
        made.push(id);
        state.instances[id] = { host: `a${state.nextHost++}`, state: "pending", placementGroup };
        correct(cloud, instance);
      }
    });
    // moto takes no notice of the parameter.
    if (params.DisableApiTermination === "true") await protect(cloud, made);
    return edited;
  });

/** Returns the interface of a new instance. @throws AwsError unless it names exactly one that exists and is free */
async function checkInterface(cloud: Cloud, params: Call["params"]): Promise<Interface> {
  const id = params["NetworkInterface.1.NetworkInterfaceId"];
  if (id === undefined || params["NetworkInterface.2.DeviceIndex"] !== undefined)
    throw notEmulated("instances but those with exactly one network interface that was made before");
  const found = (await readInterfaces(cloud)).find((other) => other.id === id);
  if (!found)
    throw new AwsError(
      "InvalidNetworkInterfaceID.NotFound",
      `The networkInterface ID '${id}' does not exist`,
    );
  if (found.attachment) throw new AwsError("InvalidNetworkInterface.InUse", `Interface: [${id}] in use.`);
  const zone = params["Placement.AvailabilityZone"];
  if (zone !== undefined && zone !== found.availabilityZone)
    throw new AwsError("InvalidParameterValue", `Interface ${id} is not in the availability zone ${zone}`);
  return found;
}

/** Checks that an image exists. moto finds deregistered ones. */
async function checkImage(cloud: Cloud, { ImageId: id = "" }: Call["params"]): Promise<void> {
  const { imagesSet } = await describe(cloud, "DescribeImages", { "ImageId.1": id });
  if (items(imagesSet).length === 0)
    throw new AwsError("InvalidAMIID.NotFound", `The image id '[${id}]' does not exist`);
}

/**
 * Checks an instance type. moto refuses unknown ones under another code, and accepts a type where it is not offered and
 * an image for another architecture.
 */
async function checkType(cloud: Cloud, params: Call["params"], zone: string): Promise<void> {
  const type = params.InstanceType ?? "";
  const offered = await describe(cloud, "DescribeInstanceTypeOfferings", {
    LocationType: "availability-zone",
    "Filter.1.Name": "instance-type",
    "Filter.1.Value.1": type,
  });
  const zones = items(offered.instanceTypeOfferingSet).map(({ location }) => text(location));
  if (zones.length === 0)
    throw new AwsError("InvalidParameterValue", `Invalid value '${type}' for InstanceType.`);
  if (!zones.includes(zone)) {
    throw new AwsError(
      "Unsupported",
      `Your requested instance type (${type}) is not supported in your requested Availability Zone (${zone}). ` +
        `Please retry your request by not specifying an Availability Zone or choosing ${zones.sort().join(", ")}.`,
    );
  }
  const images = await describe(cloud, "DescribeImages", { "ImageId.1": params.ImageId ?? "" });
  const architecture = text(items(images.imagesSet)[0]?.architecture);
  const { architectures } = await readType(cloud, type);
  // An instance's own image may be gone.
  if (architecture !== "" && !architectures.includes(architecture)) {
    throw new AwsError(
      "InvalidParameterValue",
      `The architecture '${architectures.join(",")}' of the specified instance type does not match the architecture ` +
        `'${architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, ` +
        "and try again.",
    );
  }
}

async function protect(cloud: Cloud, ids: readonly string[]): Promise<void> {
  for (const InstanceId of ids) {
    await alter(cloud, "ModifyInstanceAttribute", { InstanceId, "DisableApiTermination.Value": "true" });
  }
}

/** Corrects an instance's description. */
function correct(cloud: Cloud, instance: Node): void {
  const record = cloud.store.state.instances[text(instance.instanceId)];
  if (!record) return;
  instance.instanceState = stateNode(record.state);
  if (record.placementGroup !== undefined)
    instance.placement = { ...child(instance.placement), groupName: record.placementGroup };
  if (record.reason) {
    instance.stateReason = { code: record.reason.code, message: record.reason.message };
    instance.reason = record.reason.message;
  }
  for (const mapping of items(instance.blockDeviceMapping)) {
    const ebs = child(mapping.ebs);
    const now = attachmentState(cloud, text(ebs.volumeId));
    if (now !== undefined) ebs.status = now;
  }
}

function stateNode(state: InstanceState): Node {
  return { code: CODES[state], name: state };
}

const list: Rule = async (cloud, call) => {
  const { widened, accepts } = splitFilter(call, "instance-state-name", Object.keys(CODES));
  return edit(await look(cloud, widened), (root) => {
    const reservations = items(root.reservationSet);
    for (const reservation of reservations) {
      const instances = items(reservation.instancesSet);
      for (const instance of instances) correct(cloud, instance);
      reservation.instancesSet = {
        item: instances.filter((one) => accepts(text(child(one.instanceState).name))),
      };
    }
    root.reservationSet = { item: reservations.filter(({ instancesSet }) => items(instancesSet).length > 0) };
  });
};

const status: Rule = async (cloud, call) => {
  const { widened, accepts } = splitFilter(call, "instance-state-name", Object.keys(CODES));
  return edit(await look(cloud, widened), (root) => {
    const all = items(root.instanceStatusSet);
    for (const one of all) {
      const record = cloud.store.state.instances[text(one.instanceId)];
      if (!record) continue;
      one.instanceState = stateNode(record.state);
      if (record.state === "running") continue;
      one.instanceStatus = { status: "not-applicable" };
      one.systemStatus = { status: "not-applicable" };
    }
    const isShown = (state: string): boolean =>
      accepts(state) && (call.params.IncludeAllInstances === "true" || state === "running");
    root.instanceStatusSet = { item: all.filter((one) => isShown(text(child(one.instanceState).name))) };
  });
};

interface Found {
  readonly id: string;
  readonly record: InstanceRecord;
}

/** Instances that a call names. @throws InvalidInstanceID.NotFound */
function findAll(cloud: Cloud, call: Call): Found[] {
  const ids = listParam(call.params, "InstanceId");
  if (ids.length === 0)
    throw new AwsError("MissingParameter", "The request must contain the parameter instanceIdSet");
  return ids.map((id) => {
    const record = cloud.store.state.instances[id];
    if (!record) throw new AwsError("InvalidInstanceID.NotFound", `The instance ID '${id}' does not exist`);
    return { id, record };
  });
}

/** Answer to a change of state. */
function changes(
  call: Call,
  found: readonly { id: string; from: InstanceState; to: InstanceState }[],
): ReturnType<typeof ec2Answer> {
  const item = found.map(({ id, from, to }) => ({
    instanceId: id,
    currentState: stateNode(to),
    previousState: stateNode(from),
  }));
  return ec2Answer(call, { instancesSet: { item } });
}

/** Begins a change of state that takes time; lifecycle.ts continues it. */
function transition(
  allowed: readonly InstanceState[],
  already: readonly InstanceState[],
  through: InstanceState,
  verb: string,
  check?: (cloud: Cloud, id: string) => Promise<void>,
): Rule {
  return async (cloud, call) => {
    const found = findAll(cloud, call);
    for (const { id, record } of found) {
      await check?.(cloud, id);
      if (![...allowed, ...already].includes(record.state)) {
        throw new AwsError(
          "IncorrectInstanceState",
          `The instance '${id}' is not in a state from which it can be ${verb}.`,
        );
      }
    }
    const from = found.map(({ id, record }) => ({ id, from: record.state, record }));
    for (const { record } of found) if (allowed.includes(record.state)) record.state = through;
    return changes(
      call,
      from.map(({ id, from: before, record }) => ({ id, from: before, to: record.state })),
    );
  };
}

async function refuseProtected(cloud: Cloud, id: string): Promise<void> {
  const answer = await describe(cloud, "DescribeInstanceAttribute", {
    InstanceId: id,
    Attribute: "disableApiTermination",
  });
  if (text(child(answer.disableApiTermination).value) !== "true") return;
  throw new AwsError(
    "OperationNotPermitted",
    `The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
  );
}

/** Starts an instance with a delay; moto starts it at once. */
const start: Rule = async (cloud, call) => {
  const answer = await transition(["stopped"], ["pending", "running"], "pending", "started")(cloud, call);
  for (const id of listParam(call.params, "InstanceId"))
    await alter(cloud, "StartInstances", { "InstanceId.1": id });
  return answer;
};

const reboot: Rule = async (cloud, call) => {
  for (const { id, record } of findAll(cloud, call)) {
    if (record.state !== "running")
      throw new AwsError("IncorrectState", `The instance '${id}' is not in the 'running' state.`);
    await cloud.runtime.powerOff(record.host, true);
    await cloud.runtime.powerOn(record.host);
  }
  return forward(cloud, call);
};

/** Attributes that EC2 changes only while an instance is stopped; moto changes them at any time. */
const ONLY_STOPPED = ["InstanceType.Value", "UserData.Value", "EbsOptimized.Value"];

const modify: Rule = async (cloud, call) => {
  const id = call.params.InstanceId ?? "";
  const record = cloud.store.state.instances[id];
  if (record && record.state !== "stopped" && ONLY_STOPPED.some((name) => call.params[name] !== undefined))
    throw new AwsError("IncorrectInstanceState", `The instance '${id}' is not in the 'stopped' state.`);
  const type = call.params["InstanceType.Value"];
  if (record && type !== undefined) {
    const { imageId: ImageId, availabilityZone } = await readInstance(cloud, id);
    await checkType(cloud, { InstanceType: type, ImageId }, availabilityZone);
  }
  return forward(cloud, call);
};

export const instanceRules: Readonly<Record<string, Rule>> = {
  "ec2:RunInstances": run,
  "ec2:DescribeInstances": list,
  "ec2:DescribeInstanceStatus": status,
  "ec2:StartInstances": start,
  "ec2:StopInstances": transition(["running"], ["stopping", "stopped"], "stopping", "stopped"),
  "ec2:TerminateInstances": transition(
    ["pending", "running", "stopping", "stopped"],
    ["shutting-down", "terminated"],
    "shutting-down",
    "terminated",
    refuseProtected,
  ),
  "ec2:RebootInstances": reboot,
  "ec2:ModifyInstanceAttribute": modify,
};
