import type { Addresses, ServerSpec, ZoneRecord } from "../runtime";
import type { Call } from "./call";
import { describe, type Cloud } from "./cloud";
import { inboundRules } from "./inboundRules";
import { readRecordSets, readZones } from "./records";
import { snapshotOfImage, ubuntuOfImage } from "./snapshots";
import type { Applied, Guest, InstanceRecord } from "./state";
import {
  readGroups,
  readInstance,
  readInstances,
  readInterfaces,
  readType,
  readVolumes,
  rootOf,
  type Group,
  type Instance,
  type Interface,
} from "./view";
import { child, items, text } from "./xml";

/** Frequent changes that concern no host, volume or zone. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "AllocateAddress",
  "CreateImage",
  "CreateSecurityGroup",
  "CreateSnapshot",
  "CreateTags",
  "DeleteKeyPair",
  "DeleteSecurityGroup",
  "DeleteSnapshot",
  "DeleteTags",
  "DeregisterImage",
  "ImportKeyPair",
  "ReleaseAddress",
]);

/**
 * Brings the machine to moto's state, leaving alone what is right already. lifecycle.ts boots, stops and ends
 * instances; here they only get their network.
 */
export async function reconcile(cloud: Cloud, what?: Pick<Call, "service" | "action">): Promise<void> {
  if (what === undefined || what.service === "route53") await reconcileZones(cloud);
  if (what !== undefined && (what.service !== "ec2" || WITHOUT_EFFECT.has(what.action))) return;
  await reconcileInstances(cloud);
  if (what === undefined || what.action === "ModifyVolume") await reconcileDisks(cloud);
  await reconcileVolumes(cloud);
}

async function reconcileInstances(cloud: Cloud): Promise<void> {
  const { state } = cloud.store;
  if (Object.values(state.instances).every((record) => !isLive(record))) return;
  const [instances, interfaces, groups] = await Promise.all([
    readInstances(cloud),
    readInterfaces(cloud),
    readGroups(cloud),
  ]);
  for (const instance of instances) {
    const record = state.instances[instance.id];
    const primary = primaryOf(instance, interfaces);
    if (!record || !isLive(record) || !primary) continue;
    record.guest = await describeGuest(cloud, instance, primary, record);
    const wanted = await wantedFor(cloud, instance, primary, groups, interfaces);
    const { applied, host } = record;
    if (applied === undefined) continue;
    if (!same(applied.addresses, wanted.addresses)) await cloud.runtime.setAddresses(host, wanted.addresses);
    if (!same(applied.rules, wanted.rules)) await cloud.runtime.setFirewall(host, wanted.rules);
    if (applied.cores !== wanted.cores || applied.memoryGb !== wanted.memoryGb)
      await cloud.runtime.resizeServer(host, wanted.cores, wanted.memoryGb);
    record.applied = { ...wanted, diskGb: applied.diskGb };
  }
}

/** Brings root disks, which are part of the hosts, to moto's state. */
async function reconcileDisks(cloud: Cloud): Promise<void> {
  const live = Object.entries(cloud.store.state.instances).filter(([, record]) => isLive(record));
  if (live.length === 0) return;
  const volumes = await readVolumes(cloud);
  for (const [id, record] of live) {
    const { applied, host } = record;
    if (applied === undefined) continue;
    const { sizeGb } = rootOf(await readInstance(cloud, id), volumes);
    if (applied.diskGb !== sizeGb) await cloud.runtime.resizeDisk(host, sizeGb);
    record.applied = { ...applied, diskGb: sizeGb };
  }
}

/** Specification of a new host. */
export async function specOf(cloud: Cloud, id: string): Promise<{ spec: ServerSpec; applied: Applied }> {
  const [interfaces, groups, instance] = await Promise.all([
    readInterfaces(cloud),
    readGroups(cloud),
    readInstance(cloud, id),
  ]);
  const record = cloud.store.state.instances[id];
  const primary = primaryOf(instance, interfaces);
  if (!record || !primary) throw new Error(`instance ${id} has no network interface`);
  const ubuntu = await ubuntuOfImage(cloud, instance.imageId);
  const snapshot = snapshotOfImage(cloud.store.state, instance.imageId)?.id;
  const guest = await describeGuest(cloud, instance, primary, record);
  const wanted = await wantedFor(cloud, instance, primary, groups, interfaces);
  const { addresses, rules, cores, memoryGb } = wanted;
  const diskGb = rootOf(instance, await readVolumes(cloud)).sizeGb;
  const spec: ServerSpec = {
    id: record.host,
    name: guest.hostname,
    ubuntu,
    ...(snapshot === undefined ? {} : { snapshot }),
    cores,
    memoryGb,
    diskGb,
    userData: guest.userData,
    sshPublicKeys: guest.publicKey === undefined ? [] : [guest.publicKey],
    loginUser: "ubuntu",
    metadataHopLimit: instance.metadata.hopLimit,
    addresses,
    rules,
  };
  return { spec, applied: { ...wanted, diskGb } };
}

