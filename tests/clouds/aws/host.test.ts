/**
 * Requests to AWS. The provider's behaviour for these inputs and options (what replaces what, what may stay attached,
 * that an Elastic IP can be associated with an interface without an instance) is taken from the documentation and the
 * sources of
 * @pulumi/aws 7.48 and terraform-provider-aws. The sandbox's engine follows those, and was never compared with the
 * provider itself.
 */
import { releases } from "../../../bigbluebutton/releases";
import { valueOf } from "../../../clouds/valueOf";
import type { DeploymentOutputs } from "../../../components/deployment";
import { awsIdOf, world } from "../../support/awsWorld";
import { atAws, runProgram, secretOf, turnPeersIn, type Registered, type Run } from "../../support/program";

const labels = { project: "bigbluebutton", stack: "staging" };
const settings = { ...atAws, dns: "route53" as const };
const protectedSettings = {
  ...settings,
  environment: "prod" as const,
  protected: true,
  backups: true,
  recordings: { kind: "new" as const, sizeGb: 50, protected: true },
};

const EIP = "aws:ec2/eip:Eip";
const INTERFACE = "aws:ec2/networkInterface:NetworkInterface";
const INSTANCE = "aws:ec2/instance:Instance";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const VOLUME = "aws:ebs/volume:Volume";
const isAws = ({ type }: Registered) => type.startsWith("aws:");

let staging: Run;
let prod: Run;
beforeAll(async () => {
  staging = await runProgram({ settings });
  prod = await runProgram({ settings: protectedSettings });
});

describe("addresses", () => {
  test.each(["bbb", "turn"])(
    "the Elastic IP of %s is a resource of its own that waits for nothing",
    (role) => {
      const { inputs, dependsOn } = staging.get(`${role}-host-ipv4`);
      const Name = `${role}.example.org`;
      expect(inputs).toEqual({ domain: "vpc", tags: { Name, ...labels, role } });
      expect(dependsOn).toEqual([]);
    },
  );

  test.each(["bbb", "turn"])(
    "so is the interface of %s, which has the private and the IPv6 address",
    (role) => {
      const { inputs, dependsOn, ignoreChanges } = staging.get(`${role}-host-interface`);
      expect(inputs).toEqual({
        subnetId: "subnet-a",
        securityGroups: [awsIdOf(GROUP, `${role}-host-firewall`)],
        ipv6AddressCount: 1,
        description: `${role}.example.org`,
        tags: { Name: `${role}.example.org`, ...labels, role },
      });
      expect(dependsOn).toEqual([`${role}-host-firewall`]);
      expect(ignoreChanges).toEqual(["subnetId"]);
    },
  );

  test.each(["bbb", "turn"])(
    "the address of %s leads to the interface, whichever instance that is in",
    (role) => {
      const { inputs, dependsOn, deleteBeforeReplace } = staging.get(`${role}-host-address`);
      expect(inputs).toEqual({
        allocationId: awsIdOf(EIP, `${role}-host-ipv4`),
        networkInterfaceId: awsIdOf(INTERFACE, `${role}-host-interface`),
      });
      expect([...dependsOn].sort()).toEqual([`${role}-host-interface`, `${role}-host-ipv4`]);
      expect(deleteBeforeReplace).toBe(true);
    },
  );

  test("without IPv6 in the subnet no host has any, nor a record of it", async () => {
    const subnets = world.subnets.map((subnet) => ({ ...subnet, ipv6CidrBlock: undefined }));
    const run = await runProgram({ settings, aws: { subnets } });
    expect(run.get("turn-host-interface").inputs).not.toHaveProperty("ipv6AddressCount");
    expect(run.resources.map(({ name }) => name)).not.toContain("turn-aaaa");
    expect(run.get("turn-preflight").inputs.create).not.toContain("--ipv6");
    const coturn: string = run.get("turn-configure").inputs.stdin;
    expect(coturn.match(/^(listening|relay)-ip=.*$/gm)).toEqual([
      "listening-ip=172.31.0.2",
      "relay-ip=172.31.0.2",
    ]);
    expect(turnPeersIn(run)).toEqual(["203.0.113.11", "172.31.0.1"]);
    const { bbb } = (run.outputs as unknown as DeploymentOutputs).addresses;
    expect((await valueOf(bbb)).ipv6).toBeUndefined();
  });

  test("an IPv6 network without a way out is none", async () => {
    const routeTables = world.routeTables.map((table) => ({
      ...table,
      routes: table.routes.filter(({ ipv6CidrBlock }) => !ipv6CidrBlock),
    }));
    const run = await runProgram({ settings, aws: { routeTables } });
    expect(run.get("bbb-host-interface").inputs).not.toHaveProperty("ipv6AddressCount");
  });
});

