import { checkClouds, type ListObjects } from "../../../operator/check/cloud";
import { NotAsked, type Finding } from "../../../operator/check/finding";
import type { CloudObject } from "../../../operator/inventory";
import type { StackResource } from "../../../operator/stacks";

const LABELS = { project: "bigbluebutton", stack: "prod", role: "bbb" };

function resource(type: string, name: string, id: string, inputs: object = {}): StackResource {
  return {
    urn: `urn::${name}`,
    type,
    name,
    id,
    protect: false,
    inputs: inputs as StackResource["inputs"],
    outputs: {},
  };
}

const HETZNER = [
  resource("hcloud:index/server:Server", "bbb-host-server", "11"),
  resource("hcloud:index/primaryIp:PrimaryIp", "bbb-host-ipv4", "12"),
  resource("hcloud:index/firewall:Firewall", "bbb-host-firewall", "13", {
    rules: [
      { direction: "in", protocol: "tcp", port: "22", sourceIps: ["198.51.100.7/32", "2001:DB8::/48"] },
      { direction: "in", protocol: "icmp", sourceIps: ["0.0.0.0/0", "::/0"] },
    ],
  }),
  resource("hcloud:index/volume:Volume", "bbb-host-volume", "14"),
  resource("hcloud:index/volumeAttachment:VolumeAttachment", "bbb-host-volume-attachment", "14", {
    volumeId: 14,
    serverId: 11,
  }),
  resource("command:remote:Command", "bbb-verify", "x"),
  resource("hcloud:index/zoneRrset:ZoneRrset", "bbb-a", "bbb/A"),
];

const object = (type: CloudObject["type"], id: string, more: Partial<CloudObject> = {}): CloudObject => ({
  ...{ cloud: "hetzner", type, id, name: `name-${id}`, labels: LABELS, protected: false },
  ...more,
});

const INBOUND = [
  { protocol: "icmp", sources: ["::/0", "0.0.0.0/0"] },
  { protocol: "tcp", port: "22", sources: ["2001:db8::/48", "198.51.100.7/32"] },
] as const;

const THERE = [
  object("server", "11", { status: "running", server: "11" }),
  object("address", "12", { server: "11" }),
  object("firewall", "13", { appliedTo: ["11"], inbound: INBOUND }),
  object("volume", "14", { server: "11" }),
  object("record-set", "example.org/bbb/A"),
];

async function findings(
  objects: readonly CloudObject[],
  resources: readonly StackResource[] = HETZNER,
): Promise<Record<string, Finding>> {
  const list: ListObjects = (_, project) => Promise.resolve(project === "bigbluebutton" ? objects : []);
  const sections = await checkClouds({ project: "bigbluebutton", stack: "prod", resources }, list);
  expect(sections.length).toBe(1);
  return Object.fromEntries(sections[0]!.findings.map((finding) => [finding.name, finding]));
}

/** Objects with one of them changed, or left out. */
const but = (id: string, change?: Partial<CloudObject>) =>
  THERE.flatMap((one) => (one.id !== id ? [one] : change ? [{ ...one, ...change }] : []));

test("all as the state has it", async () => {
  const found = await findings(THERE);
  expect(Object.values(found).map(({ verdict, name, answer }) => [verdict, name, answer])).toEqual([
    ["ok", "resources", "4 there"],
    ["ok", "servers", "bbb-host-server is running"],
    ["ok", "firewalls", "bbb-host-firewall as deployed, 4 rules"],
    ["ok", "volume", "bbb-host-volume is attached"],
  ]);
});

