/** Assumed answers to the program's questions to a cloud. */

type Inputs = Readonly<Record<string, unknown>>;

/** Assumed answer of a cloud, and the assumption in words. */
export interface Assumption {
  readonly answer: object;
  /** Assumption in words; empty when another answer's covers it. */
  readonly says: string;
}

const VPC = "vpc-assumed";
const SUBNET = "subnet-assumed";
const ROUTES = "rtb-assumed";

/**
 * Returns the answer that lets the program go on. A subnet is assumed to have no IPv6, like AWS's in a default VPC.
 *
 * @param region Region of the hosts at AWS.
 * @throws Error for an unknown question
 */
export function assume(token: string, inputs: Inputs, region: string): Assumption {
  const zone = `${region}a`;
  switch (token) {
    // A plan knows nothing of what was made before.
    case "pulumi:pulumi:readStackOutputs":
    case "pulumi:pulumi:readStackResourceOutputs":
      return { answer: { outputs: {} }, says: "" };
    case "hcloud:index/getZone:getZone":
      return {
        answer: { id: 1, name: inputs.name, ttl: 3600, mode: "primary" },
        says: `the zone ${text(inputs.name)} is in the Hetzner project that the token opens, and no record of another owner has the servers' names`,
      };
    case "hcloud:index/getZoneRrsets:getZoneRrsets":
      return { answer: { rrsets: [] }, says: "" };
    case "hcloud:index/getLocation:getLocation":
      return {
        answer: { id: 1, name: inputs.name },
        says: `Hetzner Cloud has the location ${text(inputs.name)}`,
      };
    case "hcloud:index/getServerType:getServerType":
      return {
        answer: { name: inputs.name, locations: [] },
        says: `Hetzner Cloud has ${text(inputs.name)} there, and has not sold it out`,
      };
    case "hcloud:index/getStorageBoxType:getStorageBoxType":
      return {
        answer: { name: inputs.name },
        says: `Hetzner has Storage Boxes of type ${text(inputs.name)} in the location that the settings ask for`,
      };
    case "hcloud:index/getImages:getImages":
      return {
        answer: { images: [{ id: 1, labels: {} }] },
        says: "Hetzner Cloud has the baked images that the settings ask for (./scripts/image list), and the server types' disks are large enough for them",
      };
    case "aws:route53/getZone:getZone":
      return {
        answer: { zoneId: "ZASSUMED", name: inputs.name },
        says: `the public hosted zone ${text(inputs.name)} is in the AWS account, and no record of another owner has the servers' names`,
      };
    case "aws:route53/getRecords:getRecords":
      return { answer: { resourceRecordSets: [] }, says: "" };
    case "aws:ec2/getVpc:getVpc":
      return inputs.default
        ? {
            answer: { id: VPC },
            says: `${region} has a default VPC with a public subnet, without IPv6 as AWS makes it`,
          }
        : {
            answer: { id: inputs.id },
            says: `${text(inputs.id)} is in ${region} and has a public subnet, without IPv6`,
          };
    case "aws:ec2/getSubnets:getSubnets":
      return { answer: { ids: [SUBNET] }, says: "" };
    case "aws:ec2/getSubnet:getSubnet":
      return {
        answer: { id: inputs.id, vpcId: VPC, availabilityZone: zone, ipv6CidrBlock: "" },
        says: inputs.id === SUBNET ? "" : `${text(inputs.id)} is a public subnet in ${region}, without IPv6`,
      };
    case "aws:ec2/getNetworkInterfaces:getNetworkInterfaces":
      return { answer: { ids: [] }, says: "" };
    case "aws:ec2/getRouteTables:getRouteTables":
      return { answer: { ids: [ROUTES] }, says: "" };
    case "aws:ec2/getRouteTable:getRouteTable":
      return {
        answer: {
          associations: [{ main: true, subnetId: "" }],
          routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: "igw-assumed" }],
        },
        says: "",
      };
    case "aws:ec2/getInstanceType:getInstanceType":
      return {
        answer: {
          supportedArchitectures: ["x86_64"],
          burstablePerformanceSupported: false,
          hypervisor: "nitro",
        },
        says: `${region} offers ${text(inputs.instanceType)} in the availability zone of that subnet`,
      };
    case "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings":
      return { answer: { locations: [zone] }, says: "" };
    case "aws:ec2/getAmi:getAmi":
      return {
        answer: { id: "ami-assumed", architecture: "x86_64" },
        says: filterOf(inputs, "tag:image")
          ? `${region} has the baked images that the settings ask for (./scripts/image list)`
          : `${region} has the image ${text(filterOf(inputs, "name") ?? filterOf(inputs, "image-id"))}`,
      };
    case "aws:ebs/getVolume:getVolume":
      return {
        answer: { availabilityZone: zone },
        says: `the volume ${text(filterOf(inputs, "volume-id"))} is in the subnet's availability zone`,
      };
    default:
      throw new Error(`the program asks ${token}, of which a plan does not know what to assume`);
  }
}

function filterOf({ filters }: Inputs, name: string): unknown {
  const all = (filters ?? []) as readonly { readonly name: string; readonly values: readonly string[] }[];
  return all.find((filter) => filter.name === name)?.values[0];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "?";
}
