import { nodeName, nodeNumbers } from "../../bigbluebutton/pool";
import { releases } from "../../bigbluebutton/releases";
import * as pulumi from "@pulumi/pulumi";

import { partOfNode } from "../../bigbluebutton/alerts";
import { exporter, renderScrapeConfig } from "../../bigbluebutton/metrics";
import type { PoolCheckOutput } from "../../bigbluebutton/verification";
import type { PoolSettings } from "../../settings";
import {
  atAws,
  changed,
  idOf,
  reveal,
  runProgram,
  secretOf,
  settings,
  type Run,
  type Variation,
} from "../support/program";

const pool = (nodes: number): PoolSettings => ({
  nodes,
  drainMinutes: 30,
  maxUnavailable: 1,
  balancer: { ...settings.bbb, serverType: "cx33", image: releases["noble-40"].images.hetzner },
});
const run = (nodes: number, variation: Variation = {}) =>
  runProgram({
    ...variation,
    settings: { pool: pool(nodes), recordings: undefined, ...variation.settings },
  });

const runAtAws = (nodes: number) => {
  const { bbb, turn } = atAws;
  const balancer = { ...bbb, serverType: "c7a.large", image: releases["noble-40"].images.aws };
  return run(nodes, { settings: { bbb, turn, dns: "route53", pool: { ...pool(nodes), balancer } } });
};

let three: Run;
let twenty: Run;
beforeAll(async () => {
  three = await run(3);
  twenty = await run(20);
});

const servers = (of: Run) =>
  of.ofType("hcloud:index/server:Server").map(({ inputs }) => inputs.name as string);

test("three servers, a balancer with the pool's name, and one TURN server", () => {
  expect(servers(three).sort()).toEqual([
    "bbb-1.example.org",
    "bbb-2.example.org",
    "bbb-3.example.org",
    "bbb.example.org",
    "turn.example.org",
  ]);
  const records = three.ofType("hcloud:index/zoneRrset:ZoneRrset").map(({ inputs }) => inputs.name as string);
  expect(records).toEqual(expect.arrayContaining(["bbb", "bbb-1", "bbb-2", "bbb-3", "turn"]));
});

test("front ends have one secret, and each server another, which only the balancer learns", async () => {
  expect(await reveal(three.outputs.sharedSecret!)).toEqual({
    value: secretOf("balancer-shared-secret"),
    secret: true,
  });
  for (const node of ["bbb-1", "bbb-2", "bbb-3"]) {
    const { inputs, secretInputs } = three.get(`${node}-member`);
    expect(secretInputs).toContain("stdin");
    expect(inputs.stdin).toBe(
      `{"fqdn":"${node}.example.org","secret":"${secretOf(`${node}-shared-secret`)}"}\n`,
    );
  }
  const { check, ...others } = three.outputs;
  expect((await reveal(check)).secret).toBe(true);
  const told = JSON.stringify(await Promise.all(Object.values(others).map((one) => reveal(one))));
  for (const node of ["bbb-1", "bbb-2", "bbb-3"])
    expect(told).not.toContain(secretOf(`${node}-shared-secret`));
});

test("scripts/check gets all hosts, each with its request", async () => {
  const { balancer, turn, nodes } = (await reveal(three.outputs.check)).value as PoolCheckOutput;
  expect(balancer).toMatchObject({
    ...{ host: expect.any(String) as string, hostKey: expect.stringMatching(/^ssh-/) as string },
    request: {
      ...{ role: "balancer", bbbHost: "bbb.example.org", sharedSecret: secretOf("balancer-shared-secret") },
      nodes: ["bbb-1.example.org", "bbb-2.example.org", "bbb-3.example.org"],
    },
  });
  expect(turn!.request).toMatchObject({ role: "turn", turnHost: "turn.example.org" });
  expect(
    Object.entries(nodes).map(([name, { request }]) => [name, request.bbbHost, request.sharedSecret]),
  ).toEqual(
    ["bbb-1", "bbb-2", "bbb-3"].map((name) => [
      name,
      `${name}.example.org`,
      secretOf(`${name}-shared-secret`),
    ]),
  );
});

