/** Placement of hosts at AWS and its obstacles, by the look-ups alone: before them nothing is made. */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";

import { findAwsPlacement } from "../../../clouds/aws/placement";
import { lookUpClouds } from "../../../clouds";
import { hostArgs, hostRoles } from "../../../clouds/hostArgs";
import { SettingsError } from "../../../settings/problems";
import { awsAnswer, world, type AwsWorld } from "../../support/awsWorld";
import { atAws, settings, type Variation } from "../../support/program";

const at = (more: Variation["settings"] = {}, aws: Partial<AwsWorld> = {}): Variation => ({
  settings: { ...atAws, dns: "route53", ...more },
  aws,
});
const types = (bbb: string, turn = "c7a.large") => ({
  bbb: { ...atAws.bbb, serverType: bbb },
  turn: { ...atAws.turn, serverType: turn },
});

const serversIn = (...subnets: string[]) => ({
  interfaces: [
    ...subnets.map((subnetId, i) => ({
      id: `eni-${i}`,
      subnetId,
      project: "bigbluebutton",
      stack: "staging",
    })),
    { id: "eni-other", subnetId: "subnet-c", project: "bigbluebutton", stack: "prod" },
  ],
});

let account: AwsWorld;
let made: string[];
beforeAll(() =>
  pulumi.runtime.setMocks({
    newResource({ type, inputs }) {
      made.push(type);
      return { id: "id", state: inputs as object };
    },
    call: ({ token, inputs }) => awsAnswer(account, token, inputs as object),
  }),
);

const refused = async (variation: Variation): Promise<[string, string, string][]> => {
  account = { ...world, ...variation.aws };
  made = [];
  try {
    const all = { ...settings, ...variation.settings };
    const hosts = hostRoles(all).map((role) => hostArgs(all, role));
    await lookUpClouds(all, hosts, { scripts: () => "" });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    expect(error.message).toMatch(
      /^\d problems? in the settings of the stack "staging"; nothing was changed\./,
    );
    return error.problems.map(({ key, reason, remedy }) => [key, reason, remedy]);
  }
  return [];
};

const subnetFor = async (variation: Variation): Promise<string> => {
  account = { ...world, ...variation.aws };
  made = [];
  const wanted = { ...settings, ...variation.settings };
  const hosts = [hostArgs(wanted, "bbb"), hostArgs(wanted, "turn")];
  const request = {
    ...{ region: "eu-central-1", ...wanted.network, hosts, fullTimeCores: false },
    scripts: () => "",
  };
  const { subnet } = await findAwsPlacement(request, new aws.Provider("aws", { region: "eu-central-1" }));
  return subnet.id;
};

describe("a baked image", () => {
  const tags = { project: "bigbluebutton", image: "bbb", release: "jammy-30", built: "1" };
  const own = [
    { id: "ami-before", name: "a", owner: "self", tags },
    { id: "ami-newest", name: "b", owner: "self", tags },
    { id: "ami-other", name: "c", owner: "self", tags: { ...tags, release: "noble-40" } },
  ];
  const asking = (baked: "required" | "preferred") => ({
    bbb: { ...atAws.bbb, baked },
    turn: atAws.turn,
  });
  const imageOf = async (variation: Variation): Promise<string | undefined> => {
    account = { ...world, ...variation.aws };
    made = [];
    const wanted = { ...settings, ...variation.settings };
    const request = {
      ...{ region: "eu-central-1", hosts: [hostArgs(wanted, "bbb")], fullTimeCores: false },
      scripts: () => "",
    };
    const provider = new aws.Provider("aws", { region: "eu-central-1" });
    return (await findAwsPlacement(request, provider)).images.get("bbb");
  };

  test("is the newest of the account's own that fits", async () => {
    const images = [...world.images, ...own];
    expect(await imageOf(at(asking("required"), { images }))).toBe("ami-newest");
  });

  test("that there is not is refused, or Canonical's stands in for it", async () => {
    expect(await refused(at(asking("required")))).toEqual([
      [
        "image",
        "is baked, and there is no image of jammy-30 for BigBlueButton at aws in eu-central-1",
        expect.stringContaining("./scripts/image bake --release jammy-30 --cloud aws makes one"),
      ],
    ]);
    expect(await imageOf(at(asking("preferred")))).toMatch(/^ami-jammy/);
  });

  test("that there is not is no matter to a server that is there", async () => {
    expect(await imageOf(at(asking("required"), serversIn("subnet-a")))).toMatch(/^ami-jammy/);
  });
});

