import {
  AttachVolumeCommand,
  CreateTagsCommand,
  DescribeSnapshotsCommand,
  ModifyInstanceAttributeCommand,
} from "@aws-sdk/client-ec2";

import { awsServers } from "../../../operator/servers/aws";
import { REGION } from "../../../sandbox/aws";
import { credentials, useAccount } from "../../sandbox/aws/harness";
import { describeVolume, makeInstance, makeVolume } from "../../sandbox/aws/setUp";

const account = useAccount();
const environment = { ...process.env };
beforeAll(() =>
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: account().endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }),
);
afterAll(() => (process.env = environment));

const labels = { project: "bigbluebutton", stack: "prod", role: "bbb" };

test("an instance becomes an image without its data volume, which can be labelled and found, and goes with its snapshot", async () => {
  const { id } = await makeInstance(account());
  const { VolumeId } = await makeVolume(account());
  const { ec2 } = account().clients;
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: id, Device: "/dev/sdf" }));
  await ec2.send(
    new ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value: true } }),
  );
  const servers = awsServers(REGION, 0.05);
  await servers.stop(id);
  const kept = { ...labels, stack: "replaced" };
  const taken = await servers.take(id, { ...kept, purpose: "replaced" }, "old disk");
  expect(taken).toMatchObject({ available: true, labels: { ...kept, purpose: "replaced" } });
  expect(Math.abs(Date.now() - taken.created.getTime())).toBeLessThan(3_600_000);
  await servers.letGo(id);
  await servers.letGo(id);
  expect((await describeVolume(account(), VolumeId!)).State).toBe("available");
  await servers.relabel(taken.id, { purpose: "other" });
  expect(await servers.snapshots(kept)).toMatchObject([{ id: taken.id, labels: { purpose: "other" } }]);
  await servers.remove(taken.id);
  await servers.remove(taken.id);
  expect(await servers.snapshots(kept)).toEqual([]);
  const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  expect(Snapshots!.filter(({ Tags = [] }) => Tags.some(({ Value }) => Value === "replaced"))).toEqual([]);
});

test("an image that AWS could not make is none: the next one takes its place, with the size of what is written", async () => {
  const { id } = await makeInstance(account());
  const servers = awsServers(REGION, 0.05);
  await servers.stop(id);
  const mine = { ...labels, stack: "failed" };
  account().recorder.fail("createSnapshot", "no space left");
  await expect(servers.take(id, mine, "a disk")).rejects.toThrow(
    /AWS did not make the image ami-\w+ \(no space left\): run this again/,
  );
  account().recorder.heal();
  expect(await servers.snapshots(mine)).toEqual([]);
  account().recorder.answer("createSnapshot", 2 ** 30 / 4);
  const { id: taken, gb } = await servers.take(id, mine, "a disk");
  expect(gb).toBe(0.25);
  expect(await servers.snapshots(mine)).toMatchObject([{ id: taken, gb }]);
  await servers.remove(taken);
});

test("an image whose making was not answered is taken, and no second one is made", async () => {
  const { id } = await makeInstance(account());
  const servers = awsServers(REGION, 0.05);
  await servers.stop(id);
  const mine = { ...labels, stack: "lost" };
  await account().control("POST", "/_faults", {
    ...{ action: "CreateImage", code: "InternalError", status: 500, afterwards: true, times: 1 },
  });
  const { id: taken } = await servers.take(id, mine, "a disk");
  expect(await servers.snapshots(mine)).toMatchObject([{ id: taken, available: true }]);
  await servers.remove(taken);
});

test("the longest name of a stack leaves room for an image's time", async () => {
  const { id } = await makeInstance(account());
  const servers = awsServers(REGION, 0.05);
  await servers.stop(id);
  const taken = await servers.take(id, { ...labels, stack: "s".repeat(100), purpose: "replaced" }, "a disk");
  await servers.remove(taken.id);
});

test("a type is offered in a region, or is not", async () => {
  const servers = awsServers(REGION, 0.05);
  expect(await servers.isOffered("c7a.2xlarge", REGION)).toBe(true);
  expect(await servers.isOffered("c7a.unheard-of", REGION)).toBe(false);
});

test("an instance is found by all of its tags, stopped and started again", async () => {
  const { id } = await makeInstance(account());
  const other = await makeInstance(account());
  const tag = (Resources: string[], tags: object) =>
    account().clients.ec2.send(
      new CreateTagsCommand({
        Resources,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) })),
      }),
    );
  await tag([id], { ...labels, Name: "bbb.example.org" });
  await tag([other.id], { ...labels, stack: "staging" });
  const servers = awsServers(REGION, 0.05);
  expect(await servers.find(labels)).toMatchObject([{ id, name: "bbb.example.org", status: "running" }]);
  await servers.stop(id);
  const [stopped] = await servers.find(labels);
  expect(stopped).toMatchObject({ status: "stopped", stopped: expect.any(Date) as Date });
  expect(Math.abs(Date.now() - stopped!.stopped!.getTime())).toBeLessThan(3_600_000);
  await servers.stop(id);
  await servers.start(id);
  expect(await servers.find(labels)).toMatchObject([{ status: "running" }]);
});