test("the TURN server relays to all servers of the pool", () => {
  const { peers } = JSON.parse(three.get("turn-access").inputs.stdin as string) as { peers: string[] };
  expect(peers.filter((peer) => peer.startsWith("203."))).toEqual([
    "203.0.113.101",
    "203.0.113.102",
    "203.0.113.103",
  ]);
});

describe("the gate", () => {
  const member = () => three.get("bbb-3-member");

  test.each(["Hetzner", "AWS"])("holds all that its server and its meetings need, at %s", async (cloud) => {
    const of = cloud === "AWS" ? await runAtAws(3) : three;
    const held = new Set<string>();
    const hold = (name: string): void => {
      if (held.has(name)) return;
      held.add(name);
      for (const { dependsOn } of of.resources.filter((one) => one.name === name)) dependsOn.forEach(hold);
    };
    hold("bbb-3-member");
    const needed = of.resources.filter(({ type }) => !type.startsWith("bbb:")).map(({ name }) => name);
    expect(needed.filter((name) => /^(bbb-3|turn|balancer)-/.test(name) && !held.has(name)).sort()).toEqual([
      "balancer-verify",
      "turn-verify",
    ]);
  });

  test("comes after the server's own verification, and so goes before the server", () => {
    expect(member().dependsOn).toEqual(expect.arrayContaining(["bbb-3-verify", "balancer-configure"]));
    expect(three.get("bbb-3-verify").dependsOn.join()).toContain("bbb-3");
  });

  test("is no other server's matter: one that goes or is replaced touches no member but its own", () => {
    expect(member().dependsOn.filter((name) => /^bbb-[12]-/.test(name))).toEqual([]);
    expect(member().inputs.triggers).toEqual(
      three.get("bbb-2-member").inputs.triggers && [expect.any(String)],
    );
    expect(member().inputs.triggers).not.toEqual(three.get("bbb-2-member").inputs.triggers);
  });

  test("waits for no step of another server, however far: that one may wait for this one's turn", () => {
    const found = new Set(["bbb-3-member"]);
    // What a set is given while it is walked through is walked through, too.
    for (const name of found) three.get(name).dependsOn.forEach((other) => found.add(other));
    expect(found).toContain("bbb-3-install");
    expect(
      [...found].filter((name) => /^bbb-[12]-(connect|preflight|install|wire|verify|member)/.test(name)),
    ).toEqual([]);
  });

  test("runs also where the balancer goes, and before a new server takes the old one's place", () => {
    expect(member().deletedWith).toBe("");
    expect(member().deleteBeforeReplace).toBe(true);
    expect(member().inputs.delete).toContain("pool-member.sh --node bbb-3.example.org --remove");
  });

  test("goes before the server's place at the TURN server, and that before the address", () => {
    expect(member().dependsOn).toContain("bbb-3-peer");
    expect(three.get("bbb-3-peer").dependsOn).toEqual(
      expect.arrayContaining(["bbb-3-host-ipv4", "turn-configure"]),
    );
    expect(three.get("bbb-3-peer").inputs.delete).toContain("turn-peer.sh --node bbb-3.example.org --remove");
  });

  test("has no secret in its command", () => {
    expect(`${String(member().inputs.create)} ${String(member().inputs.delete)}`).not.toContain(
      secretOf("bbb-3-shared-secret"),
    );
  });
});