describe("a place is found", () => {
  test.each<[string, Variation, subnet: string]>([
    ["the first zone by name, not by AWS's order", at(), "subnet-a"],
    ["the zone that offers the type", at(types("only-b.large")), "subnet-b"],
    ["the zone that offers both types", at(types("c7a.xlarge", "only-c.large")), "subnet-c"],
    ["the subnet that is set", at({ network: { subnetId: "subnet-c" } }), "subnet-c"],
    ["the subnet and its VPC", at({ network: { vpcId: "vpc-default1", subnetId: "subnet-b" } }), "subnet-b"],
    ["the VPC that is set", at({ network: { vpcId: "vpc-default1" } }), "subnet-a"],
  ])("%s", async (_name, variation, subnet) => {
    expect(await subnetFor(variation)).toBe(subnet);
  });

  test("a named subnet needs no default VPC", async () => {
    const vpcs = [{ id: "vpc-default1" }];
    expect(await subnetFor(at({ network: { subnetId: "subnet-b" } }, { vpcs }))).toBe("subnet-b");
  });

  test("where servers are already, and only there", async () => {
    expect(await subnetFor(at({}, serversIn("subnet-b", "subnet-b")))).toBe("subnet-b");
    expect(await subnetFor(at({}, serversIn()))).toBe("subnet-a");
  });

  test("not in a local zone, whose name comes first, nor where there is no IPv4", async () => {
    const more = [
      { id: "subnet-local", vpcId: "vpc-default1", availabilityZone: "eu-central-1-ham-1a" },
      { id: "subnet-0", vpcId: "vpc-default1", availabilityZone: "eu-central-1a", ipv6Native: true },
    ];
    expect(await subnetFor(at({}, { subnets: [...more, ...world.subnets] }))).toBe("subnet-a");
  });

  test("where an adopted volume is", async () => {
    const recordings = { kind: "adopted" as const, id: "vol-0123456789abcdef0" };
    expect(await subnetFor(at({ recordings }))).toBe("subnet-b");
  });
});

describe("an adopted volume has daily snapshots by its tag only", () => {
  const warnings = async (tags: Readonly<Record<string, string>>, more: Variation["settings"] = {}) => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
    const recordings = { kind: "adopted" as const, id: "vol-0123456789abcdef0" };
    const volumes = [{ id: "vol-0123456789abcdef0", availabilityZone: "eu-central-1b", tags }];
    await subnetFor(at({ recordings, ...more }, { volumes }));
    const told = warn.mock.calls.map(([message]) => message);
    warn.mockRestore();
    return told;
  };

  test("without it the command that sets it is told", async () => {
    expect(await warnings({ snapshots: "bigbluebutton/prod" })).toEqual([
      expect.stringContaining(
        "--resources vol-0123456789abcdef0 --tags Key=snapshots,Value=bigbluebutton/staging",
      ),
    ]);
  });

  test("with it, or where none are wanted, nothing", async () => {
    expect(await warnings({ snapshots: "bigbluebutton/staging" })).toEqual([]);
    expect(await warnings({}, { snapshotDays: 0 })).toEqual([]);
  });
});

