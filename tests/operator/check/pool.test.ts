import { deploymentsOf, poolOf } from "../../../operator/deployments";
import { check } from "../../../operator/check/deployment";
import { ask, type Finding } from "../../../operator/check/finding";
import type { HostAnswer, MemberFigures } from "../../../operator/check/hosts";
import {
  judgePolls,
  judgeReleases,
  poolRows,
  renderPool,
  type PoolRow,
} from "../../../operator/check/poolTable";
import { exitCode, renderReport, reportAsJson, type Report } from "../../../operator/check/report";
import { poolServers } from "../../../operator/poolServers";
import type { Stacks } from "../../../operator/stacks";
import { deployed } from "./deployed";

const finding = (name: string, answer: string, verdict: Finding["verdict"] = "ok"): Finding => ({
  ...{ name, answer, verdict },
  ...{ asked: "", seconds: 0 },
});
const answer = (meetings: number | null, release = "3.0.10", polled: number | null = 12): HostAnswer => ({
  findings: [finding("release", release)],
  node: { meetings, breakouts: 0, people: meetings === null ? null : meetings * 10, polled },
});
const certificate = finding("certificate", "valid until 2027-02-20, 82 days");
const member = (state: MemberFigures["state"], load: number | null = 40): MemberFigures => ({
  ...{ state, load, meetings: 1, breakouts: 1, people: 9 },
});
const dead: HostAnswer = { findings: [finding("SSH", "no answer", "FAIL")] };

const rows = () =>
  poolRows(
    {
      "bbb-1.example.org": { host: answer(3), certificate },
      "bbb-2.example.org": { host: dead, certificate: finding("certificate", "no answer", "FAIL") },
    },
    {
      "bbb-1.example.org": member("online"),
      "bbb-2.example.org": member("cordoned", null),
      "bbb-3.example.org": member("leaving"),
    },
  );

describe("the table", () => {
  test("has each server by its own account, and others that the balancer has", () => {
    expect(rows()).toEqual([
      {
        ...{ server: "bbb-1.example.org", state: "online", meetings: 3, breakouts: 0, people: 30, load: 40 },
        ...{ release: "3.0.10", certificate: "2027-02-20", polled: 12 },
      },
      // Who can't be logged in to may have told the balancer.
      {
        ...{
          server: "bbb-2.example.org",
          state: "cordoned",
          meetings: 1,
          breakouts: 1,
          people: 9,
          load: null,
        },
        ...{ release: null, certificate: null, polled: null },
      },
      expect.objectContaining({ server: "bbb-3.example.org", state: "leaving", meetings: 1 }),
    ]);
  });

  test("without the balancer's word, the servers tell what runs on them", () => {
    const [one] = poolRows({ "bbb-1.example.org": { host: answer(3), certificate } }, undefined);
    expect(one).toMatchObject({ state: null, meetings: 3, people: 30, load: null, release: "3.0.10" });
  });

  test("is a line a server", () => {
    expect(renderPool(rows())).toBe(
      [
        "server             state           meetings  people  load  release  certificate until  last poll",
        "bbb-1.example.org  online                 3      30    40  3.0.10   2027-02-20         12 s ago",
        "bbb-2.example.org  cordoned  1 + 1 breakout       9     –  –        –                  –",
        "bbb-3.example.org  leaving   1 + 1 breakout       9    40  –        –                  –",
      ].join("\n"),
    );
  });
});

describe("versions of the servers", () => {
  const of = (...releases: (string | null)[]) =>
    releases.map((release, i) => ({ server: `bbb-${i + 1}`, release }) as PoolRow);

  test.each([
    [of("3.0.10", "3.0.10", null), "ok", "3.0.10 on all"],
    [of(null), "ok", "not known of any server"],
    [of("3.0.9", "3.0.10", "3.0.10"), "warn", "the servers differ: 3.0.10 on bbb-2, bbb-3; 3.0.9 on bbb-1"],
  ])("case %#", async (rows, verdict, answer) => {
    expect(await ask("releases", "", () => judgeReleases(rows))).toMatchObject({ verdict, answer });
  });
});