describe("work that ends meetings", () => {
  test("is done by servers that ask the balancer, which knows how many may be out", () => {
    expect(three.get("balancer-configure").inputs.create).toContain("--max-unavailable 1");
    for (const step of ["bbb-2-install", "bbb-2-install-resumed", "bbb-2-wire"]) {
      const { create } = three.get(step).inputs as { create: string };
      expect(create).toContain("--balancer bbb.example.org --node bbb-2.example.org");
      // The wait for the others comes on top.
      expect(Number(/--time-limit (\d+)/.exec(create)![1])).toBeGreaterThan(86_400);
    }
  });

  test("is followed by the membership, which gives the place back after the verification", async () => {
    const upgraded = changed(three, await run(3, { settings: { upgrade: "2" } }));
    for (const node of ["bbb-1", "bbb-2", "bbb-3"])
      expect(upgraded).toEqual(
        expect.arrayContaining([`${node}-install`, `${node}-wire`, `${node}-verify`, `${node}-member`]),
      );
    const { bbb } = settings;
    const larger = changed(three, await run(3, { settings: { bbb: { ...bbb, serverType: "ccx63" } } }));
    expect(larger).toEqual(expect.arrayContaining(["bbb-2-host-server", "bbb-2-verify", "bbb-2-member"]));
    expect(larger).not.toContain("bbb-2-install");
  });
});

describe("certificates", () => {
  const STOOD = { url: "https://bbb.example.org", servers: {} };

  test("the balancer keeps a copy of each, once its server is proven to work", () => {
    expect(three.get("bbb-2-member").beforeCreate).toContain("keeps-the-certificate-of-bbb-2");
  });

  test("a new server of a pool that stands is asked one for before its first step; in a new pool nobody is asked", async () => {
    const { beforeCreate } = (await run(3, { outputs: STOOD })).get("bbb-3-connect");
    expect(beforeCreate.at(-1)).toBe("gives-its-certificate-to-bbb-3");
    expect(three.get("bbb-3-connect").beforeCreate).not.toContain("gives-its-certificate-to-bbb-3");
  });
});

test("the pool is verified after all members, and what front ends get comes after that", async () => {
  const { dependsOn } = three.get("balancer-verify");
  expect(dependsOn).toEqual(expect.arrayContaining(["bbb-1-member", "bbb-2-member", "bbb-3-member"]));
  expect((await reveal(three.outputs.url!)).value).toBe("https://bbb.example.org");
});

test("a server more changes nothing on those that are there, one of which looks at the TURN server once more", async () => {
  const four = await run(4);
  const touched = changed(three, four).filter((name) => !name.startsWith("bbb-4"));
  expect(touched).toEqual([
    "balancer-configure",
    "balancer-verify",
    "bbb-1-verify",
    "turn-access",
    "turn-verify",
  ]);
});

describe("spread", () => {
  const SERVER = "hcloud:index/server:Server";
  const groups = (of: Run) => of.ofType("hcloud:index/placementGroup:PlacementGroup");

  test("at Hetzner, ten servers are a group; the balancer and the TURN server are in none", () => {
    expect(groups(twenty).map(({ name, inputs }) => [name, inputs.name, inputs.type])).toEqual([
      ["spread-1", "bigbluebutton-staging-spread-1", "spread"],
      ["spread-2", "bigbluebutton-staging-spread-2", "spread"],
    ]);
    const inGroup = (name: string) => twenty.get(`${name}-host-server`).inputs.placementGroupId as number;
    const [first, second] = [idOf("spread-1"), idOf("spread-2")];
    const ids = nodeNumbers(20).map((number) => inGroup(nodeName(number)));
    expect(ids).toEqual([...Array<number>(10).fill(first), ...Array<number>(10).fill(second)]);
    expect([inGroup("balancer"), inGroup("turn")]).toEqual([undefined, undefined]);
  });

  test("a server that is there stays where it is: none that runs can join a group", () => {
    for (const { name, ignoreChanges } of three.ofType(SERVER))
      expect([name, ignoreChanges.includes("placementGroupId")]).toEqual([name, name.startsWith("bbb-")]);
  });

  test("a single server has no group, and nothing else by it", async () => {
    const single = await runProgram();
    expect(groups(single)).toEqual([]);
    for (const { inputs, ignoreChanges } of single.ofType(SERVER)) {
      expect(inputs).not.toHaveProperty("placementGroupId");
      expect(ignoreChanges).toEqual(["userData", "sshKeys", "image"]);
    }
  });

  test("at AWS, seven instances are a group", async () => {
    const { balancer } = pool(1);
    const { cloud, location, serverType } = atAws.bbb;
    const eight = await run(8, {
      settings: {
        bbb: atAws.bbb,
        turn: atAws.turn,
        pool: { ...pool(8), balancer: { ...balancer, cloud, location, serverType, image: atAws.turn.image } },
      },
    });
    const made = eight.ofType("aws:ec2/placementGroup:PlacementGroup");
    expect(made.map(({ inputs }) => [inputs.name, inputs.strategy])).toEqual([
      ["bigbluebutton-staging-spread-1", "spread"],
      ["bigbluebutton-staging-spread-2", "spread"],
    ]);
    const instances = eight.ofType("aws:ec2/instance:Instance");
    const groupOf = Object.fromEntries(
      instances.map(({ name, inputs }) => [
        name.replace("-host-server", ""),
        inputs.placementGroup as string,
      ]),
    );
    expect(groupOf).toMatchObject({
      "bbb-7": "bigbluebutton-staging-spread-1",
      "bbb-8": "bigbluebutton-staging-spread-2",
    });
    expect([groupOf.balancer, groupOf.turn]).toEqual([undefined, undefined]);
    expect(eight.get("bbb-1-host-server").ignoreChanges).toContain("placementGroup");
  });
});

