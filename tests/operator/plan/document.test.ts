import { Socket } from "node:net";

import { quote } from "shell-quote";

import { parseSettings } from "../../../settings";
import { portRange, type PortRule } from "../../../bigbluebutton/ports";
import { exitCode, makePlan, type Plan } from "../../../operator/plan/document";
import { certificateLimits } from "../../../operator/plan/limits";
import { renderPlan } from "../../../operator/plan/page";
import type { Price } from "../../../operator/plan/price";
import { world } from "../../support/awsWorld";
import { runProgram, type Run } from "../../support/program";

/** Trunk by address, whose settings have no secret. */
const dialIn = {
  ...{ number: "7700", networks: ["198.51.100.9"], pinDigits: 9 },
  gateway: { host: "10.0.0.5", register: false },
};

const base = {
  ...{ domain: "example.org", email: "a@school.org", sshNetworks: ["198.51.100.0/24", "2001:db8:1::/48"] },
  ...{ recordingsGb: 50 },
};

const prodTypes = { serverType: "c7a.2xlarge", turnServerType: "c7a.large" };

const cases: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  staging: { environment: "staging" },
  prod: { environment: "prod", recordingsGb: 200 },
  "test, without a volume and with Greenlight": { recordingsGb: 0, greenlight: true, acmeServer: "staging" },
  "an adopted volume": { environment: "prod", recordingsVolumeId: "4711" },
  "prod at AWS": {
    ...{ environment: "prod", cloud: "aws", ...prodTypes },
    metrics: { networks: ["198.51.100.9/32", "2001:db8:1::/48"] },
  },
  "TURN at AWS, records by hand": { turnCloud: "aws", dns: "manual", metrics: true },
  "an old release": { release: "xenial-22", allowEndOfLife: true, image: "4712" },
};

/** Settings that are planned only. */
const others = {
  "a subnet of AWS": { cloud: "aws", dns: "hetzner", subnetId: "subnet-12345678" },
  "few snapshots": { ...cases["prod at AWS"], snapshotDays: 3 },
  "for a while": { acmeServer: "staging", greenlight: true, expires: "1800000000", dialIn },
  problems: { email: "nobody", serverType: "cax31" },
  small: {},
  "baked images": { image: "baked", turnImage: "baked-or-stock" },
  pool: {
    ...{ environment: "prod", servers: 20, recordingsGb: 0, meetings: { recording: "never" } },
  },
  "pool at AWS": {
    ...{ environment: "prod", cloud: "aws", ...prodTypes, servers: 4, recordingsGb: 0 },
    ...{
      meetings: { recording: "never" },
      metrics: true,
      alerts: { webhook: { form: "slack", url: "https://hooks.school.org/x" } },
    },
  },
  "another stack's TURN server": { turnStack: "prod", hostname: "second" },
};

const context = { project: "bigbluebutton", stack: "staging" };

/** Time limit for a machine that is slow to load the packages of two clouds. */
const LONG = 300_000;

/** Plans, made before runProgram replaces parts of the program. */
const plans = new Map<string, Plan>();
/** Hosts that were connected to for them. */
let hosts: readonly (string | undefined)[];
beforeAll(async () => {
  const connect = jest.spyOn(Socket.prototype, "connect");
  for (const [name, more] of Object.entries({ ...cases, ...others })) {
    const given = {
      ...context,
      settings: { ...base, ...more },
      encrypted: [],
      partly: {},
      elsewhere: [],
      warnings: [],
    };
    const users = name === "pool" ? 3900 : undefined;
    plans.set(name, await makePlan(given, { now: new Date(0), users }));
  }
  // Node hands on the arguments of its own functions as one.
  hosts = connect.mock.calls.map((given) => (given.flat() as { readonly host?: string }[])[0]?.host);
  connect.mockRestore();
}, LONG);

function planOf(name: keyof typeof others | "prod"): Plan {
  return plans.get(name)!;
}

test("asks no cloud", () => {
  // At this one the SDK serves hooks.
  expect(hosts.filter((host) => host !== "127.0.0.1")).toEqual([]);
});

