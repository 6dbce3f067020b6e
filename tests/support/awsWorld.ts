import { createHash } from "node:crypto";

import { releases } from "../../bigbluebutton/releases";

type Inputs = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any

/** Objects of an account in a region that the program asks for. */
export interface AwsWorld {
  readonly vpcs: readonly { readonly id: string; readonly default?: boolean }[];
  readonly subnets: readonly AwsSubnet[];
  readonly routeTables: readonly AwsRouteTable[];
  readonly types: Readonly<Record<string, AwsType>>;
  readonly images: readonly AwsImage[];
  readonly volumes: readonly AwsVolume[];
  readonly zones: readonly { readonly name: string; readonly zoneId: string }[];
  readonly interfaces: readonly AwsInterface[];
  readonly eips: readonly (Owned & { readonly publicIp: string })[];
  /** Records of the zone Z0EXAMPLE, in the provider's form. */
  readonly records: readonly { readonly name: string; readonly type: string; readonly values: string[] }[];
}

interface Owned {
  readonly project: string;
  readonly stack: string;
}

interface AwsVolume {
  readonly id: string;
  readonly availabilityZone: string;
  readonly tags?: Readonly<Record<string, string>>;
}

interface AwsInterface extends Owned {
  readonly id: string;
  readonly subnetId: string;
  readonly ipv6Addresses?: readonly string[];
}

interface AwsSubnet {
  readonly id: string;
  readonly vpcId: string;
  readonly availabilityZone: string;
  readonly ipv6CidrBlock?: string;
  readonly ipv6Native?: boolean;
}

interface AwsRouteTable {
  readonly id: string;
  readonly vpcId: string;
  /** Subnets that are associated with it; the VPC's main table otherwise. */
  readonly subnetIds?: readonly string[];
  readonly routes: readonly { cidrBlock?: string; ipv6CidrBlock?: string; gatewayId?: string }[];
}

interface AwsType {
  readonly zones: readonly string[];
  readonly architectures?: readonly string[];
  readonly burstable?: boolean;
  readonly hypervisor?: string;
}

interface AwsImage {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly architecture?: string;
  /** Of an image that is the account's own. */
  readonly tags?: Readonly<Record<string, string>>;
}

const CANONICAL = "099720109477";
const ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
const local = { cidrBlock: "172.31.0.0/16", gatewayId: "local" };
const outByIpv4 = { cidrBlock: "0.0.0.0/0", gatewayId: "igw-1" };
const outByIpv6 = { ipv6CidrBlock: "::/0", gatewayId: "igw-1" };

