/** Images, instance types and the zones that offer them. */
import type { EbsBlockDevice, Image, InstanceTypeInfo } from "@aws-sdk/client-ec2";

import type { Context } from "../../../driver";
import type { Values } from "../../../wire";
import { session } from "../client";
import { tagMap } from "../tags";
import { flag, text, texts } from "../values";
import { filtersOf, lookup } from "./lookup";

async function imageOutputs(image: Image, args: Values, context: Context): Promise<Values> {
  const at = await session(context);
  const { ImageId: id = "" } = image;
  const mappings = image.BlockDeviceMappings ?? [];
  const root = mappings.find(({ DeviceName }) => DeviceName === image.RootDeviceName);
  return {
    ...args,
    id,
    arn: `arn:aws:ec2:${at.region}::image/${id}`,
    region: at.region,
    imageId: id,
    architecture: image.Architecture ?? "",
    blockDeviceMappings: mappings.map(({ DeviceName = "", Ebs }) => ({
      deviceName: DeviceName,
      ebs: Ebs ? ebsOutputs(Ebs) : {},
      noDevice: "",
      virtualName: "",
    })),
    bootMode: image.BootMode ?? "",
    creationDate: image.CreationDate ?? "",
    deprecationTime: image.DeprecationTime ?? "",
    description: image.Description ?? "",
    enaSupport: image.EnaSupport ?? false,
    hypervisor: image.Hypervisor ?? "",
    imageLocation: image.ImageLocation ?? "",
    imageOwnerAlias: image.ImageOwnerAlias ?? "",
    imageType: image.ImageType ?? "",
    imdsSupport: image.ImdsSupport ?? "",
    name: image.Name ?? "",
    ownerId: image.OwnerId ?? "",
    platform: image.Platform ?? "",
    platformDetails: image.PlatformDetails ?? "",
    public: image.Public ?? false,
    rootDeviceName: image.RootDeviceName ?? "",
    rootDeviceType: image.RootDeviceType ?? "",
    rootSnapshotId: root?.Ebs?.SnapshotId ?? "",
    state: image.State ?? "",
    tags: tagMap(image.Tags),
    virtualizationType: image.VirtualizationType ?? "",
  };
}

/** Properties of an image's volume in the provider's form: a map of texts with names of its own. */
function ebsOutputs(ebs: EbsBlockDevice): Record<string, string> {
  return {
    delete_on_termination: String(ebs.DeleteOnTermination ?? false),
    encrypted: String(ebs.Encrypted ?? false),
    iops: String(ebs.Iops ?? 0),
    snapshot_id: ebs.SnapshotId ?? "",
    throughput: String(ebs.Throughput ?? 0),
    volume_size: String(ebs.VolumeSize ?? 0),
    volume_type: ebs.VolumeType ?? "",
  };
}

function typeOutputs(type: InstanceTypeInfo, region: string): Values {
  const { VCpuInfo: cpu, EbsInfo: ebs, NetworkInfo: network } = type;
  return {
    id: type.InstanceType ?? "",
    instanceType: type.InstanceType ?? "",
    region,
    autoRecoverySupported: type.AutoRecoverySupported ?? false,
    bareMetal: type.BareMetal ?? false,
    bootModes: type.SupportedBootModes ?? [],
    burstablePerformanceSupported: type.BurstablePerformanceSupported ?? false,
    currentGeneration: type.CurrentGeneration ?? false,
    defaultCores: cpu?.DefaultCores ?? 0,
    defaultThreadsPerCore: cpu?.DefaultThreadsPerCore ?? 0,
    defaultVcpus: cpu?.DefaultVCpus ?? 0,
    ebsEncryptionSupport: ebs?.EncryptionSupport ?? "",
    ebsNvmeSupport: ebs?.NvmeSupport ?? "",
    ebsOptimizedSupport: ebs?.EbsOptimizedSupport ?? "",
    enaSupport: network?.EnaSupport ?? "",
    freeTierEligible: type.FreeTierEligible ?? false,
    hibernationSupported: type.HibernationSupported ?? false,
    hypervisor: type.Hypervisor ?? "",
    instanceStorageSupported: type.InstanceStorageSupported ?? false,
    ipv6Supported: network?.Ipv6Supported ?? false,
    maximumIpv4AddressesPerInterface: network?.Ipv4AddressesPerInterface ?? 0,
    maximumIpv6AddressesPerInterface: network?.Ipv6AddressesPerInterface ?? 0,
    maximumNetworkInterfaces: network?.MaximumNetworkInterfaces ?? 0,
    memorySize: type.MemoryInfo?.SizeInMiB ?? 0,
    networkPerformance: network?.NetworkPerformance ?? "",
    supportedArchitectures: type.ProcessorInfo?.SupportedArchitectures ?? [],
    supportedRootDeviceTypes: type.SupportedRootDeviceTypes ?? [],
    supportedUsagesClasses: type.SupportedUsageClasses ?? [],
    supportedVirtualizationTypes: type.SupportedVirtualizationTypes ?? [],
    sustainedClockSpeed: type.ProcessorInfo?.SustainedClockSpeedInGhz ?? 0,
    validCores: cpu?.ValidCores ?? [],
    validThreadsPerCores: cpu?.ValidThreadsPerCore ?? [],
  };
}