describe("security group", () => {
  const RULES = /:SecurityGroup(In|E)gressRule$/;
  const rulesOf = (role: string) =>
    staging.resources.filter(
      ({ name, type }) => RULES.test(type) && name.startsWith(`${role}-host-firewall-`),
    );

  test("has a name that AWS's provider makes, so that one can follow another, and no rules in itself", () => {
    const { inputs, ignoreChanges, deleteBeforeReplace } = staging.get("bbb-host-firewall");
    expect(inputs).toEqual({
      vpcId: "vpc-default1",
      description: "Made from the port table of the BigBlueButton deployment",
      tags: { Name: "bbb.example.org", ...labels, role: "bbb" },
    });
    expect(ignoreChanges).toEqual(["vpcId"]);
    expect(deleteBeforeReplace).toBe(false);
  });

  test("each rule is a resource of its own, described and tagged", () => {
    expect(
      rulesOf("bbb")
        .map(({ name }) => name.slice("bbb-host-firewall-".length))
        .sort(),
    ).toEqual([
      "icmp-ipv4",
      "icmp-ipv6",
      "out-ipv4",
      "out-ipv6",
      "ssh-198.51.100.0-24",
      "ssh-2001-db8-1---48",
      "tcp-443-ipv4",
      "tcp-443-ipv6",
      "tcp-80-ipv4",
      "tcp-80-ipv6",
      "udp-16384-32768-ipv4",
      "udp-16384-32768-ipv6",
    ]);
    for (const { inputs, dependsOn } of [...rulesOf("bbb"), ...rulesOf("turn")]) {
      expect(inputs.description).toMatch(/./);
      expect(inputs.tags).toMatchObject(labels);
      expect(dependsOn).toHaveLength(1);
    }
    expect(staging.get("turn-host-firewall-udp-32769-65535-ipv6").inputs).toEqual({
      securityGroupId: awsIdOf(GROUP, "turn-host-firewall"),
      ipProtocol: "udp",
      fromPort: 32769,
      toPort: 65535,
      cidrIpv6: "::/0",
      description: "Relayed media, to and from the BigBlueButton host",
      tags: { Name: "turn.example.org udp-32769-65535-ipv6", ...labels, role: "turn" },
    });
  });

  test("everything may go out, since a group of one's own lets out nothing", () => {
    const { type, inputs } = staging.get("bbb-host-firewall-out-ipv4");
    expect(type).toBe("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule");
    expect(inputs).toMatchObject({ ipProtocol: "-1", cidrIpv4: "0.0.0.0/0" });
    expect(inputs).not.toHaveProperty("fromPort");
  });
});