describe("recordings", () => {
  const volume = { kind: "new", sizeGb: 50, protected: true } as const;
  const steps = (of: Run) =>
    of
      .ofType("command:remote:Command")
      .map(({ name }) => name)
      .filter((name) => name.startsWith("balancer-"));

  test("without a volume they are on the balancer's own disk", () => {
    expect(three.ofType("hcloud:index/volume:Volume")).toEqual([]);
    expect(steps(three)).not.toContain("balancer-recordings");
    expect(three.get("balancer-gather").inputs.create).toContain("balancer-recordings.sh");
    expect(three.get("balancer-configure").dependsOn).toContain("balancer-gather");
  });

  test("their volume is the balancer's, mounted before anything is installed, and protected as a single server's", async () => {
    const made = await run(2, { settings: { recordings: volume } });
    const [one, ...others] = made.ofType("hcloud:index/volume:Volume");
    expect(others).toEqual([]);
    expect(one).toMatchObject({ name: "balancer-host-volume", protect: true });
    expect(one!.inputs).toMatchObject({
      name: "bbb.example.org-recordings",
      size: 50,
      deleteProtection: true,
    });
    expect(made.get("balancer-recordings").inputs.create).toMatch(/recordings\.sh .*--size-gb 50 --balancer/);
    expect(made.get("balancer-recordings").dependsOn).toContain("balancer-host-volume-attachment");
    expect(made.get("balancer-install").dependsOn).toContain("balancer-recordings");
    const request = JSON.parse(made.get("balancer-verify").inputs.stdin as string) as object;
    expect(request).toMatchObject({ recordings: true });
  });

  test("at AWS, too", async () => {
    const balancer = { ...atAws.bbb, serverType: "c7a.large", image: releases["noble-40"].images.aws };
    const made = await run(2, {
      settings: {
        ...{ bbb: atAws.bbb, turn: atAws.turn, dns: "route53", recordings: volume },
        pool: { ...pool(2), balancer },
      },
    });
    const volumes = made.ofType("aws:ebs/volume:Volume");
    expect(volumes.map(({ name, protect }) => [name, protect])).toEqual([["balancer-host-volume", true]]);
    expect(volumes[0]!.inputs.tags).toMatchObject({ Name: "bbb.example.org recordings" });
  });

  test("when they are deleted for good the balancer decides; what concerns processing is each server's", async () => {
    const recordings = { publishedDays: 30, rawDays: 5, formats: ["presentation", "video"], mp4: true };
    const made = await run(2, { settings: { groups: { ...settings.groups, recordings } } });
    expect(made.get("balancer-gather").inputs.create).toContain("--published-days 30");
    expect(made.get("bbb-2-node").inputs.create).toMatch(
      /pool-node\.sh --formats '?presentation video'? --raw-days 5 --published-days 30/,
    );
    const wired = made.get("bbb-2-wire").inputs.stdin as string;
    expect(wired).not.toContain("remove_recordings.py");
    expect(wired).toContain("video_formats");
    expect(made.get("bbb-2-recording-formats").inputs.create).toContain("--formats video");
  });

  test("no server gets a key, a secret or an open port for them", () => {
    const { stdin } = three.get("bbb-2-node").inputs;
    expect(stdin).toBeUndefined();
    const ports = three
      .ofType("hcloud:index/firewall:Firewall")
      .filter(({ name }) => name === "balancer-host-firewall")
      .flatMap(({ inputs }) => inputs.rules as { port?: string; sourceIps: string[] }[]);
    expect(ports.map(({ port }) => port)).toEqual(["22", undefined, "80", "443"]);
    expect(ports[0]!.sourceIps).toEqual([...settings.sshNetworks]);
  });
});

