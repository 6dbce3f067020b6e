import { keyOf } from "../../operator/inventory/keys";
import { exportedResources } from "../../operator/stackExport";

const sealed = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:x" };
const urn = (type: string, name: string) =>
  `urn:pulumi:test-a::bigbluebutton::bbb:index:Host$${type}::${name}`;

test("resources come with their labels, and without their secrets", () => {
  const type = "hcloud:index/server:Server";
  const resources = exportedResources({
    version: 3,
    deployment: {
      resources: [
        {
          urn: urn(type, "bbb-host-server"),
          type,
          id: "17",
          protect: true,
          inputs: { labels: { stack: "test-a" }, userData: sealed, list: [sealed, 1] },
          outputs: { ipv4: "203.0.113.1", nested: { key: sealed } },
          created: "2026-11-21T08:00:00Z",
        },
        { urn: urn("bbb:index:Host", "bbb-host"), type: "bbb:index:Host" },
      ],
    },
  });
  expect(resources).toEqual([
    {
      urn: urn(type, "bbb-host-server"),
      type,
      name: "bbb-host-server",
      id: "17",
      protect: true,
      inputs: { labels: { stack: "test-a" }, userData: "[secret]", list: ["[secret]", 1] },
      outputs: { ipv4: "203.0.113.1", nested: { key: "[secret]" } },
      created: new Date("2026-11-21T08:00:00Z"),
    },
    expect.objectContaining({ name: "bbb-host", id: undefined, protect: false, inputs: {}, outputs: {} }),
  ]);
  expect(JSON.stringify(resources)).not.toContain("v1:x");
});

test.each([[undefined], [{}], [{ version: 3, deployment: {} }]])("%j has none", (exported) => {
  expect(exportedResources(exported)).toEqual([]);
});

test.each([
  ["hcloud:index/primaryIp:PrimaryIp", "5", {}, "hetzner address 5"],
  [
    "hcloud:index/zoneRrset:ZoneRrset",
    "bbb/A",
    { zone: "example.org" },
    "hetzner record-set example.org/bbb/A",
  ],
  ["aws:ec2/instance:Instance", "i-1", {}, "aws server i-1"],
  ["aws:ec2/keyPair:KeyPair", "bigbluebutton-test-a", {}, "aws ssh-key bigbluebutton-test-a"],
  ["hcloud:index/rdns:Rdns", "p-5-1", {}, undefined],
  ["aws:route53/record:Record", "Z_a_A", {}, undefined],
])("%s %s is known at its cloud as that", (type, id, inputs, key) => {
  const resource = { urn: urn(type, "x"), type, name: "x", id, protect: false, inputs, outputs: {} };
  expect(keyOf(resource)).toBe(key);
  expect(keyOf({ ...resource, id: undefined })).toBeUndefined();
});
