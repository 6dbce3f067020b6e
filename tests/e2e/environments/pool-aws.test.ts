/** A pool at AWS, which grows and shrinks while a class goes on: pool.test.ts has the rest, which no cloud makes a difference to. */
import { expectPermitted } from "../support/awsTests";
import { allInventory, aws } from "../support/clouds";
import { privateIpv4, status } from "../support/hosts";
import { AT_AWS } from "../support/places";
import {
  BALANCER,
  endOn,
  frontEnd,
  meetingsOf,
  meetingsOn,
  node,
  poolIsIn,
  poolOf,
  poolOutputs,
  rake,
  runOf,
  runsOf,
  TURN,
  type PoolOutputs,
} from "../support/pool";
import { expected, scan } from "../support/probes";
import { must, onHost, tryUpdate, update, type Addresses, type Update } from "../support/sandbox";
import { startClass, type SchoolClass } from "../support/schoolClass";
import { turnPeers } from "../support/turn";

poolIsIn("example-aws.test");
const given = (servers: number) => ["--cloud", "aws", ...poolOf(servers, ["--set", "recordingsGb=10"])];
const up = (servers: number) => update("up", "embedded", given(servers));
const create = (id: string) => frontEnd(out).create(id);
const leadsTo = (id: string) => frontEnd(out).serverOf(id);

type Fields = Readonly<Record<string, unknown>>;
const nameOf = ({ Tags = [] }: { readonly Tags?: readonly { Key: string; Value: string }[] }) =>
  Tags.find(({ Key }) => Key === "Name")?.Value;

/** Objects of the account that bear or hold this text, by kind. */
async function holding(text: string): Promise<string[]> {
  const { Records = [] } = await allInventory();
  const [interfaces, addresses, volumes, groups, rules] = await aws(
    ["ec2", "describe_network_interfaces", {}],
    ["ec2", "describe_addresses", {}],
    ["ec2", "describe_volumes", {}],
    ["ec2", "describe_security_groups", {}],
    ["ec2", "describe_security_group_rules", {}],
  );
  const found: Readonly<Record<string, readonly unknown[]>> = {
    servers: await AT_AWS.servers(),
    records: Records,
    interfaces: interfaces!.NetworkInterfaces!,
    addresses: addresses!.Addresses!,
    volumes: volumes!.Volumes!,
    firewalls: groups!.SecurityGroups!,
    rules: rules!.SecurityGroupRules!,
  };
  return Object.entries(found)
    .filter(([, items]) => items.some((item) => JSON.stringify(item).includes(text)))
    .map(([kind]) => kind)
    .sort();
}

/** What a host's security group lets in, as "udp 3478-3478 0.0.0.0/0" for each rule. */
async function letIn(fqdn: string): Promise<string[]> {
  const [answer] = await aws(["ec2", "describe_security_groups", {}]);
  const group = answer!.SecurityGroups!.find((one) => nameOf(one) === fqdn)!;
  return (group.IpPermissions as Fields[])
    .flatMap(({ IpProtocol, FromPort, ToPort, IpRanges, Ipv6Ranges, UserIdGroupPairs }) => {
      const what = `${String(IpProtocol)} ${String(FromPort)}-${String(ToPort)}`;
      expect(UserIdGroupPairs ?? []).toEqual([]);
      return [
        ...((IpRanges ?? []) as { CidrIp: string }[]).map(({ CidrIp }) => `${what} ${CidrIp}`),
        ...((Ipv6Ranges ?? []) as { CidrIpv6: string }[]).map(({ CidrIpv6 }) => `${what} ${CidrIpv6}`),
      ];
    })
    .sort();
}

/** Expects these servers, and no other host, in the one group of the account. */
async function expectGroup(...numbers: readonly number[]): Promise<void> {
  const [groups, instances] = await aws(
    ["ec2", "describe_placement_groups", {}],
    ["ec2", "describe_instances", { Filters: [{ Name: "instance-state-name", Values: ["running"] }] }],
  );
  const [group, ...others] = groups!.PlacementGroups!;
  expect([group!.Strategy, others]).toEqual(["spread", []]);
  const all = instances!.Reservations!.flatMap(({ Instances }) => Instances as Fields[]);
  const placed = all.map((one) => [
    nameOf(one as Parameters<typeof nameOf>[0]),
    (one.Placement as { GroupName?: string }).GroupName || undefined,
  ]);
  expect(Object.fromEntries(placed)).toEqual({
    [BALANCER]: undefined,
    [TURN]: undefined,
    ...Object.fromEntries(numbers.map((number) => [node(number), group!.GroupName])),
  });
}

let out: PoolOutputs & { readonly addresses: Readonly<Record<string, Addresses>> };
let first: Update;
let school: SchoolClass;
/** Runs of what the class meets on, while it goes on. */
let started: string[];
const runs = async () => [
  ...(await runsOf(1, 2)),
  ...[await runOf(TURN, "coturn"), await runOf(BALANCER, "nginx")],
];
let third: { readonly ipv4: string; readonly own: string };

beforeAll(async () => {
  await must(["reset"]);
  first = await up(2);
  out = (await poolOutputs()) as typeof out;
});

