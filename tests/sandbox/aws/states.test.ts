/** In-between states, visible because the delays outlast the test. */
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListHostedZonesCommand,
} from "@aws-sdk/client-route-53";

import { readFileSync } from "node:fs";

import { children } from "../../../sandbox/hosts/processes";
import { useAccount } from "./harness";
import { describeVolume, makeVolume } from "./setUp";

const account = useAccount({ delays: { instance: 0, volume: 3_600_000, dns: 3_600_000 } });

test("a new volume is being created", async () => {
  const { VolumeId, State } = await makeVolume(account());
  expect(State).toBe("creating");
  expect((await describeVolume(account(), VolumeId!)).State).toBe("creating");
});

test("a change of records is pending, under an id of its own", async () => {
  const { HostedZones } = await account().clients.route53.send(new ListHostedZonesCommand());
  const change = async (Name: string): Promise<string> => {
    const { ChangeInfo } = await account().clients.route53.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: HostedZones![0]!.Id,
        ChangeBatch: {
          Changes: [
            {
              Action: "CREATE",
              ResourceRecordSet: { Name, Type: "A", TTL: 60, ResourceRecords: [{ Value: "203.0.113.200" }] },
            },
          ],
        },
      }),
    );
    expect(ChangeInfo!.Status).toBe("PENDING");
    return ChangeInfo!.Id!;
  };
  const ids = [await change("one.example-aws.test"), await change("two.example-aws.test")];
  expect(ids[0]).not.toBe(ids[1]);
  for (const Id of ids) {
    expect((await account().clients.route53.send(new GetChangeCommand({ Id }))).ChangeInfo!.Status).toBe(
      "PENDING",
    );
  }
});

test("moto's end is noticed, and what it knew is told to the next", async () => {
  const { VolumeId } = await makeVolume(account());
  const [moto] = children(process.pid).filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("moto_server.py"),
  );
  process.kill(moto!, "SIGKILL");
  await account().api.ended;
  await account().restart();
  expect(await describeVolume(account(), VolumeId!)).toMatchObject({ VolumeId, Size: 10, Encrypted: true });
});