describe.each(Object.entries(cases))("%s", (name, more) => {
  let plan: Plan;
  let run: Run;
  beforeAll(async () => {
    const raw = { ...base, ...more };
    plan = plans.get(name)!;
    // As a plan assumes it: without IPv6.
    const subnets = world.subnets.map(({ ipv6CidrBlock: _none, ...subnet }) => subnet);
    run = await runProgram({ settings: parseSettings(raw, context), aws: { subnets } });
  }, LONG);

  test("has no problem", () => {
    expect({ problems: plan.problems, standIns: plan.standIns }).toEqual({ problems: [], standIns: [] });
  });

  test("the resources, and what protects them, are those that the program registers", () => {
    const { resources, resourceCount } = plan.deployment!;
    expect(resourceCount).toBe(run.resources.length + 1);
    const names = resources.flatMap(({ names }) => names);
    expect([...names].sort()).toEqual(run.resources.map(({ name }) => name).sort());
    for (const { names, type, count, protectedInPulumi, protectedAtCloud } of resources) {
      const registered = run.resources.filter(
        (one) => names.includes(one.name) && one.type.replace(/\/.*:/, ":").startsWith(type),
      );
      expect({ type, count, protectedInPulumi, protectedAtCloud }).toEqual({
        type,
        count: registered.length,
        protectedInPulumi: registered.filter(({ protect }) => protect).length,
        protectedAtCloud: registered.filter(
          ({ inputs }) => inputs.deleteProtection === true || inputs.disableApiTermination === true,
        ).length,
      });
    }
  });

  test("the steps are the program's, in an order that keeps every dependency", () => {
    const { steps } = plan.deployment!;
    const commands = run
      .ofType("command:remote:Command")
      .filter(({ name }) => !/-(resumed|release)$/.test(name));
    expect(steps).toHaveLength(commands.length);
    for (const { role, title, script } of steps) {
      const texts = commands.map(({ inputs }) => String(inputs.create));
      const own = texts.filter((text) => text.includes(` ${role} ${quote([title])} `));
      expect({ title, own: own.length }).toEqual({ title, own: 1 });
      if (script !== "connect.sh") expect(own[0]).toContain(script);
    }
    expect(steps.filter(({ role }) => role === "bbb").map(({ number }) => number)).toEqual(
      commands.filter(({ name }) => name.startsWith("bbb-")).map((_one, i) => i + 1),
    );
  });

  test("the open ports are the firewall's", () => {
    for (const { role, ports } of plan.deployment!.hosts) {
      const planned = ports.flatMap(({ protocol, port, from }) =>
        from.map((network) => `${protocol} ${port ?? "-"} ${network}`),
      );
      expect([...planned].sort()).toEqual(firewallOf(run, role).sort());
    }
  });

  test("the records are those that the program asks for", () => {
    const { hosts, dns } = plan.deployment!;
    const planned = hosts.flatMap(({ fqdn, records }) => records.map((type) => `${fqdn} ${type}`));
    const zone = (name: string) => (name.includes("example.org") ? name : `${name}.example.org`);
    const asked = run.resources
      .filter(({ type }) => /ZoneRrset|route53\/record/.test(type))
      .map(({ inputs }) => `${zone(inputs.name as string)} ${inputs.type}`);
    const told = run.messages.flatMap((text) =>
      [...text.matchAll(/(\S+)\. 300 IN (A+) /g)].map(([, name, type]) => `${name} ${type}`),
    );
    expect([...planned].sort()).toEqual((dns === "manual" ? told : asked).sort());
  });
});

function firewallOf(run: Run, role: string): string[] {
  const rules = run
    .ofType("hcloud:index/firewall:Firewall")
    .filter(({ name }) => name === `${role}-host-firewall`)
    .flatMap(({ inputs }) => inputs.rules as { protocol: string; port?: string; sourceIps: string[] }[]);
  const hetzner = rules.flatMap(({ protocol, port, sourceIps }) =>
    sourceIps.map((network) => `${protocol} ${port ?? "-"} ${network}`),
  );
  const aws = run
    .ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    .filter(({ name }) => name.startsWith(`${role}-host-`))
    .map(({ inputs }) => {
      const { ipProtocol, fromPort, toPort, cidrIpv4, cidrIpv6 } = inputs;
      const port = fromPort < 0 ? "-" : portRange({ from: fromPort, to: toPort } as PortRule);
      return `${String(ipProtocol).replace("v6", "")} ${port} ${cidrIpv4 ?? cidrIpv6}`;
    });
  return [...hetzner, ...aws];
}