describe("two servers from nothing", () => {
  test("each is verified by itself, then the pool through the balancer", () => {
    for (const step of ["bbb-1-verify", "bbb-2-verify", "turn-verify", "balancer-verify"])
      expect(first.stdout).toMatch(new RegExp(`\\+ +command:remote:Command ${step} created`));
  });

  test("meetings land on both, and a join leads to the server of the meeting", async () => {
    for (let i = 1; i <= 4; i++) await create(`m${i}`);
    const found = await meetingsOf(1, 2);
    expect(found.map(({ server }) => server).sort()).toEqual([1, 1, 2, 2]);
    for (const { id, server } of found) expect(await leadsTo(id)).toBe(node(server));
  });

  test("a second run changes nothing, opens no connection and makes no call that could", async () => {
    const counted = async () => {
      const { hosts, mutatingApiCalls } = await status();
      return [mutatingApiCalls, ...hosts.map(({ sshConnections }) => sshConnections)];
    };
    const before = await counted();
    expect((await up(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
    expect(await counted()).toEqual(before);
  });

  test("the servers are in one spread group, and neither the balancer nor the TURN server", async () => {
    await expectGroup(1, 2);
  });

  test("each host lets in what its part of a pool needs, from everywhere, and nothing else", async () => {
    const everywhere = (...rules: string[]) =>
      rules.flatMap((rule) => [`${rule} 0.0.0.0/0`, `${rule} ::/0`]).sort();
    const withOwn = async (fqdn: string, ...rules: string[]) => {
      const found = await letIn(fqdn);
      const other = found.filter((rule) => !/^(icmp(v6)? -1--1|tcp 22-22) /.test(rule));
      expect({ fqdn, other }).toEqual({ fqdn, other: everywhere(...rules) });
      expect(found.filter((rule) => /^tcp 22-22 (0\.0\.0\.0|::)\/0/.test(rule))).toEqual([]);
    };
    await withOwn(BALANCER, "tcp 80-80", "tcp 443-443");
    const server = ["tcp 80-80", "tcp 443-443", "udp 16384-32768"];
    for (const number of [1, 2]) await withOwn(node(number), ...server);
    await withOwn(TURN, ...["tcp 80-80", "tcp 443-443", "tcp 3478-3478", "udp 3478-3478", "udp 32769-65535"]);
  });

  test("a scan of the balancer reaches HTTP and HTTPS alone; Scalelite itself answers nobody else, by no address", async () => {
    const table = [80, 443].map((port) => ({ protocol: "tcp" as const, from: port, to: port, role: "HTTP" }));
    const reached = await scan(BALANCER, out.addresses.balancer!, table, "internet");
    expect(reached).toEqual({ ipv4: expected(table), ipv6: expected(table) });
    const ask = (address: string) => [
      "curl",
      "-s",
      "-m",
      "3",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      `http://${address}:3000/health_check`,
    ];
    expect(await onHost(BALANCER, ask("127.0.0.1"))).toBe("200");
    for (const address of [await privateIpv4(BALANCER), out.addresses.balancer!.ipv4])
      expect(await onHost(node(1), ["bash", "-c", `${ask(address!).join(" ")} || true`])).toBe("000");
  });

  test("a class meets: two people in each of the four, who get their sound by the TURN server", async () => {
    school = await startClass(out, 1, 2);
    started = await runs();
    expect(school.meetings.map(({ people }) => people)).toEqual(Array(4).fill(2));
  });
});

describe("from two to three while meetings run", () => {
  beforeAll(async () => {
    await up(3);
    out = (await poolOutputs()) as typeof out;
    third = { ipv4: out.servers[node(3)]!.ipv4, own: (await privateIpv4(node(3)))! };
  });

  test("nothing restarts on those that were there, and their meetings go on", async () => {
    expect(await runs()).toEqual(started);
    expect(await meetingsOf(1, 2)).toEqual(school.meetings);
  });

  test("the third is in the group, a peer by both of its addresses, and gets new meetings", async () => {
    await expectGroup(1, 2, 3);
    expect(await turnPeers(TURN)).toEqual(expect.arrayContaining([third.ipv4, third.own]));
    await create("m5");
    expect(await leadsTo("m5")).toBe(node(3));
  });
});

describe("from three to two", () => {
  test("with a meeting on the third it is refused, and the third stays with all that it is made of", async () => {
    const before = await holding("bbb-3");
    expect(before).toEqual([
      "addresses",
      "firewalls",
      "interfaces",
      "records",
      "rules",
      "servers",
      "volumes",
    ]);
    const { code, stdout, stderr } = await tryUpdate("up", "embedded", given(2));
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(`${node(3)} stays: it still has 1 meeting`);
    expect(await holding("bbb-3")).toEqual(before);
    expect(await leadsTo("m5")).toBe(node(3));
    expect(await meetingsOn(3)).toEqual(["m5"]);
    expect(await turnPeers(TURN)).toEqual(expect.arrayContaining([third.ipv4, third.own]));
  });

  test("after its end the same command succeeds, and nothing of the server is left", async () => {
    await endOn(3);
    await up(2);
    expect(await holding("bbb-3")).toEqual([]);
    expect(await holding(third.ipv4)).toEqual([]);
    const peers = await turnPeers(TURN);
    expect(peers.filter((peer) => [third.ipv4, third.own].includes(peer))).toEqual([]);
    expect(await rake("servers:yaml[true]")).not.toContain(node(3));
    await expectGroup(1, 2);
    expect((await up(2)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
    await AT_AWS.expectRecorded("sandbox");
  });
});

test("the class went on all the time: nothing restarted, no meeting ended, no relay was cut nor lost anything", async () => {
  expect(await runs()).toEqual(started);
  expect(await meetingsOf(1, 2)).toEqual(school.meetings);
  const relays = await school.stop();
  expect(relays.map(({ lost }) => lost)).toEqual(Array(4).fill(0));
  expect(Math.min(...relays.map(({ sent }) => sent))).toBeGreaterThan(100);
});

test("docs/aws-policy.json permits every call that a pool makes", () => {
  expectPermitted("ec2:CreatePlacementGroup", "ec2:ReleaseAddress");
});

test("destroy leaves nothing of an empty pool", async () => {
  for (const number of [1, 2]) await endOn(number);
  await update("destroy", "embedded");
  expect(await allInventory()).toEqual({});
});