/** Returns the newest matching image. Without `mostRecent`, only one may match. */
async function getAmi(args: Values, context: Context): Promise<Values> {
  const { ec2 } = await session(context);
  const { Images = [] } = await ec2.describeImages({
    Owners: texts(args.owners),
    ExecutableUsers: texts(args.executableUsers),
    IncludeDeprecated: flag(args.includeDeprecated),
    Filters: filtersOf(args),
  });
  const newest = [...Images].sort(
    (a, b) => Date.parse(b.CreationDate ?? "") - Date.parse(a.CreationDate ?? ""),
  );
  const [found] = newest;
  if (found === undefined)
    throw new Error("Your query returned no results. Please change your search criteria and try again.");
  if (newest.length > 1 && args.mostRecent !== true) {
    throw new Error(
      "Your query returned more than one result. Please try a more specific search criteria, " +
        "or set `most_recent` attribute to true.",
    );
  }
  return imageOutputs(found, args, context);
}

export const machineLookups = {
  ...lookup(
    "aws:ec2/getAmi:getAmi",
    ["owners", "mostRecent", "filters", "tags", "includeDeprecated", "executableUsers"],
    getAmi,
  ),
  ...lookup("aws:ec2/getInstances:getInstances", ["filters", "instanceStateNames"], async (args, context) => {
    const { ec2, region } = await session(context);
    const Filters = [
      ...(filtersOf(args) ?? []),
      { Name: "instance-state-name", Values: texts(args.instanceStateNames) ?? ["running"] },
    ];
    const { Reservations = [] } = await ec2.describeInstances({ Filters });
    const ids = Reservations.flatMap(({ Instances = [] }) => Instances).map(
      ({ InstanceId = "" }) => InstanceId,
    );
    return { ...args, id: region, region, ids };
  }),
  ...lookup("aws:ec2/getInstanceType:getInstanceType", ["instanceType"], async (args, context) => {
    const { ec2, region } = await session(context);
    const name = text(args.instanceType);
    const { InstanceTypes = [] } = await ec2.describeInstanceTypes({
      InstanceTypes: [name] as InstanceTypeInfo["InstanceType"][] as never,
    });
    const [found] = InstanceTypes;
    if (found === undefined) throw new Error(`reading EC2 Instance Type (${name}): couldn't find resource`);
    return typeOutputs(found, region);
  }),
  ...lookup(
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings",
    ["locationType", "filters"],
    async (args, context) => {
      const { ec2, region } = await session(context);
      const offerings = [];
      let NextToken: string | undefined;
      do {
        const page = await ec2.describeInstanceTypeOfferings({
          LocationType: text(args.locationType) as "region",
          Filters: filtersOf(args),
          NextToken,
        });
        offerings.push(...(page.InstanceTypeOfferings ?? []));
        NextToken = page.NextToken;
      } while (NextToken !== undefined && NextToken !== "");
      return {
        ...args,
        id: region,
        region,
        instanceTypes: offerings.map(({ InstanceType = "" }) => InstanceType),
        locationTypes: offerings.map(({ LocationType = "" }) => LocationType),
        locations: offerings.map(({ Location = "" }) => Location),
      };
    },
  ),
};