test("what is taken for granted is named", () => {
  expect(planOf("small").deployment!.assumptions).toContain(
    "the zone example.org is in the Hetzner project that the token opens, and no record of another owner has the servers' names",
  );
  const { deployment } = planOf("a subnet of AWS");
  expect(deployment!.assumptions.slice().sort()).toEqual([
    "eu-central-1 has the image ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*",
    "eu-central-1 has the image ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*",
    "eu-central-1 offers c7a.large in the availability zone of that subnet",
    "eu-central-1 offers c7a.xlarge in the availability zone of that subnet",
    "subnet-12345678 is a public subnet in eu-central-1, without IPv6",
    "the zone example.org is in the Hetzner project that the token opens, and no record of another owner has the servers' names",
  ]);
});

test("baked images are named, with what is installed on them in less time", () => {
  const [stock, baked] = [planOf("small"), planOf("baked images")].map(({ deployment }) => deployment!);
  expect(baked!.hosts.map((host) => host.baked)).toEqual(["required", "preferred"]);
  expect(stock!.hosts.map((host) => host.baked)).toEqual([null, null]);
  expect(baked!.duration.seconds[1]).toBeLessThan(stock!.duration.seconds[1] / 2);
  expect(baked!.assumptions.join()).toContain("Hetzner Cloud has the baked images that the settings ask for");
});

test("another stack's TURN server is not planned, but taken for granted", () => {
  const { deployment } = planOf("another stack's TURN server");
  expect(deployment!.hosts.map(({ role }) => role)).toEqual(["bbb"]);
  expect(deployment!.certificates.names).toEqual(["second.example.org"]);
  expect(new Set(deployment!.steps.map(({ role }) => role))).toEqual(new Set(["bbb"]));
  expect(deployment!.downloads.map(({ to }) => to)).not.toContain("turn");
  expect(deployment!.assumptions).toContain(
    "the stack prod has a TURN server, and this one's address in its turnPeers",
  );
});

test("what follows from the settings of prod", () => {
  expect(planOf("prod").deployment).toMatchObject({
    release: "jammy-30",
    environment: { name: "prod", protect: true, protectRecordings: true, strict: true, expires: null },
    certificates: { trustedByBrowsers: true, names: ["bbb.example.org", "turn.example.org"] },
    recordings: { volume: "new", sizeGb: 200, protected: true, snapshotDays: 0 },
    backupDays: 7,
    urls: { url: "https://bbb.example.org", api: "https://bbb.example.org/bigbluebutton/api" },
    prices: [
      {
        ...{ cloud: "hetzner", asked: false, failed: false, why: "not asked (no HCLOUD_TOKEN)" },
        // 138.99 + 20 % of it + 43.49 + two addresses of 0.50 + 200 GB of 0.0572
        estimate: { currency: "EUR", sum: "222.72", missing: [] },
      },
    ],
    // 138.99 + 20 % of it, against 10 GB of 0.0143
    parking: { cloud: "hetzner", running: "166.79", parked: "0.14" },
    comparison: [
      { cloud: "hetzner", sum: "222.72" },
      // 730 hours of 0.41056 and 0.10264, two addresses of 0.005 an hour, 100 + 16 + 200 GB of 0.08
      { cloud: "aws", sum: "407.22" },
    ],
  });
});

test("what follows from settings at AWS", () => {
  expect(planOf("few snapshots").deployment).toMatchObject({
    recordings: { snapshotDays: 3 },
    backupDays: 3,
    parking: { cloud: "aws", parked: "8.00", kept: "its disk of 100 GB" },
    prices: [
      {
        cloud: "aws",
        asked: false,
        positions: [
          "BigBlueButton address: public IPv4, in use",
          "BigBlueButton disk: EBS gp3, 100 GB",
          "BigBlueButton recordings: EBS gp3, 50 GB",
          "BigBlueButton server: EC2 c7a.2xlarge, Linux, on demand",
          "TURN address: public IPv4, in use",
          "TURN disk: EBS gp3, 16 GB",
          "TURN server: EC2 c7a.large, Linux, on demand",
          "snapshots: EBS, by the GB that change",
          "data transfer out, with many cameras the largest part",
        ],
      },
    ],
  });
});

