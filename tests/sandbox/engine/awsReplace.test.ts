/**
 * Effect of a change of each input: the whole table, so that no key changes sides unseen. It follows the sources of the
 * real provider (ForceNew, RequiresReplace), which these tests can't use.
 */
import { difference } from "../../../sandbox/engine/diff";
import { aws } from "../../../sandbox/engine/drivers/aws";
import type { Values } from "../../../sandbox/engine/wire";

const table: Record<string, { replace: string[]; update: string[] }> = {
  "aws:dlm/lifecyclePolicy:LifecyclePolicy": {
    replace: [],
    update: ["description", "executionRoleArn", "state", "policyDetails", "tags"],
  },
  "aws:ebs/volume:Volume": {
    replace: ["availabilityZone", "encrypted"],
    update: ["size", "type", "tags"],
  },
  "aws:ec2/eip:Eip": { replace: ["domain"], update: ["tags"] },
  "aws:ec2/eipAssociation:EipAssociation": {
    replace: ["allocationId", "networkInterfaceId"],
    update: [],
  },
  "aws:ec2/instance:Instance": {
    replace: ["ami", "keyName", "primaryNetworkInterface", "placementGroup", "rootBlockDevice.encrypted"],
    update: [
      ...["instanceType", "userData", "userDataReplaceOnChange", "disableApiTermination"],
      ...["metadataOptions.httpTokens", "rootBlockDevice.volumeSize", "rootBlockDevice.tags", "tags"],
    ],
  },
  "aws:ec2/keyPair:KeyPair": { replace: ["keyName", "publicKey"], update: ["tags"] },
  "aws:ec2/networkInterface:NetworkInterface": {
    replace: ["subnetId"],
    update: ["securityGroups", "ipv6AddressCount", "description", "tags"],
  },
  "aws:ec2/placementGroup:PlacementGroup": { replace: ["name", "strategy"], update: ["tags"] },
  "aws:ec2/securityGroup:SecurityGroup": { replace: ["name", "description", "vpcId"], update: ["tags"] },
  "aws:ec2/volumeAttachment:VolumeAttachment": {
    replace: ["deviceName", "volumeId", "instanceId"],
    update: ["stopInstanceBeforeDetaching"],
  },
  "aws:iam/role:Role": {
    replace: ["name"],
    update: ["description", "assumeRolePolicy", "tags"],
  },
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment": { replace: ["role", "policyArn"], update: [] },
  "aws:route53/record:Record": {
    replace: ["zoneId", "name"],
    update: ["type", "ttl", "records", "allowOverwrite"],
  },
  ...Object.fromEntries(
    ["Ingress", "Egress"].map((direction) => [
      `aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`,
      {
        replace: ["securityGroupId"],
        update: ["ipProtocol", "fromPort", "toPort", "cidrIpv4", "cidrIpv6", "description", "tags"],
      },
    ]),
  ),
};

/** Inputs for a path: `{ a: { b: value } }` for "a.b". */
function holding(path: string, value: string): Values {
  const [key = "", ...rest] = path.split(".");
  return { [key]: rest.length === 0 ? value : holding(rest.join("."), value) };
}

function replacedBy(type: string, path: string): boolean {
  const [old, now] = ["a", "b"].map((value) => holding(path, value)) as [Values, Values];
  const { changed, replace } = difference(old, now, aws.kinds[type]!.replaceKeys ?? [], []);
  expect(changed).toEqual([path.split(".")[0]]);
  return replace.length > 0;
}

test("every type is in the table, with every input that it serves", () => {
  expect(Object.keys(table).sort()).toEqual(Object.keys(aws.kinds).sort());
  for (const [type, { replace, update }] of Object.entries(table)) {
    const keys = new Set([...replace, ...update].map((path) => path.split(".")[0]));
    expect([type, [...keys].sort()]).toEqual([type, [...(aws.kinds[type]?.keys ?? [])].sort()]);
  }
});

test.each(Object.entries(table))("%s", (type, { replace, update }) => {
  expect(replace.filter((path) => !replacedBy(type, path))).toEqual([]);
  expect(update.filter((path) => replacedBy(type, path))).toEqual([]);
});

test("names that only one can have are given up before they are taken anew", () => {
  const first = (type: string) => aws.kinds[type]?.deleteBeforeReplace ?? false;
  expect(first("aws:ec2/keyPair:KeyPair")).toBe(true);
  expect(first("aws:ec2/securityGroup:SecurityGroup")).toBe(false);
  expect(first("aws:iam/rolePolicyAttachment:RolePolicyAttachment")).toBe(true);
});

test("a name is made once, and kept", () => {
  const defaults = aws.kinds["aws:iam/role:Role"]!.defaults!;
  const made = defaults({}, undefined, "snapshots-role");
  expect(made).toEqual({ name: expect.stringMatching(/^snapshots-role-[0-9a-f]{7}$/), __defaults: ["name"] });
  expect(defaults({}, made, "snapshots-role")).toEqual(made);
  expect(defaults({ name: "mine" }, made, "snapshots-role")).toEqual({});
});

test("user data that EC2 would not take is refused before anything is asked", () => {
  const check = aws.kinds["aws:ec2/instance:Instance"]!.defaults!;
  expect(check({ userData: "x".repeat(16384) }, undefined, "server")).toEqual({});
  expect(() => check({ userData: "ä".repeat(8193) }, undefined, "server")).toThrow(
    "expected length of user_data to be in the range (1 - 16384), got 16386",
  );
});
