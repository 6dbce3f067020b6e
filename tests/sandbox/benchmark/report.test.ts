import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { parseRounds, ROUND_SECONDS } from "../../../sandbox/benchmark/alerts";
import {
  renderAgainst,
  renderAlerts,
  renderImages,
  renderNoOp,
  renderPool,
} from "../../../sandbox/benchmark/report";
import { resolveRevision, withRevision } from "../../../sandbox/benchmark/revision";

const PROJECT = resolve(__dirname, "../../..");

test("an update against those of programs that do less: both ratios, and by which engine", () => {
  const rounds = [
    { program: 6, baseline: 4, empty: 3 },
    { program: 4, baseline: 4, empty: 2 },
    { program: 9, baseline: 3, empty: 6 },
  ];
  const text = renderNoOp(rounds, 45, "pulumi");
  expect(text).toMatch(
    /^update without changes by the engine pulumi: 1\.50 times .* 45 resources .* 2\.00 times/,
  );
  expect(text).toMatch(/median +6\.00 s +4\.00 s +3\.00 s/);
});

test("an update against that of another revision: the median of the pairs' own ratios", () => {
  const pairs = [
    { now: 2, before: 1 },
    { now: 3, before: 3 },
    { now: 5, before: 4 },
  ];
  const text = renderAgainst(pairs, "5660212aaaaaaaa");
  expect(text).toMatch(/^update without changes: 1\.25 times that of revision 5660212\n/);
  expect(text).toMatch(/median +3\.00 s +3\.00 s/);
});

test("deployments from images: the medians of the pairs' own ratios, and the seconds of each", () => {
  const pairs = [
    { stock: { install: 20, all: 50 }, copy: { install: 5, all: 30 } },
    { stock: { install: 20, all: 50 }, copy: { install: 10, all: 25 } },
    { stock: { install: 40, all: 90 }, copy: { install: 12, all: 36 } },
  ];
  const text = renderImages(pairs);
  expect(text).toMatch(
    /^from images: the step that installs takes 0\.30 times as long as without, all of it up to verified 0\.50 times\n/,
  );
  expect(text).toMatch(/3 +12\.0 s +40\.0 s +36\.0 s +90\.0 s/);
});

test("a pool: its deployment against that of one server, its updates, and the memory of a large one", () => {
  const deployment = (seconds: number, milliseconds: number) => ({
    ...{ start: 0, seconds, operations: [], chain: { milliseconds, links: [] } },
  });
  const text = renderPool({
    one: deployment(60, 50_000),
    three: deployment(84, 55_000),
    rounds: [
      { three: 2, single: 1 },
      { three: 3, single: 2 },
      { three: 3.2, single: 2.5 },
    ],
    memory: [{ what: "a pool of 20 servers", resources: 500, mebibytes: 150.4 }],
  });
  expect(text).toMatch(
    /^pool: the first deployment of three servers takes 1\.40 times that of one, its longest chain 1\.10 times\n/,
  );
  expect(text).toContain("three servers without changes takes 1.50 times that of a single server\n");
  expect(text).toMatch(/median +3\.00 s +2\.00 s\n/);
  expect(text).toContain(
    "memory: the program of a pool of 20 servers has 150 MiB at most, with 500 resources\n",
  );
});

test("alerts: the share of a core is of the time between rounds", () => {
  const text = renderAlerts([{ fqdn: "bbb.school.eu", rounds: [4.8, 1.2, 1.2] }]);
  expect(text).toBe(
    "alerts: 1.00 % of a core on bbb.school.eu; an hour's 3 rounds take 7.20 s of processor time, the dearest 4.80 s\n",
  );
  const timer = readFileSync(join(PROJECT, "scripts/host/alerts.sh"), "utf8");
  expect(timer).toContain(`\nOnUnitActiveSec=${ROUND_SECONDS}\n`);
});

test("a round that checked nothing, or was not counted, is no measurement", () => {
  expect(parseRounds("1500000 None\n250000 None\n")).toEqual([1.5, 0.25]);
  for (const output of ["1500000 None\n3 the host has just started\n", "0 None\n", ""]) {
    expect(() => parseRounds(output)).toThrow("a round of the alerts was none");
  }
});

const inClone = existsSync(join(PROJECT, ".git")) ? test : test.skip;

inClone("in a git clone: a revision's folder has the project of then, and goes with the work", async () => {
  const revision = await resolveRevision("HEAD");
  expect(revision).toMatch(/^[0-9a-f]{40}$/);
  const folder = await withRevision(revision, async (path) => {
    expect(readFileSync(join(path, "Pulumi.yaml"), "utf8")).toContain("name: bigbluebutton");
    expect(existsSync(join(path, "node_modules/@pulumi/pulumi/package.json"))).toBe(true);
    expect(existsSync(join(path, "node_modules/.cache"))).toBe(false);
    return path;
  });
  expect(existsSync(folder)).toBe(false);
  expect(existsSync(join(PROJECT, "node_modules/@pulumi/pulumi/package.json"))).toBe(true);
  await expect(resolveRevision("no-such-revision")).rejects.toThrow("--against no-such-revision");
});
