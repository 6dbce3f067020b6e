import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readProjectFile, withoutBase } from "../../cli/stackFiles";
import { readGiven } from "../../operator/plan/given";
import { testServerSettings } from "../../operator/testServers/settings";
import { applyConfig, readProject } from "../../sandbox/engine/project";
import { withGeneratedConfig } from "../../scripts/generate-docs";

const PULUMI_YAML = `name: bigbluebutton
runtime: nodejs
config:
  domain:
    type: string
    value: school.eu
  recordingsGb:
    type: integer
    value: 200
  greenlight:
    type: boolean
    value: true
  hostname:
    type: string
    default: bbb
`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "base-settings-"));
  writeFileSync(join(folder, "Pulumi.yaml"), PULUMI_YAML);
  writeFileSync(
    join(folder, "Pulumi.a.yaml"),
    "config:\n  bigbluebutton:environment: test\n  bigbluebutton:greenlight: false\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

const base = { domain: "school.eu", recordingsGb: 200, greenlight: true };

test("values of Pulumi.yaml are base settings, its defaults are none", () => {
  expect(readProjectFile(folder).base).toEqual(base);
});

test("a plan has them below the stack's own and what --set says, and without a stack", () => {
  expect(readGiven(folder, "a", []).settings).toEqual({ ...base, environment: "test", greenlight: false });
  expect(readGiven(folder, "a", ["recordingsGb=20"]).settings).toMatchObject({ recordingsGb: 20 });
  expect(readGiven(folder, undefined, []).settings).toEqual(base);
});

test("a test server has those that say where and for whom, and the engine adds no other", () => {
  const project = readProjectFile(folder);
  const settings = testServerSettings({
    ...{ like: project.base, expires: new Date(4102444800_000), set: {}, token: "k3x9q2" },
  });
  expect(settings).toMatchObject({ domain: "school.eu", greenlight: true });
  expect(settings).not.toHaveProperty("recordingsGb");
  const { values } = applyConfig(readProject(folder), "test-k3x9q2", withoutBase(settings, project) as never);
  expect(values).toMatchObject({ "bigbluebutton:domain": "school.eu", "bigbluebutton:recordingsGb": "0" });
});

test("the generator leaves them in Pulumi.yaml", () => {
  const text =
    "name: x\n# generated: settings\nconfig:\n  domain:\n    type: string\n    value: school.eu\n# end\n";
  const made = withGeneratedConfig(text);
  expect(made).toMatch(/\n {2}domain:\n {4}type: string\n {4}value: school\.eu\n/);
  expect(withGeneratedConfig(made)).toBe(made);
});