test.each([
  [
    "a volume that is gone",
    but("14"),
    "resources",
    "FAIL",
    "bbb-host-volume (volume 14) is not there; 3 there",
  ],
  ["a server that is off", but("11", { status: "off" }), "servers", "FAIL", "bbb-host-server is off"],
  [
    "a firewall that is not attached",
    but("13", { appliedTo: ["99"] }),
    "firewalls",
    "FAIL",
    "bbb-host-firewall is not attached to its server",
  ],
  [
    "a rule that is gone",
    but("13", { inbound: [INBOUND[1]] }),
    "firewalls",
    "FAIL",
    "bbb-host-firewall lacks icmp from 0.0.0.0/0, icmp from ::/0",
  ],
  [
    "SSH from everywhere",
    but("13", { inbound: [...INBOUND, { protocol: "tcp", port: "22", sources: ["0.0.0.0/0"] }] }),
    "firewalls",
    "FAIL",
    "bbb-host-firewall lets in more: 22/tcp from 0.0.0.0/0",
  ],
  [
    "a volume that was detached",
    but("14", { server: undefined }),
    "volume",
    "FAIL",
    "bbb-host-volume is attached to no server",
  ],
  [
    "a volume at another server",
    but("14", { server: "99" }),
    "volume",
    "FAIL",
    "bbb-host-volume is attached to server 99",
  ],
  [
    "one that the state does not have",
    [...THERE, object("volume", "77", { name: "left" })],
    "resources",
    "warn",
    "volume left (77) is not in the state; 4 there",
  ],
] as const)("%s", async (_, objects, name, verdict, answer) => {
  const found = await findings(objects);
  expect(found[name]).toMatchObject({ verdict, answer, remedy: expect.any(String) as string });
});

test("what other stacks have is none of this one's business", async () => {
  const others = object("volume", "77", { labels: { ...LABELS, stack: "staging" } });
  expect(await findings([...THERE, others])).toMatchObject({ resources: { verdict: "ok" } });
});

test("at AWS the rules are resources of their own, and DNS records have no tags", async () => {
  const rule = (id: string, inputs: object) =>
    resource("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", id, id, {
      securityGroupId: "sg-1",
      ...inputs,
    });
  const resources = [
    resource("aws:ec2/instance:Instance", "turn-host-server", "i-1"),
    resource("aws:ec2/securityGroup:SecurityGroup", "turn-host-firewall", "sg-1"),
    rule("sgr-1", { ipProtocol: "tcp", fromPort: 443, toPort: 443, cidrIpv4: "0.0.0.0/0" }),
    rule("sgr-2", { ipProtocol: "udp", fromPort: 32769, toPort: 65535, cidrIpv6: "::/0" }),
    rule("sgr-3", { ipProtocol: "icmp", fromPort: -1, toPort: -1, cidrIpv4: "0.0.0.0/0" }),
    rule("sgr-4", {
      ipProtocol: "tcp",
      fromPort: 22,
      toPort: 22,
      cidrIpv4: "198.51.100.7/32",
      securityGroupId: "sg-9",
    }),
    resource("aws:route53/record:Record", "turn-a", "Z1_turn.example.org_A"),
  ];
  const inbound = [
    { protocol: "tcp", port: "443", sources: ["0.0.0.0/0"] },
    { protocol: "udp", port: "32769-65535", sources: ["::/0"] },
    { protocol: "icmp", sources: ["0.0.0.0/0"] },
  ] as const;
  const aws = { cloud: "aws" } as const;
  const found = await findings(
    [
      object("server", "i-1", { ...aws, status: "running" }),
      object("firewall", "sg-1", { ...aws, appliedTo: ["i-1"], inbound }),
    ],
    resources,
  );
  expect(Object.values(found).map(({ verdict, name }) => `${verdict} ${name}`)).toEqual([
    ...["ok resources", "ok servers", "ok firewalls"],
  ]);
  expect(found.firewalls?.answer).toBe("turn-host-firewall as deployed, 3 rules");
});

test("without a token nothing is asked, and that is said once", async () => {
  const sections = await checkClouds({ project: "bigbluebutton", stack: "prod", resources: HETZNER }, () =>
    Promise.reject(new NotAsked("no HCLOUD_TOKEN")),
  );
  expect(sections).toMatchObject([
    { place: "Hetzner Cloud", findings: [{ verdict: "skip", answer: "no HCLOUD_TOKEN" }] },
  ]);
  expect(sections[0]?.findings.length).toBe(1);
});

test("a cloud that can't be asked is one failure", async () => {
  const list: ListObjects = () => Promise.reject(new Error("the API token is not valid"));
  const sections = await checkClouds({ project: "p", stack: "prod", resources: HETZNER }, list);
  expect(sections.map(({ findings }) => findings)).toMatchObject([
    [{ name: "resources", verdict: "FAIL", answer: "could not be asked: the API token is not valid" }],
  ]);
});
