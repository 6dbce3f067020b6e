import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Mistake } from "../../../../scripts/operator/mistake";
import { readGiven } from "../../../../scripts/operator/plan/given";
import { assess } from "../../../../scripts/operator/plan/settings";

const good = { domain: "school.org", email: "a@school.org", sshNetworks: ["198.51.100.7/32"] };

describe("the settings of a stack", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "plan-"));
    writeFileSync(
      join(folder, "Pulumi.yaml"),
      "name: bbb\nconfig:\n  domain: {type: string}\n  email: {type: string}\n  recordingsGb: {type: integer}\n",
    );
    writeFileSync(
      join(folder, "Pulumi.prod.yaml"),
      "config:\n  bbb:domain: school.org\n  bbb:email: {secure: v1:xyz}\n  hcloud:token: {secure: v1:abc}\n",
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("are its file's, with those of the command line over them", () => {
    expect(readGiven(folder, "prod", ["recordingsGb=20", "domain=other.org"])).toEqual({
      project: "bbb",
      stack: "prod",
      settings: { domain: "other.org", recordingsGb: 20 },
      encrypted: ["email"],
    });
  });

  test("given on the command line are no longer encrypted", () => {
    expect(readGiven(folder, "prod", ["email=a@b.org"])).toMatchObject({ encrypted: [] });
  });

  test("need no stack", () => {
    const given = { project: "bbb", stack: "new", settings: { domain: "x.org" }, encrypted: [] };
    expect(readGiven(folder, undefined, ["domain=x.org"])).toEqual(given);
  });

  test("of an unknown stack are a mistake, which names the stacks that there are", () => {
    const mistake = new Mistake("stack pord: there is no Pulumi.pord.yaml; there are prod");
    expect(() => readGiven(folder, "pord", [])).toThrow(mistake);
  });
});

function assessed(settings: object, encrypted: readonly string[] = []) {
  const { problems, standIns, plannable } = assess({
    ...{ project: "bigbluebutton", stack: "s", encrypted },
    settings: settings as Readonly<Record<string, unknown>>,
  });
  return { problems: problems.map(({ key }) => key), standIns, settings: plannable?.settings };
}

test("good settings are planned as they are", () => {
  const { settings, ...found } = assessed(good);
  expect(found).toEqual({ problems: [], standIns: [] });
  expect(settings).toMatchObject({ bbbFqdn: "bbb.school.org" });
});

test("what is missing gets a stand-in, what is wrong is left out, and all problems are told", () => {
  const { settings, ...found } = assessed({
    ...{ environment: "prod", hostname: "bbb.school.org", serverType: "cpx22", acmeServer: "staging" },
  });
  expect([...found.problems].sort()).toEqual(["acmeServer", "domain", "email", "serverType", "sshNetworks"]);
  expect(found.standIns).toEqual([
    { key: "domain", value: "example.org", why: "problem" },
    { key: "email", value: expect.stringContaining("@") as string, why: "problem" },
    { key: "sshNetworks", value: ["192.0.2.1/32"], why: "problem" },
    { key: "serverType", value: undefined, why: "problem" },
    { key: "acmeServer", value: undefined, why: "problem" },
    // Wrong only beside the stand-in of the domain.
    { key: "hostname", value: undefined, why: "problem" },
  ]);
  expect(settings).toMatchObject({
    bbbFqdn: "bbb.example.org",
    environment: "prod",
    placement: { bbb: { serverType: "ccx33" } },
  });
});

test("a release without an image at the cloud and a mirror without a digest are planned, too", () => {
  const { settings, problems } = assessed({
    ...good,
    ...{
      release: "focal-27",
      allowEndOfLife: true,
      installerUrl: "https://mirror.school.org/bbb-install.sh",
    },
  });
  expect(problems).toEqual(["image", "installerSha256"]);
  expect(settings).toMatchObject({ release: { name: "focal-27" } });
});

test("what is encrypted gets a stand-in, which is no problem", () => {
  const { domain, sshNetworks } = good;
  const { settings, ...found } = assessed({ domain, sshNetworks }, ["email"]);
  expect(found).toEqual({
    problems: [],
    standIns: [{ key: "email", value: expect.any(String) as string, why: "encrypted" }],
  });
  expect(settings).toBeDefined();
});