describe("instance", () => {
  test("has the newest of Canonical's images, an encrypted disk, the interface and IMDSv2 alone", () => {
    const { inputs } = staging.get("bbb-host-server");
    expect(inputs).toEqual({
      userData: expect.stringContaining("#cloud-config") as string,
      ami: "ami-jammy20261101",
      instanceType: "c7a.xlarge",
      keyName: "bigbluebutton-staging",
      primaryNetworkInterface: { networkInterfaceId: awsIdOf(INTERFACE, "bbb-host-interface") },
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        volumeType: "gp3",
        volumeSize: 100,
        encrypted: true,
        deleteOnTermination: true,
        tags: { Name: "bbb.example.org disk", ...labels, role: "bbb" },
      },
      userDataReplaceOnChange: false,
      disableApiTermination: false,
      tags: { Name: "bbb.example.org", ...labels, role: "bbb" },
    });
    expect(staging.get("turn-host-server").inputs).toMatchObject({
      ami: "ami-noble20261101",
      instanceType: "c7a.large",
      rootBlockDevice: { volumeSize: 16 },
    });
  });

  test.each(["bbb", "turn"])("that of %s leaves the interface before another takes it", (role) => {
    const { ignoreChanges, deleteBeforeReplace, dependsOn } = staging.get(`${role}-host-server`);
    expect(deleteBeforeReplace).toBe(true);
    expect([...ignoreChanges].sort()).toEqual(["ami", "keyName", "userData"]);
    expect(dependsOn).toEqual(expect.arrayContaining([`${role}-host-interface`, "operator"]));
    const other = role === "bbb" ? "turn" : "bbb";
    expect(dependsOn.filter((name) => name.startsWith(other))).toEqual([]);
  });

  test("what outlives it does not depend on it", () => {
    const lasting = ["bbb-host-ipv4", "bbb-host-interface", "bbb-host-address", "bbb-host-volume", "bbb-a"];
    for (const name of lasting) expect(staging.get(name).dependsOn).not.toContain("bbb-host-server");
  });

  test("carries one secret in its user data, the SSH host key, and keeps the whole of it secret", () => {
    const { inputs, secretInputs } = staging.get("bbb-host-server");
    expect(secretInputs).toEqual(["userData"]);
    expect(inputs.userData).toContain(secretOf("bbb-host-key"));
    for (const other of ["operator-key", "turn-host-key", "turn-secret", "bbb-shared-secret"]) {
      expect(inputs.userData).not.toContain(secretOf(other));
    }
  });

  test("the operator's key has one name, which its replacement takes over", () => {
    const { inputs, deleteBeforeReplace } = staging.get("operator");
    expect(inputs).toEqual({
      keyName: "bigbluebutton-staging",
      publicKey: "ssh-ed25519 AAAAoperator-key",
      tags: { Name: "bigbluebutton-staging", ...labels, role: "operator" },
    });
    expect(deleteBeforeReplace).toBe(true);
  });

  test("an image of one's own is taken by its id", async () => {
    const bbb = { ...atAws.bbb, image: "ami-0123456789abcdef0" };
    const run = await runProgram({ settings: { ...settings, bbb } });
    expect(run.get("bbb-host-server").inputs.ami).toBe("ami-0123456789abcdef0");
  });
});

describe("steps", () => {
  test("begin once the host can be reached, and its volume is there", () => {
    const { dependsOn } = staging.get("bbb-connect");
    const rules = staging.resources.filter(({ name, type }) => /Rule$/.test(type) && name.startsWith("bbb-"));
    expect(rules).toHaveLength(12);
    expect(dependsOn).toEqual(
      expect.arrayContaining([
        "bbb-host-server",
        "bbb-host-address",
        "bbb-host-volume-attachment",
        ...rules.map(({ name }) => name),
      ]),
    );
  });

  test("go to the public address, as a user who may become root", () => {
    const { inputs } = staging.get("bbb-connect");
    expect(inputs.connection).toMatchObject({ host: "203.0.113.11", user: "ubuntu" });
    expect(inputs.create).toMatch(/^sudo bash -s -- bbb /);
  });

  test("know the public and the private address", () => {
    const both = "--ipv4 203.0.113.11 --private-ipv4 172.31.0.1";
    expect(staging.get("bbb-prepare").inputs.create).toContain(both);
    expect(staging.get("bbb-install").inputs.create).toContain(both);
  });

  test("coturn relays from its own interface, to BigBlueButton's public and private address", () => {
    const coturn: string = staging.get("turn-configure").inputs.stdin;
    expect(coturn.match(/^(listening|relay|external)-ip=.*$/gm)).toEqual([
      "listening-ip=172.31.0.2",
      "listening-ip=2001:db8:a::2",
      "relay-ip=172.31.0.2",
      "relay-ip=2001:db8:a::2",
      "external-ip=203.0.113.12/172.31.0.2",
    ]);
    expect(turnPeersIn(staging)).toEqual(["203.0.113.11", "2001:db8:a::1", "172.31.0.1"]);
  });
});

