import type { EngineEvent } from "@pulumi/pulumi/automation";

import { changeOf } from "../../cli/pulumiEvents";
import { changesLabelsOnly } from "../../operator/testServers/change";

const urn =
  "urn:pulumi:test-a::bigbluebutton::bbb:index:HetznerHost$hcloud:index/primaryIp:PrimaryIp::bbb-host-ipv4";

/** Update in the CLI's announcement. */
function update(metadata: object): EngineEvent {
  const type = "hcloud:index/primaryIp:PrimaryIp";
  return {
    resourcePreEvent: { metadata: { op: "update", urn, type, ...metadata } },
  } as EngineEvent;
}

const address = { name: "a-ipv4", type: "ipv4", location: "fsn1", labels: { stack: "a", expires: "1" } };

test("without a detailed diff, the inputs that differ; not the outputs that are not known yet", () => {
  const change = changeOf(
    update({
      old: { inputs: address, outputs: { ...address, assigneeId: 4711, datacenter: "fsn1-dc14" } },
      new: { inputs: { ...address, labels: { stack: "a", expires: "2" } } },
      diffs: ["assigneeId", "assigneeType", "datacenter", "ipAddress", "labels"],
    }),
  )!;
  expect(change).toMatchObject({ name: "bbb-host-ipv4", step: "update", paths: ["labels"] });
  expect(changesLabelsOnly(change)).toBe(true);
});

test.each([
  ["a new input", { ...address, autoDelete: false }, "autoDelete"],
  ["one that is gone", { name: address.name, type: "ipv4", labels: address.labels }, "location"],
  ["another value", { ...address, name: "b-ipv4" }, "name"],
])("%s is told", (_, inputs, key) => {
  const change = changeOf(update({ old: { inputs: address }, new: { inputs }, diffs: ["labels"] }))!;
  expect(change.paths).toEqual([key]);
  expect(changesLabelsOnly(change)).toBe(false);
});

test("of two secrets, which look alike, the provider's word counts", () => {
  const inputs = { ...address, userData: "[secret]" };
  const closed = (diffs: string[]) => changeOf(update({ old: { inputs }, new: { inputs }, diffs }))!.paths;
  expect(closed(["userData", "labels"])).toEqual(["userData"]);
  expect(closed(["assigneeId"])).toEqual([]);
});

test("a detailed diff is taken as it is", () => {
  const change = changeOf(update({ detailedDiff: { "labels.expires": {} }, diffs: ["labels"] }));
  expect(change!.paths).toEqual(["labels.expires"]);
});
