import { parseSettings } from "../../settings";
import { SettingsError } from "../../settings/problems";
import { atAws, runProgram, settings as staging } from "../support/program";

const at = { project: "bigbluebutton", stack: "prod" };
const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };

function problems(tags: unknown, more: object = {}): string[] {
  try {
    parseSettings({ ...required, ...more, tags }, at);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason, remedy }) => `${key} ${reason} → ${remedy}`);
  }
}

test("tags are labels beside the deployment's own; what looks like a number is a text", () => {
  const tags = '{"team":"it","cost-centre":4711,"school.eu/billed":true,"note":""}';
  expect(parseSettings({ ...required, tags }, at).labels).toEqual({
    ...{ team: "it", "cost-centre": "4711", "school.eu/billed": "true", note: "" },
    ...at,
  });
});

test.each(["{}", {}, "", null, undefined])("%p is none", (tags) => {
  expect(parseSettings({ ...required, tags }, at).labels).toEqual(at);
});

test.each(["project", "Stack", "ROLE", "expires", "Name", "snapshots", "deployment"])(
  "%s is the deployment's own",
  (key) => {
    expect(problems({ [key]: "x" })).toEqual([
      `tags has "${key}", by which the deployment's own resources are known → pulumi config rm --path 'tags.${key}', or another key or value`,
    ]);
  },
);

test.each([
  ["a space", { "cost centre": "1" }, 'has "cost centre", which is no key of a label at Hetzner Cloud'],
  ["a long key", { ["k".repeat(64)]: "1" }, "which is no key of a label"],
  ["two dashes", { "a/b/c": "1" }, "which is no key of a label"],
  ["their own prefix", { "hetzner.cloud/x": "1" }, "whose beginning Hetzner Cloud keeps for itself"],
  ["an address", { owner: "it@school.eu" }, 'has "it@school.eu" as owner, which is no value of a label'],
  ["a long value", { owner: "v".repeat(64) }, "which is no value of a label"],
])("Hetzner Cloud refuses %s, AWS does not", (_name, tags, reason) => {
  expect(problems(tags)).toEqual([expect.stringContaining(reason)]);
  expect(problems(tags, { cloud: "aws" })).toEqual([]);
  expect(problems(tags, { cloud: "aws", dns: "hetzner" })).toHaveLength(1);
  expect(problems(tags, { cloud: "aws", turnCloud: "hetzner" })).toHaveLength(1);
});

test.each([
  ["their own prefix", { "AWS:x": "1" }, "whose beginning AWS keeps for itself"],
  ["a long key", { ["k".repeat(129)]: "1" }, "which is no key of a tag at AWS"],
  ["a long value", { owner: "v".repeat(257) }, "which is no value of a tag at AWS"],
  ["other characters", { owner: "a&b" }, "which is no value of a tag at AWS"],
  ["keys that are alike", { team: "1", Team: "2" }, 'has "Team" twice but for the case of its letters'],
  [
    "too many",
    Object.fromEntries(Array.from({ length: 44 }, (_, i) => [`k${i}`, "1"])),
    "has 44; a resource at AWS has room for 43 beside the deployment's own",
  ],
])("AWS refuses %s", (_name, tags, reason) => {
  expect(problems(tags, { cloud: "aws" })).toEqual([expect.stringContaining(reason)]);
});

test("no map, and a value that is no text, are told with what to write", () => {
  expect(problems("it")).toEqual([expect.stringMatching(/^tags must be a map of texts → .*'tags.KEY'/)]);
  expect(problems({ team: ["it"] })).toEqual([
    `tags has ["it"] as the value of "team", where a text belongs → pulumi config set --path 'tags.team' VALUE`,
  ]);
});

test.each([
  ["Hetzner Cloud", {}],
  ["AWS", { ...atAws, dns: "route53" as const }],
])("at %s, everything that can bear them does", async (_cloud, more) => {
  const labels = { ...staging.labels, team: "it" };
  const { resources } = await runProgram({ settings: { ...more, labels } });
  const bearing = resources.filter(({ inputs }) => inputs.labels ?? inputs.tags);
  expect(bearing.length).toBeGreaterThan(8);
  for (const { name, inputs } of bearing) {
    expect([name, inputs.labels ?? inputs.tags]).toEqual([name, expect.objectContaining({ team: "it" })]);
  }
});