describe("polls of the balancer", () => {
  const of = (state: PoolRow["state"], polled: number | null) =>
    ({ server: "bbb-1", state, polled }) as PoolRow;

  test.each([
    [[of("online", 29.1)], "ok", "each was asked within the last 30 s"],
    [[of("online", null)], "ok", "not known of any server"],
    [[of("online", 12), of("leaving", 400)], "warn", "bbb-1 was last asked 7 min ago"],
    // That one is told of by the balancer itself.
    [
      [of("online", 12), of("offline", 4000), of("missing", 4000)],
      "ok",
      "each was asked within the last 12 s",
    ],
  ])("case %#", async (rows, verdict, answer) => {
    const told = await ask("polls", "", () => judgePolls(rows));
    expect(told).toMatchObject({ verdict, answer });
    if (verdict === "warn") expect(told.remedy).toContain("systemctl restart bbb-deploy-scalelite-poller");
  });
});

describe("the page of a pool", () => {
  const report: Report = {
    ...{ stack: "prod", checkedAt: new Date(0), seconds: 4.36, pool: rows() },
    sections: [
      { place: "from here", findings: [finding("API", "SUCCESS"), finding("name", "1.2.3.4")] },
      { place: "bbb-2.example.org (BigBlueButton)", findings: dead.findings },
      { place: "bbb-1.example.org (BigBlueButton)", findings: [finding("release", "3.0.10")] },
    ],
  };

  test("begins with the table, and counts what is well", () => {
    const [table, page] = renderReport(report).split(/\n\n(?= +took)/);
    expect(table).toBe(renderPool(rows()));
    expect(page).toBe(
      [
        "         took  check               asked                                   came back",
        "from here: 2 ok",
        "bbb-2.example.org (BigBlueButton)",
        "FAIL    0.0 s  SSH                                                         no answer",
        "",
        "bbb-1.example.org (BigBlueButton): 1 ok",
        "",
        "prod: 3 ok, 1 wrong (FAIL), in 4.4 s",
        "",
      ].join("\n"),
    );
    expect(exitCode(report, false)).toBe(1);
  });

  test("has every line where that is asked for", () => {
    expect(renderReport(report, undefined, true)).toContain("SUCCESS");
  });

  test("as JSON has the rows, and every check", () => {
    const json = reportAsJson(report) as { pool: unknown; checks: unknown[] };
    expect(json.pool).toEqual(rows());
    expect(json.checks).toHaveLength(4);
  });
});

describe("a stack that is a pool", () => {
  const { bbb, turn } = deployed.hosts;
  const request = {
    ...{ role: "balancer", zone: "example.org", bbbHost: "bbb.example.org", ipv4: "203.0.113.9" },
    ...{ untrustedCa: false, ownCertificates: [], sharedSecret: "s", nodes: ["bbb-1.example.org"], more: 1 },
  };
  const hosts = { balancer: { ...bbb, request }, turn, nodes: { "bbb-1": bbb } };
  const outputs = { url: "https://bbb.example.org", servers: {}, privateKey: "k", check: hosts };
  const stacksOf = (found: object) =>
    ({ project: "bigbluebutton", outputs: () => Promise.resolve(found) }) as unknown as Stacks;

  test("is read as one, with what a newer program adds", async () => {
    expect(await poolOf(stacksOf(outputs), "prod")).toEqual({ hosts, privateKey: "k" });
    expect(await poolOf(stacksOf({ check: deployed.hosts, privateKey: "k" }), "prod")).toBeUndefined();
  });

  test("has servers that other commands ask what runs on them", () => {
    expect(poolServers("prod", outputs)!.map(({ fqdn }) => fqdn)).toEqual(["bbb.example.org"]);
    expect(poolServers("prod", { check: deployed.hosts, privateKey: "k" })).toBeUndefined();
  });

  test("by another version is a mistake with a way out, without what is in it", async () => {
    const balancer = { ...hosts.balancer, hostKey: "s3cr3t" };
    const read = poolOf(stacksOf({ ...outputs, check: { ...hosts, balancer } }), "prod");
    await expect(read).rejects.toThrow(/lack .* \(check\.balancer\.hostKey\).*: run pulumi up once/);
    await expect(read).rejects.not.toThrow("s3cr3t");
  });

  test("is no deployment of a single server's commands, and none of several", async () => {
    await expect(deploymentsOf(stacksOf(outputs), "prod")).rejects.toThrow("stack prod is a pool");
    const never = () => Promise.reject(new Error("nothing of a cloud is needed for this"));
    const one = check(stacksOf(outputs), never, { stack: "prod", deployment: "bbb-1", meeting: false });
    await expect(one).rejects.toThrow("is checked as a whole");
  });
});