async function wantedFor(
  cloud: Cloud,
  instance: Instance,
  primary: Interface,
  groups: readonly Group[],
  interfaces: readonly Interface[],
): Promise<Applied> {
  const { cores, memoryGb } = await readType(cloud, instance.instanceType);
  return {
    addresses: addressesOf(primary),
    rules: inboundRules(primary, groups, interfaces),
    cores,
    memoryGb,
  };
}

function addressesOf({ publicIpv4, privateIpv4, ipv6 }: Interface): Addresses {
  return { ipv4: publicIpv4, privateIpv4, ipv6: ipv6[0] };
}

export function primaryOf(instance: Instance, interfaces: readonly Interface[]): Interface | undefined {
  return interfaces.find(
    ({ attachment }) => attachment?.instanceId === instance.id && attachment.deviceIndex === 0,
  );
}

async function describeGuest(
  cloud: Cloud,
  instance: Instance,
  primary: Interface,
  { guest: before, state }: InstanceRecord,
): Promise<Guest> {
  // A key is that of the first boot, and user data changes only while an instance is stopped.
  const publicKey =
    before || instance.keyName === "" ? before?.publicKey : await readPublicKey(cloud, instance.keyName);
  const userData = before && state !== "stopped" ? before.userData : await readUserData(cloud, instance.id);
  return {
    instanceId: instance.id,
    imageId: instance.imageId,
    instanceType: instance.instanceType,
    availabilityZone: instance.availabilityZone,
    region: cloud.region,
    hostname: instance.privateDnsName,
    mac: primary.mac,
    interfaceId: primary.id,
    subnetId: primary.subnetId,
    vpcId: primary.vpcId,
    groups: primary.groups,
    addresses: addressesOf(primary),
    ...(publicKey === undefined ? {} : { keyName: instance.keyName, publicKey }),
    userData,
    endpoint: instance.metadata.endpoint !== "disabled",
    tokensRequired: instance.metadata.tokens === "required",
  };
}

async function readUserData(cloud: Cloud, InstanceId: string): Promise<string> {
  const answer = await describe(cloud, "DescribeInstanceAttribute", { InstanceId, Attribute: "userData" });
  return Buffer.from(text(child(answer.userData).value), "base64").toString("utf8");
}

async function readPublicKey(cloud: Cloud, name: string): Promise<string | undefined> {
  const answer = await describe(cloud, "DescribeKeyPairs", { IncludePublicKey: "true" });
  const pair = items(answer.keySet).find(({ keyName }) => text(keyName) === name);
  return pair && text(pair.publicKey).trim();
}

/** Link under which Ubuntu shows an EBS volume, independent of its NVMe device. */
function devicePath(volumeId: string): string {
  return `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${volumeId.replace("-", "")}`;
}

async function reconcileVolumes(cloud: Cloud): Promise<void> {
  const { state } = cloud.store;
  if (Object.keys(state.volumes).length === 0) return;
  const volumes = await readVolumes(cloud);
  for (const [id, record] of Object.entries(state.volumes)) {
    const volume = volumes.find((other) => other.id === id);
    if (!volume) {
      await cloud.runtime.deleteVolume(id);
      Reflect.deleteProperty(state.volumes, id);
      continue;
    }
    const { sizeGb } = volume;
    if (record.applied === undefined) await cloud.runtime.createVolume(id, sizeGb);
    else if (record.applied.sizeGb !== sizeGb) await cloud.runtime.resizeVolume(id, sizeGb);
    record.applied = { ...record.applied, sizeGb };
    const instance = volume.attachment && state.instances[volume.attachment.instanceId];
    if (!instance || record.applied.host === instance.host || record.detaching) continue;
    await cloud.runtime.attachVolume(id, instance.host, devicePath(id));
    record.applied = { sizeGb, host: instance.host, devicePath: devicePath(id) };
  }
}

async function reconcileZones(cloud: Cloud): Promise<void> {
  const { state } = cloud.store;
  const zones = await readZones(cloud);
  for (const { id, name } of zones) {
    const records: ZoneRecord[] = (await readRecordSets(cloud, id))
      .filter((set) => set.type !== "SOA" && !(set.type === "NS" && set.name === name))
      .flatMap((set) =>
        set.values.map((value) => ({ name: relative(set.name, name), type: set.type, ttl: set.ttl, value })),
      );
    const text = JSON.stringify(records);
    if (state.zones[name] === text) continue;
    await cloud.runtime.setZone(plain(name), records);
    state.zones[name] = text;
  }
  for (const name of Object.keys(state.zones)) {
    if (zones.some((zone) => zone.name === name)) continue;
    await cloud.runtime.deleteZone(plain(name));
    Reflect.deleteProperty(state.zones, name);
  }
}

/** Name in the zone, in the form of zone files. */
function relative(name: string, zone: string): string {
  return name === zone ? "@" : name.slice(0, -zone.length - 1);
}

const plain = (zone: string): string => zone.replace(/\.$/, "");

const isLive = ({ state }: InstanceRecord): boolean => !["shutting-down", "terminated"].includes(state);

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);
