/** Spread placement groups over the official SDK. */
import {
  CreatePlacementGroupCommand,
  CreateTagsCommand,
  DeletePlacementGroupCommand,
  DescribePlacementGroupsCommand,
  type PlacementStrategy,
} from "@aws-sdk/client-ec2";

import { useAccount } from "./harness";
import { describeInstance, inState, makeInterface, run, terminate } from "./setUp";

const account = useAccount();
const tags = [{ Key: "stack", Value: "a" }];
const make = (GroupName: string, Strategy: PlacementStrategy = "spread") =>
  account().clients.ec2.send(
    new CreatePlacementGroupCommand({
      GroupName,
      Strategy,
      TagSpecifications: [{ ResourceType: "placement-group", Tags: tags }],
    }),
  );
const found = async (key: string, ...Values: string[]) => {
  const Filters = [{ Name: `tag:${key}`, Values }];
  const { PlacementGroups = [] } = await account().clients.ec2.send(
    new DescribePlacementGroupsCommand({ Filters }),
  );
  return PlacementGroups.map(({ GroupName }) => GroupName);
};
const remove = (GroupName: string) =>
  account().clients.ec2.send(new DeletePlacementGroupCommand({ GroupName }));
const start = async (GroupName: string, zone?: string) =>
  run(account(), (await makeInterface(account(), { zone })).NetworkInterfaceId!, {
    Placement: { GroupName },
  });

test("a group has a name of its own, its strategy and its tags", async () => {
  const { PlacementGroup } = await make("tagged");
  expect(PlacementGroup).toMatchObject({
    GroupName: "tagged",
    Strategy: "spread",
    State: "available",
    Tags: tags,
  });
  await expect(make("tagged")).rejects.toMatchObject({ name: "InvalidPlacementGroup.Duplicate" });
  await account().clients.ec2.send(
    new CreateTagsCommand({ Resources: [PlacementGroup!.GroupId!], Tags: [{ Key: "more", Value: "1" }] }),
  );
  expect([await found("stack", "a"), await found("more", "1"), await found("stack", "b")]).toEqual([
    ["tagged"],
    ["tagged"],
    [],
  ]);
  await remove("tagged");
  await expect(remove("tagged")).rejects.toMatchObject({ name: "InvalidPlacementGroup.Unknown" });
});

test("seven instances of a zone are in it, which hold it; an eighth is refused there, and not in another zone", async () => {
  await make("seven");
  const ids: string[] = [];
  for (let number = 1; number <= 7; number++) ids.push((await start("seven")).InstanceId!);
  expect((await describeInstance(account(), ids[0]!)).Placement?.GroupName).toBe("seven");
  await expect(start("seven")).rejects.toMatchObject({ name: "InsufficientInstanceCapacity" });
  const elsewhere = (await start("seven", "eu-central-1b")).InstanceId!;
  await expect(start("unheard-of")).rejects.toMatchObject({ name: "InvalidPlacementGroup.Unknown" });
  await expect(remove("seven")).rejects.toMatchObject({ name: "InvalidPlacementGroup.InUse" });
  for (const id of [...ids, elsewhere]) {
    await inState(account(), id, "running");
    await terminate(account(), id);
  }
  await remove("seven");
});