describe("recordings volume", () => {
  test("is encrypted, of its own, in the zone of the interface's subnet", () => {
    const { inputs, ignoreChanges, dependsOn } = staging.get("bbb-host-volume");
    expect(inputs).toEqual({
      availabilityZone: "eu-central-1a",
      size: 50,
      type: "gp3",
      encrypted: true,
      tags: {
        Name: "bbb.example.org recordings",
        ...labels,
        role: "bbb",
        snapshots: "bigbluebutton/staging",
      },
    });
    expect(ignoreChanges).toEqual(["availabilityZone"]);
    expect(dependsOn).toEqual(["bbb-host-interface"]);
  });

  test("is let go by a stopped instance only", () => {
    const { inputs, deleteBeforeReplace } = staging.get("bbb-host-volume-attachment");
    expect(inputs).toEqual({
      deviceName: "/dev/sdf",
      volumeId: awsIdOf(VOLUME, "bbb-host-volume"),
      instanceId: awsIdOf(INSTANCE, "bbb-host-server"),
      stopInstanceBeforeDetaching: true,
    });
    expect(deleteBeforeReplace).toBe(true);
  });

  test("is found on the host by its id without the dash", () => {
    const serial = awsIdOf(VOLUME, "bbb-host-volume").replace("vol-", "vol");
    expect(staging.get("bbb-recordings").inputs.create).toContain(
      `--device /dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${serial} --size-gb 50`,
    );
  });

  test("an adopted one is attached as it is, and the hosts go where it is", async () => {
    const recordings = { kind: "adopted" as const, id: "vol-0123456789abcdef0" };
    const run = await runProgram({ settings: { ...settings, recordings } });
    expect(run.ofType(VOLUME)).toEqual([]);
    expect(run.get("bbb-host-volume-attachment").inputs.volumeId).toBe("vol-0123456789abcdef0");
    expect(run.get("bbb-host-interface").inputs.subnetId).toBe("subnet-b");
  });
});

describe("snapshots", () => {
  test("are made every day of the volumes of this stack, and kept for the days that are set", () => {
    const { inputs, dependsOn } = staging.get("snapshots");
    expect(inputs).toEqual({
      description: "Daily snapshots of bigbluebutton staging",
      executionRoleArn: "arn:aws:iam::123456789012:role/snapshots-role-1234567",
      state: "ENABLED",
      policyDetails: {
        resourceTypes: ["VOLUME"],
        targetTags: { snapshots: "bigbluebutton/staging" },
        schedules: [
          {
            name: "daily",
            createRule: { interval: 24, intervalUnit: "HOURS", times: "02:00" },
            retainRule: { count: 7 },
            copyTags: true,
          },
        ],
      },
      tags: { Name: "bigbluebutton-staging snapshots", ...labels, role: "snapshots" },
    });
    expect(dependsOn).toContain("snapshots-policy");
  });

  test("by a role that nobody but Data Lifecycle Manager takes, with AWS's own policy for it", () => {
    const { inputs } = staging.get("snapshots-role");
    expect(JSON.parse(inputs.assumeRolePolicy)).toMatchObject({
      Statement: [{ Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "dlm.amazonaws.com" } }],
    });
    expect(staging.get("snapshots-policy").inputs).toEqual({
      role: "snapshots-role-1234567",
      policyArn: "arn:aws:iam::aws:policy/service-role/AWSDataLifecycleManagerServiceRole",
    });
  });

  test("include the server's own disk where it has backups", () => {
    const tagged = (run: Run, name: string) => run.get(name).inputs.rootBlockDevice.tags.snapshots;
    expect(tagged(staging, "bbb-host-server")).toBeUndefined();
    expect(tagged(prod, "bbb-host-server")).toBe("bigbluebutton/staging");
    expect(tagged(prod, "turn-host-server")).toBeUndefined();
  });

  test.each([
    ["none are wanted", { snapshotDays: 0 }],
    ["there is nothing to keep", { recordings: undefined }],
  ])("there are none where %s", async (_name, more) => {
    const run = await runProgram({ settings: { ...settings, ...more } });
    expect(run.resources.filter(({ type }) => /:(iam|dlm)/.test(type))).toEqual([]);
  });
});

