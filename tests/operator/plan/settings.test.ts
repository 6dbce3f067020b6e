import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Mistake } from "../../../cli/mistake";
import { ENCRYPTED_ENTRY } from "../../../cli/stackFiles";
import { readGiven } from "../../../operator/plan/given";
import { assess } from "../../../operator/plan/settings";

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
      partly: {},
      elsewhere: [],
      warnings: [expect.stringContaining("environment is not set") as string],
    });
  });

  test("given on the command line are no longer encrypted", () => {
    expect(readGiven(folder, "prod", ["email=a@b.org"])).toMatchObject({ encrypted: [] });
  });

  test("need no stack", () => {
    const given = {
      ...{ project: "bbb", stack: "new", settings: { domain: "x.org" } },
      ...{ encrypted: [], partly: {}, elsewhere: [], warnings: [] },
    };
    expect(readGiven(folder, undefined, ["domain=x.org"])).toEqual(given);
  });

  const write = (text: string) => writeFileSync(join(folder, "Pulumi.prod.yaml"), text);

  test("a token in clear and a prefix that is not the project's are told", () => {
    write("config:\n  bbb:environment: prod\n  hcloud:token: abc\n  bigbluebutton:domain: school.org\n");
    expect(readGiven(folder, "prod", [])).toMatchObject({
      elsewhere: [{ key: "hcloud:token", reason: expect.stringContaining("in clear") as string }],
      warnings: [expect.stringMatching(/^bigbluebutton:domain is not read, .* prefix is bbb:/) as string],
    });
  });

  test.each([
    [
      "a: b: c\n",
      "Pulumi.prod.yaml is no YAML: Nested mappings are not allowed in compact mappings at line 1, column 4",
    ],
    [
      "- a\n",
      "Pulumi.prod.yaml is no settings file: it must begin with config:, and have the settings below",
    ],
    [
      "config: [a]\n",
      "Pulumi.prod.yaml is no settings file: config must have the settings as KEY: VALUE, a line for each",
    ],
  ])("%j is a mistake, in a whole sentence", (text, message) => {
    write(text);
    expect(() => readGiven(folder, "prod", [])).toThrow(
      expect.objectContaining({ name: "Error", message }) as Mistake,
    );
  });

  describe("with an environment of Pulumi ESC", () => {
    const { PATH } = process.env;
    const cli = (text: string) => {
      writeFileSync(join(folder, "pulumi"), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      process.env.PATH = `${folder}:${PATH}`;
    };
    beforeEach(() => write("environment:\n  - school/prod\nconfig:\n  bbb:domain: own.org\n"));
    afterEach(() => {
      process.env.PATH = PATH;
    });

    test("are read by the CLI, without the values of secrets; those of the file count first", () => {
      const answer = {
        "bbb:domain": { value: "esc.org", secret: false },
        "bbb:environment": { value: "prod", secret: false },
        "bbb:sshNetworks": { value: '["8.8.8.8/32"]', objectValue: ["8.8.8.8/32"], secret: false },
        "bbb:email": { secret: true },
        "hcloud:token": { secret: true },
      };
      cli(
        `[ "$*" = "config --json --open --stack prod --non-interactive" ] && echo '${JSON.stringify(answer)}'`,
      );
      expect(readGiven(folder, "prod", [])).toEqual({
        project: "bbb",
        stack: "prod",
        settings: { domain: "own.org", environment: "prod", sshNetworks: ["8.8.8.8/32"] },
        encrypted: ["email"],
        partly: {},
        elsewhere: [],
        warnings: [],
      });
    });

    test.each([
      ["echo 'error: no login' >&2; exit 255", "could not be opened: pulumi config says: no login"],
      [undefined, "could not be opened: the pulumi CLI is not on PATH"],
    ])("that the CLI can't open is told as missing from the plan", (text, why) => {
      if (text === undefined) process.env.PATH = folder;
      else cli(text);
      const { warnings } = readGiven(folder, "prod", []);
      expect(warnings[0]).toContain(`environment of Pulumi ESC (school/prod), which ${why}`);
      expect(warnings[0]).toContain("a plan without what is in there: give it by --set");
    });
  });

  test("of an unknown stack are a mistake, which names the stacks that there are", () => {
    const mistake = new Mistake("stack pord: there is no Pulumi.pord.yaml; there are prod");
    expect(() => readGiven(folder, "pord", [])).toThrow(mistake);
  });
});

function assessed(
  settings: object,
  encrypted: readonly string[] = [],
  partly: Readonly<Record<string, unknown>> = {},
) {
  const { problems, standIns, plannable } = assess({
    ...{ project: "bigbluebutton", stack: "s", encrypted, partly, elsewhere: [], warnings: [] },
    settings: settings as Readonly<Record<string, unknown>>,
  });
  return { problems: problems.map(({ key }) => key), standIns, settings: plannable?.settings };
}

test("good settings are planned as they are", () => {
  const { settings, ...found } = assessed(good);
  expect(found).toEqual({ problems: [], standIns: [] });
  expect(settings).toMatchObject({ bbb: { fqdn: "bbb.school.org" } });
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
    environment: "prod",
    bbb: { fqdn: "bbb.example.org", serverType: "ccx33" },
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

test("a setting with an encrypted entry is planned, but not where it depends on what that is", () => {
  const alerts = { webhook: { url: ENCRYPTED_ENTRY, form: "slack" } };
  const backup = {
    to: "sftp://a@b.eu:23//prod",
    sshKey: ENCRYPTED_ENTRY,
    hostKey: `ssh-ed25519 ${"A".repeat(68)}`,
  };
  const { settings, ...found } = assessed(good, ["alerts", "backup"], { alerts, backup });
  expect(found).toEqual({
    problems: [],
    standIns: [
      { key: "alerts", value: alerts, why: "partly encrypted" },
      { key: "backup", value: undefined, why: "encrypted" },
    ],
  });
  expect(settings!.alerts).toBeDefined();
});

test("a mistake beside an encrypted entry is told", () => {
  const greenlight = { smtp: { server: "mail.school.eu", usr: "a", password: ENCRYPTED_ENTRY } };
  const { problems, standIns } = assessed(good, ["greenlight"], { greenlight });
  expect(problems).toContain("greenlight.smtp.usr");
  expect(standIns).toEqual([{ key: "greenlight", value: undefined, why: "problem" }]);
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