test("only nodes are unprotected in prod: the gate is their protection", async () => {
  const { resources } = await run(2, { settings: { protected: true, backups: true } });
  const kept = resources.filter(({ protect }) => protect).map(({ name }) => name);
  expect(kept.filter((name) => /^bbb-\d/.test(name))).toEqual([]);
  expect(kept).toEqual(
    expect.arrayContaining([
      "balancer-host-server",
      "balancer-host-ipv4",
      "turn-host-server",
      "turn-host-ipv4",
    ]),
  );
});

test("twenty servers", () => {
  expect(servers(twenty)).toHaveLength(22);
  expect(twenty.ofType("command:remote:Command").filter(({ name }) => name.endsWith("-member"))).toHaveLength(
    20,
  );
  expect(new Set(twenty.resources.map(({ urn }) => urn)).size).toBe(twenty.resources.length);
});

test("a pool at AWS", async () => {
  const made = await runAtAws(2);
  expect(
    made
      .ofType("aws:ec2/instance:Instance")
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["balancer-host-server", "bbb-1-host-server", "bbb-2-host-server", "turn-host-server"]);
});

describe("a stack stays what it is", () => {
  test.each([
    ["a single server", { url: "https://bbb.example.org" }, 2, "this stack is a single server"],
    ["a pool", { url: "https://bbb.example.org", servers: {} }, 0, "this stack is a pool"],
  ])("%s", async (_, outputs, nodes, message) => {
    const made = run(nodes, {
      outputs,
      settings: nodes === 0 ? { pool: undefined } : {},
    });
    await expect(made).rejects.toThrow(message);
  });

  test("for which the engine is asked once", async () => {
    const asked: string[] = [];
    await run(2, { onLookUp: (token) => void asked.push(token) });
    expect(asked.filter((token) => token === "pulumi:pulumi:readStackOutputs")).toHaveLength(1);
  });
});