describe("place", () => {
  test("can be in another VPC than the default one, with the security groups", async () => {
    const routeTables = world.routeTables.map((table) =>
      table.id === "rtb-other"
        ? { ...table, routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: "igw-2" }] }
        : table,
    );
    const run = await runProgram({
      settings: { ...settings, network: { vpcId: "vpc-other001" } },
      aws: { routeTables },
    });
    expect(run.get("bbb-host-interface").inputs.subnetId).toBe("subnet-other");
    expect(run.get("bbb-host-firewall").inputs.vpcId).toBe("vpc-other001");
  });

  test("is looked up before anything but the provider is registered", () => {
    const { lookUps, resources } = staging;
    expect(resources[0]!.type).toBe("pulumi:providers:aws");
    // The last one is asked for the volume's zone, of the subnet that the interface is in.
    expect(lookUps.slice(0, -1).filter(({ resourcesBefore }) => resourcesBefore > 1)).toEqual([]);
    expect(lookUps.at(-1)!.token).toBe("aws:ec2/getSubnet:getSubnet");
  });
});

describe("tags", () => {
  const taggable = ({ type }: Registered) =>
    !/:(EipAssociation|VolumeAttachment|RolePolicyAttachment|Record)$/.test(type);

  test("are on everything that can have them, with a name that is unique among its kind", () => {
    const resources = staging.resources.filter(isAws).filter(taggable);
    expect(resources.length).toBeGreaterThan(30);
    for (const { inputs } of resources) expect(inputs.tags).toMatchObject(labels);
    const names = resources.map(({ type, inputs }) => `${type} ${inputs.tags.Name}`);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
  });

  test("the provider is given with every resource and look-up, and gets no credentials from the program", () => {
    expect(staging.resources.filter(isAws).filter(({ provider }) => provider !== "aws")).toEqual([]);
    expect(staging.lookUps.filter(({ provider }) => provider !== "aws")).toEqual([]);
    const { inputs } = staging.get("aws");
    expect(inputs).toMatchObject({ region: "eu-central-1" });
    expect(Object.keys(inputs).filter((key) => /key|secret|token|profile|endpoint/i.test(key))).toEqual([]);
  });
});

describe("protection", () => {
  const protectedOnes = (run: Run) =>
    run.resources
      .filter(({ protect }) => protect)
      .map(({ name }) => name)
      .sort();

  test("staging: the recordings", () => {
    const own = { ...settings, recordings: { kind: "new" as const, sizeGb: 50, protected: true } };
    return expect(runProgram({ settings: own }).then(protectedOnes)).resolves.toEqual(["bbb-host-volume"]);
  });

  test("prod: instances, addresses, interfaces, recordings and what is between them, and no call terminates an instance", () => {
    expect(protectedOnes(prod)).toEqual([
      "bbb-host-address",
      "bbb-host-interface",
      "bbb-host-ipv4",
      "bbb-host-server",
      "bbb-host-volume",
      "bbb-host-volume-attachment",
      "turn-host-address",
      "turn-host-interface",
      "turn-host-ipv4",
      "turn-host-server",
    ]);
    for (const { inputs } of prod.ofType(INSTANCE)) expect(inputs.disableApiTermination).toBe(true);
    for (const { inputs } of staging.ofType(INSTANCE)) expect(inputs.disableApiTermination).toBe(false);
  });
});

test("a newer image changes nothing but what a new server would be made from", async () => {
  const newer = releases["jammy-30"].images.aws.replace("*", "20261231");
  const images = [...world.images, { id: "ami-newer", name: newer, owner: world.images[0]!.owner }];
  const run = await runProgram({ settings, aws: { images } });
  const before = new Map(staging.resources.map(({ urn, inputs }) => [urn, inputs]));
  const changed = run.resources.flatMap(({ urn, name, inputs }) =>
    Object.keys(inputs)
      .filter((key) => JSON.stringify(inputs[key]) !== JSON.stringify(before.get(urn)![key]))
      .map((key) => `${name}.${key}`),
  );
  expect(changed).toEqual(["bbb-host-server.ami"]);
  expect(run.get("bbb-host-server").ignoreChanges).toContain("ami");
});
