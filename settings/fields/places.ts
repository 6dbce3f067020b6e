import { defaultLocations, defaultServerTypes, type CloudName } from "../../bigbluebutton/capacity";
import { removeCommand, setCommand } from "../remedies";
import { choice, map, textThat, type Fields } from "./field";

const cloud = choice(["hetzner", "aws"]);

const location = textThat((value) =>
  /^[a-z]+[a-z0-9-]*$/.test(value) ? undefined : `"${value}" is not the name of a location`,
);

const serverType = textThat((value) =>
  /^[a-z][a-z0-9-]*(\.[a-z0-9-]+)?$/i.test(value) ? undefined : `"${value}" is not the name of a server type`,
);

const imageName = textThat((value) =>
  /^[\w./*?-]+$/.test(value) ? undefined : `"${value}" is not an image's name or id`,
);

function awsId(prefix: string, what: string) {
  return textThat((value) =>
    new RegExp(`^${prefix}-[0-9a-f]{8,17}$`).test(value)
      ? undefined
      : `"${value}" is not the id of ${what}, ${prefix}-…`,
  );
}

/** Default server types of a role, by cloud, e.g. "ccx33 in prod, ccx23 otherwise". */
function defaultTypes(role: "bbb" | "turn"): string {
  const of = (name: CloudName) => {
    const { prod, test } = defaultServerTypes[name];
    return prod[role] === test[role] ? prod[role] : `${prod[role]} in prod, ${test[role]} otherwise`;
  };
  return `${of("hetzner")}; on AWS ${of("aws")}`;
}

export const places = {
  cloud: {
    type: "string",
    default: "hetzner",
    example: "hetzner",
    description: "Cloud of the deployment: hetzner (Hetzner Cloud) or aws (EC2).",
    schema: cloud,
  },
  location: {
    type: "string",
    example: defaultLocations.hetzner,
    description: `Location of both servers at the cloud, e.g. nbg1; on AWS a region, e.g. eu-west-1. Not set: ${defaultLocations.hetzner} (Falkenstein), on AWS ${defaultLocations.aws} (Frankfurt).`,
    schema: location,
  },
  serverType: {
    type: "string",
    example: defaultServerTypes.hetzner.prod.bbb,
    description: `Server type of the BigBlueButton server, x86. Not set: ${defaultTypes("bbb")}.`,
    schema: serverType,
  },
  turnCloud: {
    type: "string",
    example: "hetzner",
    description: "Cloud of the TURN server, hetzner or aws. Not set: the BigBlueButton server's.",
    schema: cloud,
  },
  turnLocation: {
    type: "string",
    example: defaultLocations.hetzner,
    description:
      "Location of the TURN server; both servers' region if both are at AWS. Not set: the BigBlueButton server's, or the default of turnCloud.",
    schema: location,
  },
  turnServerType: {
    type: "string",
    example: defaultServerTypes.hetzner.test.turn,
    description: `Server type of the TURN server, x86. Not set: ${defaultTypes("turn")}.`,
    schema: serverType,
  },
  image: {
    type: "string",
    description:
      "Image of the BigBlueButton server: name or id; on AWS ami-… or a name pattern of Canonical's; or baked, the newest that scripts/image has made of this release, or baked-or-stock, the release's own Ubuntu where there is none. Not set: the release's own Ubuntu. A running server keeps its own.",
    schema: imageName,
    remedy: `${setCommand("image", "NAME-OR-ID")}, or ${removeCommand("image")} for the release's own`,
  },
  turnImage: {
    type: "string",
    description:
      "Image of the TURN server, with Ubuntu 24.04: as for the setting image. Not set: the cloud's own Ubuntu 24.04. A running server keeps its own.",
    schema: imageName,
    remedy: `${setCommand("turnImage", "NAME-OR-ID")}, or ${removeCommand("turnImage")} for the cloud's own`,
  },
  vpcId: {
    type: "string",
    description:
      "AWS only: id of the VPC of the servers. Not set: the region's default VPC. Servers that exist stay where they are.",
    schema: awsId("vpc", "a VPC"),
    remedy: `${setCommand("vpcId", "vpc-…")}, or ${removeCommand("vpcId")} for the region's default VPC`,
  },
  subnetId: {
    type: "string",
    description:
      "AWS only: id of the subnet of the servers, which must be public. Not set: one of the VPC's public subnets. Servers that exist stay where they are.",
    schema: awsId("subnet", "a subnet"),
    remedy: `${setCommand("subnetId", "subnet-…")}, or ${removeCommand("subnetId")} for a public one of the VPC`,
  },
  tags: {
    type: "object",
    default: {},
    description:
      "Labels at Hetzner Cloud and tags at AWS, as a map, for all resources that can have any, e.g. for a bill by cost centre. The deployment's own (project, stack, role, deployment, expires, Name, snapshots) can't be set.",
    schema: map("tags", "texts", "VALUE"),
    remedy: `${setCommand("--path 'tags.KEY'", "VALUE")}, for each of them`,
  },
} as const satisfies Fields;