describe("alerts", () => {
  const ways = { webhook: { url: "https://hooks.school.eu/secret", form: "slack" as const } };
  const switches = { healthcheckUrl: "https://hc.eu/pool", turnHealthcheckUrl: "https://hc.eu/turn" };
  const alerts = pulumi.secret({ ...ways, ...switches });
  const of = (made: Run, name: string) =>
    JSON.parse(String(made.get(`${name}-alerts`).inputs.stdin)) as {
      role: string;
      host: string;
      omit: string[];
      alerts: { healthcheckUrl?: string };
      request: { nodes?: string[]; balancer?: { host: string; ipv4: string } };
    };
  let made: Run;
  beforeAll(async () => {
    made = await run(3, { settings: { alerts } });
  });

  test("are a last step of every host, and run no other again", async () => {
    const names = ["balancer-alerts", "bbb-1-alerts", "bbb-2-alerts", "bbb-3-alerts", "turn-alerts"];
    expect(changed(three, made)).toEqual(names);
    for (const name of names) {
      const verify = name.replace("alerts", "verify");
      expect(made.get(name).dependsOn).toContain(verify);
      expect(made.get(name).secretInputs).toContain("stdin");
    }
    const check = (await reveal(made.outputs.check)).value as PoolCheckOutput;
    for (const { request } of [check.balancer, check.turn!, ...Object.values(check.nodes)])
      expect(request).toMatchObject({ alerts: true });
  });

  test("tell of what concerns all once: the balancer of its servers, the first of these of the TURN server", () => {
    expect(of(made, "balancer")).toMatchObject({
      ...{ role: "balancer", host: "bbb.example.org", omit: [] },
      request: { nodes: ["bbb-1.example.org", "bbb-2.example.org", "bbb-3.example.org"] },
    });
    expect(["bbb-1", "bbb-2", "bbb-3"].map((name) => of(made, name).omit)).toEqual([
      ["recordings' way"],
      ["recordings' way", "other host", "TURN"],
      ["recordings' way", "other host", "TURN"],
    ]);
  });

  test("the TURN server looks after the balancer; without one of its own, the pool's first server does", async () => {
    expect(of(made, "turn")).toMatchObject({
      omit: ["other host"],
      request: { balancer: { host: "bbb.example.org", ipv4: expect.any(String) as string } },
    });
    const watching = (made: Run) => ["bbb-1", "bbb-2"].map((name) => of(made, name).request.balancer?.host);
    expect(watching(made)).toEqual([undefined, undefined]);
    const shared = await run(2, {
      settings: { alerts, turn: { kind: "shared", stack: "prod" } },
      stacks: { "organization/bigbluebutton/prod": { turnHost: "turn.example.net", turnSecret: "x" } },
    });
    expect(watching(shared)).toEqual(["bbb.example.org", undefined]);
  });

  test("have one dead man's switch for the pool, the balancer's, and one for the TURN server", () => {
    expect(["balancer", "bbb-1", "bbb-2", "turn"].map((name) => of(made, name).alerts)).toEqual([
      { ...ways, healthcheckUrl: switches.healthcheckUrl },
      ways,
      ways,
      { ...ways, healthcheckUrl: switches.turnHealthcheckUrl },
    ]);
  });

  test("tell of an own certificate once, since all hosts have the same", () => {
    expect(partOfNode({ first: true, ownCertificate: true }).omit).toContain("certificate");
    expect(partOfNode({ first: false, ownCertificate: false }).omit).not.toContain("certificate");
  });
});

describe("metrics", () => {
  test("every host offers its own, with one token; the balancer the pool's, too", async () => {
    const metrics = { networks: ["198.51.100.9/32"], rotateToken: "" };
    const made = await run(2, { settings: { metrics } });
    expect(changed(await run(2), made)).toEqual([
      "balancer-metrics",
      "bbb-1-metrics",
      "bbb-2-metrics",
      "metrics-token",
      "turn-host-firewall",
      "turn-metrics",
    ]);
    const token = secretOf("metrics-token");
    const stdins = ["balancer", "bbb-1", "turn"].map((name) => made.get(`${name}-metrics`).inputs.stdin);
    expect(stdins).toEqual([`${token}\n`, `${token}\n${secretOf("bbb-1-shared-secret")}\n`, `${token}\n`]);
    expect(made.get("balancer-metrics").inputs.create).toMatch(
      /metrics\.sh --server \S+ --role balancer --hostname bbb\.example\.org --networks 198\.51\.100\.9\/32 /,
    );
    expect((await reveal(made.outputs.metricsScrapeConfig)).value).toBe(
      renderScrapeConfig({
        bbbHosts: ["bbb-1.example.org", "bbb-2.example.org"],
        ...{ balancerHost: "bbb.example.org", turnHost: "turn.example.org" },
      }),
    );
    const check = (await reveal(made.outputs.check)).value as PoolCheckOutput;
    expect(check.balancer.request.metrics).toEqual({ token });
    expect(check.nodes["bbb-2"]!.request.metrics).toEqual({ token, version: exporter.version });
  });
});
