/** Hosted zones and their records over the official SDK. */
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  ListHostedZonesByNameCommand,
  ListResourceRecordSetsCommand,
  type ChangeAction,
  type ResourceRecordSet,
} from "@aws-sdk/client-route-53";

import { useAccount } from "./harness";

const account = useAccount();

async function zoneId(): Promise<string> {
  const order = new ListHostedZonesByNameCommand({ DNSName: "example-aws.test" });
  const { HostedZones } = await account().clients.route53.send(order);
  return HostedZones!.find(({ Name }) => Name === "example-aws.test.")!.Id!;
}

async function change(...changes: [ChangeAction, ResourceRecordSet][]): Promise<string> {
  const { ChangeInfo } = await account().clients.route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: await zoneId(),
      ChangeBatch: { Changes: changes.map(([Action, set]) => ({ Action, ResourceRecordSet: set })) },
    }),
  );
  return ChangeInfo!.Id!;
}

const record = (
  Name: string,
  Type: "A" | "AAAA" | "CNAME" | "TXT" | "CAA",
  Value: string,
  TTL = 60,
): ResourceRecordSet => ({
  Name,
  Type,
  TTL,
  ResourceRecords: [{ Value }],
});

const published = (): unknown => account().recorder.last("setZone");

test("the user's zone is published from the beginning, with the sandbox's name servers", async () => {
  expect(account().recorder.of("setZone")[0]).toEqual(["example-aws.test", []]);
  const { DelegationSet, HostedZone } = await account().clients.route53.send(
    new GetHostedZoneCommand({ Id: await zoneId() }),
  );
  expect(DelegationSet!.NameServers).toEqual(["ns1.sandbox.test", "ns2.sandbox.test"]);
  expect(HostedZone!.Config!.PrivateZone).toBe(false);
  const { ResourceRecordSets } = await account().clients.route53.send(
    new ListResourceRecordSetsCommand({ HostedZoneId: await zoneId() }),
  );
  expect(ResourceRecordSets).toMatchObject([
    { Type: "NS", ResourceRecords: [{ Value: "ns1.sandbox.test." }, { Value: "ns2.sandbox.test." }] },
    { Type: "SOA", ResourceRecords: [{ Value: expect.stringMatching(/^ns1\.sandbox\.test\. /) }] },
  ]);
});

test("records are published as they change, and the change comes to be in sync", async () => {
  const Id = await change(["CREATE", record("bbb.example-aws.test", "A", "203.0.113.200")]);
  expect(published()).toEqual([
    "example-aws.test",
    [{ name: "bbb", type: "A", ttl: 60, value: "203.0.113.200" }],
  ]);
  const { ChangeInfo } = await account().clients.route53.send(new GetChangeCommand({ Id }));
  expect(ChangeInfo!.Status).toBe("INSYNC");

  await change(["UPSERT", record("bbb.example-aws.test", "A", "203.0.113.201", 300)]);
  await change(["CREATE", record("*.bbb.example-aws.test", "TXT", '"hello"')]);
  expect(published()).toEqual([
    "example-aws.test",
    expect.arrayContaining([
      { name: "bbb", type: "A", ttl: 300, value: "203.0.113.201" },
      { name: "*.bbb", type: "TXT", ttl: 60, value: '"hello"' },
    ]),
  ]);
  await change(
    ["DELETE", record("bbb.example-aws.test", "A", "203.0.113.201", 300)],
    ["DELETE", record("*.bbb.example-aws.test", "TXT", '"hello"')],
  );
  expect(published()).toEqual(["example-aws.test", []]);
});

describe("a change that Route 53 refuses", () => {
  const existing = record("taken.example-aws.test", "A", "203.0.113.202");
  beforeAll(() => change(["CREATE", existing]));

  const subject = "resource record set [name='taken.example-aws.test.', type='A']";
  test.each<[string, [ChangeAction, ResourceRecordSet], string]>([
    ["CREATE of what exists", ["CREATE", existing], `[Tried to create ${subject} but it already exists]`],
    [
      "CREATE of what exists in other letters",
      ["CREATE", { ...existing, Name: "Taken.Example-AWS.test." }],
      `[Tried to create ${subject} but it already exists]`,
    ],
    [
      "DELETE with another value",
      ["DELETE", record("taken.example-aws.test", "A", "203.0.113.1")],
      `[Tried to delete ${subject} but the values provided do not match the current values]`,
    ],
    [
      "DELETE with another TTL",
      ["DELETE", { ...existing, TTL: 61 }],
      `[Tried to delete ${subject} but the values provided do not match the current values]`,
    ],
    [
      "DELETE of what does not exist",
      ["DELETE", record("gone.example-aws.test", "A", "203.0.113.1")],
      "[Tried to delete resource record set [name='gone.example-aws.test.', type='A'] but it was not found]",
    ],
    [
      "a name of another zone",
      ["CREATE", record("bbb.example.test", "A", "203.0.113.1")],
      "not permitted in zone",
    ],
    [
      "a CNAME beside an address",
      ["CREATE", record("taken.example-aws.test", "CNAME", "x.test")],
      "conflicting RRSet",
    ],
    [
      "no IPv4 address",
      ["CREATE", record("a.example-aws.test", "A", "203.0.113.300")],
      "not a valid IPv4 address",
    ],
    [
      "no IPv6 address",
      ["CREATE", record("a.example-aws.test", "AAAA", "203.0.113.1")],
      "not a valid IPv6 address",
    ],
    ["text without quotes", ["CREATE", record("a.example-aws.test", "TXT", "hello")], "quotation marks"],
  ])("%s", async (_what, one, message) => {
    const before = account().recorder.of("setZone").length;
    await expect(change(one)).rejects.toMatchObject({
      name: "InvalidChangeBatch",
      message: expect.stringContaining(message),
    });
    expect(account().recorder.of("setZone")).toHaveLength(before);
  });

  test("is refused whole: what is right in the same batch is not made either", async () => {
    await expect(
      change(["CREATE", record("fine.example-aws.test", "A", "203.0.113.1")], ["CREATE", existing]),
    ).rejects.toMatchObject({ name: "InvalidChangeBatch" });
    await change(["CREATE", record("fine.example-aws.test", "A", "203.0.113.1")]);
  });
});

test("an unknown change and an unknown zone are not found", async () => {
  await expect(account().clients.route53.send(new GetChangeCommand({ Id: "C404" }))).rejects.toMatchObject({
    name: "NoSuchChange",
  });
  await expect(
    account().clients.route53.send(new GetHostedZoneCommand({ Id: "Z404" })),
  ).rejects.toMatchObject({
    name: "NoSuchHostedZone",
  });
});

test("a zone is made once for each reference and is gone from the name server with its deletion", async () => {
  const order = new CreateHostedZoneCommand({ Name: "other.test", CallerReference: "once" });
  const { HostedZone } = await account().clients.route53.send(order);
  expect(published()).toEqual(["other.test", []]);
  await expect(account().clients.route53.send(order)).rejects.toMatchObject({
    name: "HostedZoneAlreadyExists",
  });
  await account().clients.route53.send(new DeleteHostedZoneCommand({ Id: HostedZone!.Id }));
  expect(account().recorder.last("deleteZone")).toEqual(["other.test"]);
});