test("dial-in in words, without any secret, and its port for its networks", () => {
  const { dialIn, hosts } = planOf("for a while").deployment!;
  expect(dialIn).toEqual({
    ...{ number: "7700", networks: ["198.51.100.9/32"], gateway: "10.0.0.5:5060" },
    ...{ registersAs: null, pinDigits: 9, greeting: expect.stringContaining("%%DIALNUM%%") as string },
  });
  expect(hosts[0]!.ports.find(({ port }) => port === "5060")).toMatchObject({
    ...{ protocol: "udp", from: ["198.51.100.9/32"] },
  });
});

test("what follows from the settings of a test", () => {
  const { environment, certificates, downloads, greenlight } = planOf("for a while").deployment!;
  const nothing = { mail: null, signInAt: null, registration: null, defaultRole: null, roomLimit: null };
  expect(greenlight).toEqual({ admin: null, ...nothing });
  expect(environment).toMatchObject({ protect: false, strict: false, expires: "2027-01-15T08:00:00.000Z" });
  expect(certificates.trustedByBrowsers).toBe(false);
  expect(downloads.map(({ to, what }) => `${to}: ${what}`)).toEqual([
    "this machine: Pulumi's plugins command, hcloud, random, tls, at the first update",
    "bbb: bbb-install (no sha256 to check it by)",
    "bbb: BigBlueButton 3.0 and what it needs",
    "bbb: Greenlight, as container images",
    "turn: coturn and certbot",
    ...Array<string>(4).fill("bbb: a root of the staging authority"),
    ...Array<string>(4).fill("turn: a root of the staging authority"),
  ]);
});

test("metrics: where they are, who may ask, and what they download", () => {
  expect(planOf("small").deployment!.metrics).toBeNull();
  const { metrics, downloads } = planOf("few snapshots").deployment!;
  expect(metrics).toEqual({
    urls: [
      "https://bbb.example.org/metrics/bigbluebutton",
      "https://bbb.example.org/metrics/host",
      "https://turn.example.org:9100/metrics",
    ],
    networks: ["198.51.100.9/32", "2001:db8:1::/48"],
  });
  expect(downloads.map(({ what }) => what)).toContain("bigbluebutton-exporter (its sha256 is checked)");
});

test("the size of AWS's plugin is told with who measured it", () => {
  const { downloads } = planOf("a subnet of AWS").deployment!;
  expect(downloads[0]!.what).toMatch(
    /plugins aws, .* \(aws: 137 MB, .* measured at 6\.60: https:\S+\/4383\), at the first update$/,
  );
});

test("problems don't keep the rest from being planned", () => {
  const { problems, deployment } = planOf("problems");
  expect(problems.map(({ key }) => key)).toEqual(["email", "serverType"]);
  expect(deployment!.hosts[0]).toMatchObject({ serverType: "ccx23" });
});

test("the exit code tells of problems, of a host that is too small, and of a price that can't be told", () => {
  const small = planOf("small");
  expect(exitCode(small)).toBe(0);
  expect(exitCode(planOf("problems"))).toBe(1);
  expect(exitCode({ ...small, deployment: null })).toBe(1);
  const deployment = small.deployment!;
  const [bbb, turn] = deployment.hosts;
  const tooSmall = { ...bbb!, fit: { ...bbb!.fit, verdict: "too small" as const } };
  expect(exitCode({ ...small, deployment: { ...deployment, hosts: [tooSmall, turn!] } })).toBe(1);
  const failed = { ...deployment.prices[0]!, asked: false as const, why: "", failed: true } as Price;
  expect(exitCode({ ...small, deployment: { ...deployment, prices: [failed] } })).toBe(1);
});