describe("what is in the way is told, with the remedy", () => {
  test.each<[string, Variation, key: string, reason: string, remedy: string]>([
    [
      "no default VPC",
      at({}, { vpcs: [{ id: "vpc-other001" }] }),
      "vpcId",
      "is not set, and the account has no default VPC in eu-central-1",
      "aws ec2 create-default-vpc --region eu-central-1",
    ],
    [
      "an unknown VPC",
      at({ network: { vpcId: "vpc-absent01" } }),
      "vpcId",
      "is vpc-absent01, of which the account has none in eu-central-1",
      "describe-vpcs",
    ],
    [
      "a VPC without public subnets",
      at({ network: { vpcId: "vpc-other001" } }),
      "vpcId",
      "leads to vpc-other001, which has no public subnet",
      "internet gateway",
    ],
    [
      "an unknown subnet",
      at({ network: { subnetId: "subnet-absent" } }),
      "subnetId",
      "is subnet-absent, of which the account has none",
      "describe-subnets",
    ],
    [
      "a private subnet",
      at({ network: { subnetId: "subnet-private" } }),
      "subnetId",
      "is subnet-private, a private subnet",
      "pulumi config rm subnetId",
    ],
    [
      "a subnet of another VPC",
      at({ network: { vpcId: "vpc-other001", subnetId: "subnet-a" } }),
      "subnetId",
      "is subnet-a, which is in vpc-default1, not in vpc-other001",
      "pulumi config rm vpcId",
    ],
    [
      "an unknown type",
      at(types("c99.large")),
      "serverType",
      "is c99.large, which AWS does not offer in eu-central-1",
      "set serverType c7a.2xlarge",
    ],
    [
      "a type of the default's family, which the region lacks",
      at(types("c7a.4xlarge")),
      "serverType",
      "is c7a.4xlarge, which AWS does not offer in eu-central-1",
      "set serverType c6i.4xlarge",
    ],
    [
      "a type that no zone offers",
      at(types("c7a.xlarge", "nowhere.large")),
      "turnServerType",
      "is nowhere.large, which AWS does not offer in eu-central-1",
      "set turnServerType c7a.large",
    ],
    [
      "a type for ARM",
      at(types("arm.large")),
      "serverType",
      "has arm64 processors",
      "set serverType c7a.2xlarge",
    ],
    [
      "a type of old",
      at(types("old.large")),
      "serverType",
      "of a generation before Nitro",
      "set serverType c7a.2xlarge",
    ],
    [
      "a burstable type in prod",
      at({ ...types("burst.large"), environment: "prod" }),
      "serverType",
      "is burstable",
      "set serverType c7a.2xlarge",
    ],
    [
      "a type elsewhere than the subnet",
      at({ ...types("only-b.large"), network: { subnetId: "subnet-a" } }),
      "serverType",
      "is only-b.large, which AWS offers in eu-central-1b only; subnetId subnet-a is in eu-central-1a",
      "rm subnetId",
    ],
    [
      "an adopted volume elsewhere than the subnet",
      at({
        network: { subnetId: "subnet-a" },
        recordings: { kind: "adopted" as const, id: "vol-0123456789abcdef0" },
      }),
      "recordingsVolumeId",
      "is vol-0123456789abcdef0, a volume in eu-central-1b; subnetId subnet-a is in eu-central-1a",
      "rm subnetId",
    ],
    [
      "a type elsewhere than the servers, which would be stopped for it",
      at(types("only-b.large"), serversIn("subnet-a", "subnet-a")),
      "serverType",
      "is only-b.large, which AWS offers in eu-central-1b only; the deployment's servers are in eu-central-1a",
      "choose another, or pulumi destroy",
    ],
    [
      "an adopted volume elsewhere than the servers",
      at({ recordings: { kind: "adopted" as const, id: "vol-0123456789abcdef0" } }, serversIn("subnet-a")),
      "recordingsVolumeId",
      "a volume in eu-central-1b; the deployment's servers are in eu-central-1a, where they stay",
      "choose another, or pulumi destroy",
    ],
    [
      "another subnet than the servers'",
      at({ network: { subnetId: "subnet-b" } }, serversIn("subnet-a")),
      "subnetId",
      "is subnet-b, but the deployment's servers are in subnet-a, where they stay",
      "set subnetId subnet-a, or pulumi destroy",
    ],
    [
      "another VPC than the servers'",
      at({}, serversIn("subnet-other")),
      "vpcId",
      "is not set, but the deployment's servers are in subnet-other",
      "set subnetId subnet-other",
    ],
    [
      "an unknown volume",
      at({ recordings: { kind: "adopted" as const, id: "vol-absent01" } }),
      "recordingsVolumeId",
      "is vol-absent01, of which the account has none",
      "describe-volumes",
    ],
    [
      "an image that nobody has",
      at({ bbb: { ...atAws.bbb, image: "ami-absent01" } }),
      "image",
      "is ami-absent01, which the account cannot see",
      "pulumi config rm image",
    ],
    [
      "an image for ARM",
      at({ bbb: { ...atAws.bbb, image: "ami-0123456789abcdef1" } }),
      "image",
      "an image for arm64",
      "rm image",
    ],
    [
      "an image of a name that is somebody else's",
      at({ bbb: { ...atAws.bbb, image: "our own*" } }),
      "image",
      "leads to our own*, of which Canonical has no image",
      "set image ami-…",
    ],
    [
      "no zone in Route 53",
      at({}, { zones: [] }),
      "domain",
      "is example.org, of which the AWS account has no public hosted zone",
      "set dns hetzner or manual",
    ],
  ])("%s", async (_name, variation, key, reason, remedy) => {
    expect(await refused(variation)).toEqual([
      [key, expect.stringContaining(reason), expect.stringContaining(remedy)],
    ]);
  });

  test("two types that no zone has both of: each of them", async () => {
    const problems = await refused(at(types("only-b.large", "only-c.large")));
    expect(problems.map(([key]) => key)).toEqual(["serverType", "turnServerType"]);
    expect(problems[0]![1]).toContain(
      "the public subnets of vpc-default1 are in eu-central-1a, eu-central-1b, eu-central-1c",
    );
  });

  test("a burstable type does for trying out", async () => {
    expect(await refused(at(types("burst.large", "burst.large")))).toEqual([]);
  });

  test("everything at once, in one error, with nothing made", async () => {
    const variation = at(
      {
        ...types("arm.large", "c99.large"),
        recordings: { kind: "adopted" as const, id: "vol-absent01" },
      },
      { vpcs: [], zones: [], images: [] },
    );
    const problems = await refused(variation);
    expect(problems.map(([key]) => key).sort()).toEqual([
      "domain",
      "image",
      "location",
      "recordingsVolumeId",
      "serverType",
      "turnServerType",
      "vpcId",
    ]);
    expect(made).toEqual(["pulumi:providers:aws"]);
  });
});