/** An account with a default VPC of three public subnets, of which the first two have IPv6, and one private one. */
export const world: AwsWorld = {
  vpcs: [{ id: "vpc-default1", default: true }, { id: "vpc-other001" }],
  subnets: [
    // Not in the order of the zones, which AWS does not keep either.
    {
      id: "subnet-b",
      vpcId: "vpc-default1",
      availabilityZone: "eu-central-1b",
      ipv6CidrBlock: "2001:db8:b::/64",
    },
    { id: "subnet-c", vpcId: "vpc-default1", availabilityZone: "eu-central-1c" },
    {
      id: "subnet-a",
      vpcId: "vpc-default1",
      availabilityZone: "eu-central-1a",
      ipv6CidrBlock: "2001:db8:a::/64",
    },
    { id: "subnet-private", vpcId: "vpc-default1", availabilityZone: "eu-central-1a" },
    { id: "subnet-other", vpcId: "vpc-other001", availabilityZone: "eu-central-1a" },
  ],
  routeTables: [
    {
      id: "rtb-private",
      vpcId: "vpc-default1",
      subnetIds: ["subnet-private"],
      routes: [local, { cidrBlock: "0.0.0.0/0", gatewayId: "" }],
    },
    { id: "rtb-main", vpcId: "vpc-default1", routes: [local, outByIpv4, outByIpv6] },
    { id: "rtb-other", vpcId: "vpc-other001", routes: [local] },
  ],
  types: {
    "c7a.xlarge": { zones: ZONES },
    "c7a.2xlarge": { zones: ZONES },
    "c7a.large": { zones: ZONES },
    "only-b.large": { zones: ["eu-central-1b"] },
    "only-c.large": { zones: ["eu-central-1c"] },
    "nowhere.large": { zones: [] },
    "arm.large": { zones: ZONES, architectures: ["arm64"] },
    "burst.large": { zones: ZONES, burstable: true },
    "old.large": { zones: ZONES, hypervisor: "xen" },
  },
  images: [
    ...["20260901", "20261101"].flatMap((serial) => [
      { id: `ami-jammy${serial}`, name: nameOf(releases["jammy-30"].images.aws, serial), owner: CANONICAL },
      { id: `ami-noble${serial}`, name: nameOf(releases["noble-40"].images.aws, serial), owner: CANONICAL },
    ]),
    { id: "ami-0123456789abcdef0", name: "our own", owner: "123456789012" },
    { id: "ami-0123456789abcdef1", name: "our own for ARM", owner: "123456789012", architecture: "arm64" },
  ],
  volumes: [{ id: "vol-0123456789abcdef0", availabilityZone: "eu-central-1b" }],
  zones: [{ name: "example.org", zoneId: "Z0EXAMPLE" }],
  interfaces: [],
  eips: [],
  records: [],
};

function nameOf(pattern: string, serial: string): string {
  return pattern.replace("*", serial);
}

/** Answer of the provider to a look-up, or an error in its words. */
export function awsAnswer(world: AwsWorld, token: string, inputs: Inputs): object {
  const filter = (name: string): string | undefined =>
    inputs.filters?.find((one: { name: string }) => one.name === name)?.values[0];
  const isOurs = ({ project, stack }: Owned) =>
    project === filter("tag:project") && stack === filter("tag:stack");
  const found = <T extends object>(value: T | undefined, otherwise: string): T => {
    if (value) return value;
    throw Object.assign(new Error(otherwise), { details: otherwise });
  };
  switch (token) {
    case "aws:ec2/getVpc:getVpc":
      return found(
        world.vpcs.find((vpc) => (inputs.default ? vpc.default : vpc.id === inputs.id)),
        "reading EC2 VPC: no matching EC2 VPC found",
      );
    case "aws:ec2/getSubnets:getSubnets":
      return { ids: world.subnets.filter(({ vpcId }) => vpcId === filter("vpc-id")).map(({ id }) => id) };
    case "aws:ec2/getSubnet:getSubnet":
      return found(
        world.subnets.find(({ id }) => id === inputs.id),
        "reading EC2 Subnet: no matching EC2 Subnet found",
      );
    case "aws:ec2/getNetworkInterfaces:getNetworkInterfaces":
      return { ids: world.interfaces.filter(isOurs).map(({ id }) => id) };
    case "aws:ec2/getNetworkInterface:getNetworkInterface":
      return { ipv6Addresses: [], ...world.interfaces.find(({ id }) => id === inputs.id)! };
    case "aws:ec2/getEips:getEips":
      return { publicIps: world.eips.filter(isOurs).map(({ publicIp }) => publicIp) };
    case "aws:route53/getRecords:getRecords":
      return {
        resourceRecordSets: world.records
          .filter(({ name }) => inputs.zoneId === "Z0EXAMPLE" && new RegExp(inputs.nameRegex).test(name))
          .map(({ values, ...set }) => ({ ...set, resourceRecords: values.map((value) => ({ value })) })),
      };
    case "aws:ec2/getRouteTables:getRouteTables":
      return { ids: world.routeTables.filter(({ vpcId }) => vpcId === inputs.vpcId).map(({ id }) => id) };
    case "aws:ec2/getRouteTable:getRouteTable": {
      const table = world.routeTables.find(({ id }) => id === inputs.routeTableId)!;
      const main = [{ main: true, subnetId: "" }];
      return {
        ...table,
        associations: table.subnetIds?.map((subnetId) => ({ main: false, subnetId })) ?? main,
      };
    }
    case "aws:ec2/getInstanceType:getInstanceType": {
      const {
        architectures = ["x86_64"],
        burstable = false,
        hypervisor = "nitro",
      } = found(
        world.types[inputs.instanceType],
        `reading EC2 Instance Type (${inputs.instanceType}): api error InvalidInstanceType: they do not exist`,
      );
      return {
        supportedArchitectures: architectures,
        burstablePerformanceSupported: burstable,
        hypervisor,
      };
    }
    case "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings":
      return { locations: world.types[filter("instance-type")!]?.zones ?? [] };
    case "aws:ec2/getAmi:getAmi":
      return findAmi(world, inputs, filter, found);
    case "aws:ebs/getVolume:getVolume":
      return found(
        world.volumes.find(({ id }) => id === filter("volume-id")),
        "Your query returned no results. Please change your search criteria and try again",
      );
    case "aws:route53/getZone:getZone":
      return found(
        inputs.privateZone ? undefined : world.zones.find(({ name }) => name === inputs.name),
        "reading Route 53 Hosted Zone: no matching Route 53 Hosted Zone found",
      );
    default:
      throw new Error(`unexpected call of ${token}`);
  }
}