describe("a pool of 20 servers", () => {
  const pool = () => plans.get("pool")!.deployment!;

  test("has a balancer and a TURN server beside them", () => {
    const hosts = pool().hosts.map(({ role, fqdn, serverType }) => `${role} ${fqdn} ${serverType}`);
    expect(hosts).toHaveLength(22);
    expect(hosts).toEqual(
      expect.arrayContaining([
        "balancer bbb.example.org cpx32",
        "turn turn.example.org ccx13",
        "bbb bbb-1.example.org ccx33",
        "bbb bbb-20.example.org ccx33",
      ]),
    );
  });

  test("names the limits of the account and of the certificate authority", () => {
    const [hetzner, certificates] = pool().limits;
    expect(hetzner).toMatch(
      /^Hetzner Cloud: 22 servers .*162 dedicated virtual CPUs, 4 shared ones, 44 primary IPs, 2 placement groups/,
    );
    expect(hetzner).toContain("(ccx13, cpx32, 20 × ccx33)");
    expect(hetzner).toContain("2 placement groups of at most 10 servers");
    expect(certificates).toMatch(
      /^Let's Encrypt: 22 certificates at first, of 50 a week for a domain; 5 a week for a server that is made anew$/,
    );
    const many = Array.from({ length: 52 }, () => pool().hosts[0]!);
    const largest = certificateLimits(
      parseSettings({ ...base, ...others.pool, servers: "50" }, { project: "p", stack: "s" }),
      many,
    );
    expect(largest).toEqual([
      expect.stringMatching(/^Let's Encrypt: 52 certificates .* a wildcard certificate \(certificateFile\)/),
    ]);
    const [aws] = plans.get("pool at AWS")!.deployment!.limits;
    expect(aws).toMatch(
      /^AWS: 6 servers \(2 × c7a\.large, 4 × c7a\.2xlarge\), 36 dedicated virtual CPUs, 6 Elastic IPs, where a new account has 5 in a region, 1 placement group of at most 7 servers/,
    );
  });

  test("says how many people it carries, with one server away, and what one more costs", () => {
    expect(pool().pool).toEqual({
      ...{ servers: 20, people: 4000, peopleLessOne: 3800, largestMeeting: 200, wanted: 21 },
      each: { currency: "EUR", net: "139.49", day: "2026-06-15" },
    });
    // With the disk that EC2's types have not.
    const net = (0.41056 * 730 + 0.005 * 730 + 100 * 0.08).toFixed(2);
    expect(plans.get("pool at AWS")!.deployment!.pool!.each).toMatchObject({ currency: "USD", net });
    expect(plans.get("prod")!.deployment!.pool).toBeNull();
  });

  test("has a certificate for each host, no copies of its servers' disks, and none is parked", () => {
    expect(pool().certificates.names).toHaveLength(22);
    expect([pool().backupDays, pool().parking]).toEqual([0, null]);
    expect(
      pool()
        .downloads.filter(({ to }) => to === "balancer")
        .map(({ what }) => what),
    ).toEqual(["PostgreSQL, Redis, nginx, docker and certbot", "Scalelite, as container images"]);
    expect(plans.get("pool at AWS")!.deployment!.metrics!.urls).toEqual(
      expect.arrayContaining([
        "https://bbb-4.example.org/metrics/bigbluebutton",
        "https://bbb.example.org/metrics/host",
      ]),
    );
  });

  test("stands on a page in which its servers are one line, each sum is right, and no line is too long", () => {
    const page = renderPlan(plans.get("pool")!, 120);
    expect(page.match(/bbb-\d+\.example\.org/g)).toEqual(
      Array(2).fill(["bbb-1.example.org", "bbb-20.example.org"]).flat(),
    );
    expect(page).toMatch(
      /^ {2}pool +20 servers carry about 4000 people in all meetings together, about 3800 while/m,
    );
    expect(page.replace(/\s+/g, " ")).toContain(
      "pulumi config set servers 21. One server more or less: about EUR 139.49 a month",
    );
    expect(page).toMatch(/^ {2}20 × BigBlueButton server, ccx33 in fsn1 +2779\.80$/m);
    expect(page).toMatch(/^ {2}recordings +on the balancer's own disk/m);
    expect(page).toMatch(/^Steps: .* all hosts side by side$/m);
    expect(page.split("\n").length).toBeLessThan(160);
    expect(page.split("\n").filter((line) => line.length > 120)).toEqual([]);
  });

  test("costs what its servers cost", () => {
    const [price] = pool().prices as readonly { readonly estimate?: { readonly sum: string } }[];
    const published = 20 * 138.99 + 43.49 + 35.99 + 22 * 0.5;
    expect(Number(price!.estimate!.sum)).toBeCloseTo(published, 0);
  });

  test("tells the steps of each kind of host once", () => {
    const titles = pool().steps.map(({ role, title }) => `${role}: ${title}`);
    expect(new Set(titles).size).toBe(titles.length);
    expect(titles).toEqual(
      expect.arrayContaining([
        "balancer: Take a server into the pool",
        "balancer: Verify the pool",
        "bbb: Tell the balancer what runs here",
        "turn: Hold a server as a peer of coturn",
      ]),
    );
  });
});
