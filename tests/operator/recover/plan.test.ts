import type { CloudObject, ObjectType } from "../../../operator/inventory";
import { foreignRecords, planOf } from "../../../operator/recover/plan";
import { renderPlan } from "../../../operator/recover/render";
import type { StackState, StateResource } from "../../../operator/recover/state";

const tags = { project: "bigbluebutton", stack: "prod", role: "bbb" };
const resource = (type: string, inputs: Record<string, unknown>): StateResource => ({
  urn: `urn:pulumi:prod::bigbluebutton::${type}::it`,
  type,
  inputs,
});
const object = (
  cloud: "hetzner" | "aws",
  type: ObjectType,
  id: string,
  more: Partial<CloudObject> = {},
): CloudObject => ({
  ...{ cloud, type, id, name: id, labels: tags, protected: false },
  ...more,
});
const killed = (pending: StateResource, resources: StateResource[] = []): StackState => ({
  deployment: { resources, pending_operations: [{ type: "creating", resource: pending }] },
});

test.each([
  ["aws:ec2/instance:Instance", { tags }, object("aws", "server", "i-1"), "i-1"],
  ["aws:ec2/eip:Eip", { tags }, object("aws", "address", "eipalloc-1"), "eipalloc-1"],
  [
    "aws:ec2/networkInterface:NetworkInterface",
    { tags },
    object("aws", "network-interface", "eni-1"),
    "eni-1",
  ],
  ["aws:ec2/securityGroup:SecurityGroup", { tags }, object("aws", "firewall", "sg-1"), "sg-1"],
  ["aws:ebs/volume:Volume", { tags }, object("aws", "volume", "vol-1"), "vol-1"],
  ["aws:ec2/keyPair:KeyPair", { tags, keyName: "k" }, object("aws", "ssh-key", "k"), "k"],
  [
    "aws:iam/role:Role",
    { tags, name: "snapshots-role-1" },
    object("aws", "role", "snapshots-role-1"),
    "snapshots-role-1",
  ],
  [
    "aws:dlm/lifecyclePolicy:LifecyclePolicy",
    { tags },
    object("aws", "snapshot-policy", "policy-1"),
    "policy-1",
  ],
  [
    "aws:route53/record:Record",
    { zoneId: "Z1", name: "bbb", type: "A" },
    object("aws", "server", "i-9"),
    "Z1_bbb_A",
  ],
  [
    "hcloud:index/firewall:Firewall",
    { labels: tags, name: "bbb" },
    object("hetzner", "firewall", "7", { name: "bbb" }),
    "7",
  ],
  [
    "hcloud:index/sshKey:SshKey",
    { labels: tags, name: "k" },
    object("hetzner", "ssh-key", "8", { name: "k" }),
    "8",
  ],
  [
    "hcloud:index/volumeAttachment:VolumeAttachment",
    { volumeId: 5, serverId: 6 },
    object("hetzner", "volume", "5", { server: "6" }),
    "5",
  ],
])("%s is found", (type, inputs, found, id) => {
  const pending = resource(type, inputs);
  const plan = planOf(killed(pending), [found]);
  expect(plan.remedies).toMatchObject([{ what: "adopt", id }]);
  expect(plan.urns).toEqual([pending.urn]);
  expect(plan.state.deployment).toMatchObject({
    resources: [{ id, outputs: { id } }],
    pending_operations: [],
  });
});

test.each([
  [
    "of another stack's labels",
    object("hetzner", "server", "7", { name: "bbb", labels: { ...tags, role: "turn" } }),
  ],
  ["of another name", object("hetzner", "server", "7", { name: "turn" })],
  ["of another type", object("hetzner", "firewall", "7", { name: "bbb" })],
])("what is %s is not it", (_how, found) => {
  const plan = planOf(killed(resource("hcloud:index/server:Server", { labels: tags, name: "bbb" })), [found]);
  expect(plan.remedies).toMatchObject([{ what: "again" }]);
  expect(plan.urns).toEqual([]);
});

test("what a resource of the state is already, a creation has not made", () => {
  const [old, pending] = [1, 2].map((n) => ({
    ...resource("aws:ec2/instance:Instance", { tags }),
    ...(n === 1 ? { id: "i-1" } : {}),
  }));
  const plan = planOf(killed(pending!, [old!]), [object("aws", "server", "i-1")]);
  expect(plan.remedies).toMatchObject([{ what: "again" }]);
});

test("the old one of a replacement that was cut off is still to be deleted", () => {
  const old = { ...resource("aws:ec2/instance:Instance", { tags }), id: "i-1" };
  const objects = [object("aws", "server", "i-1"), object("aws", "server", "i-2")];
  const { state } = planOf(killed(resource("aws:ec2/instance:Instance", { tags }), [old]), objects);
  expect(state.deployment.resources).toMatchObject([{ id: "i-1", delete: true }, { id: "i-2" }]);
});

test("several that could be it are named, and nothing is decided", () => {
  const objects = [object("aws", "server", "i-1"), object("aws", "server", "i-2")];
  expect(() => planOf(killed(resource("aws:ec2/instance:Instance", { tags })), objects)).toThrow(/i-1, i-2/);
});

test("what was changed or deleted is read; what can be done twice is left to the next update", () => {
  const server = { ...resource("hcloud:index/server:Server", { labels: tags, name: "bbb" }), id: "1" };
  const pending = (type: string, one: StateResource) => ({ type, resource: one });
  const state: StackState = {
    deployment: {
      resources: [server],
      pending_operations: [
        pending("deleting", server),
        pending("creating", resource("hcloud:index/rdns:Rdns", {})),
        pending("creating", resource("command:remote:Command", {})),
      ],
    },
  };
  const plan = planOf(state, []);
  expect(plan.remedies.map(({ what }) => what)).toEqual(["read", "again", "again"]);
  expect(plan.urns).toEqual([server.urn]);
});

test("no secret of a killed creation gets into what is taken in", () => {
  const secret = {
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    ciphertext: "v1:x",
  };
  const inputs = { labels: tags, name: "bbb", userData: secret, nested: [{ key: secret }] };
  const plan = planOf(killed(resource("hcloud:index/server:Server", inputs)), [
    object("hetzner", "server", "7", { name: "bbb" }),
  ]);
  expect(plan.state.deployment.resources?.[0]?.outputs).toEqual({ labels: tags, name: "bbb", id: "7" });
});

test("a record that says something else is somebody else's", () => {
  const pending = resource("aws:route53/record:Record", { records: ["203.0.113.1"] });
  const read = (...records: string[]): StackState => ({
    deployment: { resources: [{ ...pending, id: "x", outputs: { records } }] },
  });
  expect(foreignRecords(killed(pending), read("203.0.113.1"))).toEqual([]);
  expect(foreignRecords(killed(pending), read("203.0.113.9"))).toEqual([pending.urn]);
  expect(foreignRecords(killed(pending), { deployment: {} })).toEqual([]);
});

test("a volume and a Storage Box are never offered for removal", () => {
  const plan = planOf({ deployment: {} }, [
    object("hetzner", "volume", "5"),
    object("hetzner", "server", "6"),
    object("hetzner", "storage-box", "7"),
  ]);
  expect(renderPlan(plan, true)).toMatch(
    /volume 5 \(5\) is in no state and stays: .*recordingsVolumeId.*\nserver 6 \(6\) .*is removed\nstorage-box 7 \(7\) is in no state and stays: .*docs\/backup\.md/,
  );
});