function findAmi(
  { images }: AwsWorld,
  inputs: Inputs,
  filter: (name: string) => string | undefined,
  found: <T extends object>(value: T | undefined, otherwise: string) => T,
): object {
  const matching = images
    .map((image) => ({ architecture: "x86_64", ...image }))
    .filter(({ id }) => [undefined, id].includes(filter("image-id")))
    .filter(({ owner }) => !inputs.owners || inputs.owners.includes(owner))
    .filter(({ tags = {} }) =>
      ((inputs.filters ?? []) as { name: string; values: string[] }[])
        .filter(({ name }) => name.startsWith("tag:"))
        .every(({ name, values }) => values.includes(tags[name.slice("tag:".length)] ?? "")),
    )
    .filter(({ architecture }) => [undefined, architecture].includes(filter("architecture")))
    .filter(({ name }) => name.startsWith((filter("name") ?? "").replace(/\*$/, "")));
  if (matching.length > 1 && !inputs.mostRecent) throw new Error("more than one image");
  return found(
    matching.at(-1),
    "Your query returned no results. Please change your search criteria and try again.",
  );
}

const prefixes: Readonly<Record<string, string>> = {
  "aws:ec2/eip:Eip": "eipalloc",
  "aws:ec2/eipAssociation:EipAssociation": "eipassoc",
  "aws:ec2/instance:Instance": "i",
  "aws:ec2/networkInterface:NetworkInterface": "eni",
  "aws:ec2/securityGroup:SecurityGroup": "sg",
  "aws:ebs/volume:Volume": "vol",
};

/** Id that the mocked AWS gives to a resource. */
export function awsIdOf(type: string, name: string): string {
  return `${prefixes[type] ?? "x"}-0${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;
}

/** Outputs of AWS for a resource, beside its inputs. */
export function awsComputed(type: string, name: string, inputs: Inputs): Record<string, unknown> | undefined {
  const host = name.startsWith("bbb") ? 1 : 2;
  switch (type) {
    case "aws:ec2/eip:Eip":
      return { publicIp: `203.0.113.${10 + host}`, allocationId: awsIdOf(type, name) };
    case "aws:ec2/networkInterface:NetworkInterface":
      return {
        privateIp: `172.31.0.${host}`,
        ipv6Addresses: inputs.ipv6AddressCount ? [`2001:db8:a::${host}`] : [],
      };
    case "aws:iam/role:Role":
      return { name: `${name}-1234567`, arn: `arn:aws:iam::123456789012:role/${name}-1234567` };
    default:
      return undefined;
  }
}
