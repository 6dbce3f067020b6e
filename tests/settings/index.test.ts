import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";

import { releases } from "../../bigbluebutton/releases";
import { parseSettings, type Settings } from "../../settings";
import { loadSettings } from "../../settings/configuration";
import { fields } from "../../settings/fields";
import { SettingsError } from "../../settings/problems";
import { ed25519Key, rootPem } from "./fixtures";

const at = { project: "bigbluebutton", stack: "prod" };
const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const sha256 = "ab".repeat(32);

function settings(raw: Record<string, unknown> = {}): Settings {
  return parseSettings({ ...required, ...raw }, at);
}

function problemsOf(raw: Record<string, unknown>): [key: string, reason: string, remedy: string][] {
  try {
    parseSettings(raw, at);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason, remedy }) => [key, reason, remedy]);
  }
  return [];
}

describe("values", () => {
  test("what must be set suffices; everything else has a default", () => {
    expect(settings()).toEqual({
      ...at,
      labels: at,
      environment: "test",
      domain: "school.eu",
      email: "admin@school.eu",
      release: releases["jammy-30"],
      bbb: {
        fqdn: "bbb.school.eu",
        ...{ cloud: "hetzner", location: "fsn1", serverType: "ccx23", image: "ubuntu-22.04" },
        certificate: { kind: "authority", trustedByBrowsers: true },
      },
      turn: {
        kind: "own",
        fqdn: "turn.school.eu",
        ...{ cloud: "hetzner", location: "fsn1", serverType: "cpx22", image: "ubuntu-24.04" },
        certificate: { kind: "authority", trustedByBrowsers: true },
        peers: [],
        rotateSecret: "",
      },
      network: {},
      sshNetworks: ["198.51.100.7/32"],
      sshPublicKeys: [],
      dns: "hetzner",
      acme: {
        server: "https://acme-v02.api.letsencrypt.org/directory",
        caUrls: [],
        trustedByBrowsers: true,
      },
      greenlight: undefined,
      groups: {},
      recordings: undefined,
      snapshotDays: 7,
      installer: {
        url: releases["jammy-30"].installer!.url,
        sha256: releases["jammy-30"].installer!.sha256,
        version: "jammy-300",
      },
      upgrade: "",
      duringMeetings: "",
      rotateSharedSecret: "",
      protected: false,
      backups: false,
    });
  });

  test("everything set, as the CLI hands it over: text, with lists, booleans and numbers as JSON", () => {
    const made = parseSettings(
      {
        cloud: "hetzner",
        domain: "School.EU.",
        hostname: "meet",
        turnHostname: "relay.school.eu",
        email: "admin@school.eu",
        release: "focal-27",
        allowEndOfLife: "true",
        location: "hel1",
        serverType: "ccx43",
        turnCloud: "hetzner",
        turnLocation: "nbg1",
        turnServerType: "cpx32",
        turnPeers: '["5.75.128.7","2A01:4F8:1:0::1"]',
        image: "4711",
        sshNetworks: '["198.51.100.0/24","2001:DB8::/32","198.51.100.0/24"]',
        sshPublicKeys: JSON.stringify([ed25519Key]),
        dns: "manual",
        acmeServer: "https://acme.school.eu/directory",
        acmeCa: `${rootPem}\n`,
        greenlight: "true",
        recordingsGb: "200",
        recordingsVolumeId: "1234",
        snapshotDays: "0",
        installerUrl: "http://mirror.school.eu/bbb-install.sh",
        installerSha256: sha256.toUpperCase(),
        upgrade: "2026-11-21",
        duringMeetings: "",
        rotateTurnSecret: "once",
        rotateSharedSecret: "twice",
        environment: "staging",
        protect: "true",
        protectRecordings: "false",
        backups: "true",
      },
      at,
    );
    expect(made).toEqual({
      ...at,
      labels: at,
      environment: "staging",
      domain: "school.eu",
      email: "admin@school.eu",
      release: releases["focal-27"],
      bbb: {
        fqdn: "meet.school.eu",
        ...{ cloud: "hetzner", location: "hel1", serverType: "ccx43", image: "4711" },
        certificate: { kind: "authority", trustedByBrowsers: false },
      },
      turn: {
        kind: "own",
        fqdn: "relay.school.eu",
        ...{ cloud: "hetzner", location: "nbg1", serverType: "cpx32", image: "ubuntu-24.04" },
        certificate: { kind: "authority", trustedByBrowsers: false },
        peers: ["5.75.128.7", "2a01:4f8:1::1"],
        rotateSecret: "once",
      },
      network: {},
      sshNetworks: ["198.51.100.0/24", "2001:db8::/32"],
      sshPublicKeys: [ed25519Key],
      dns: "manual",
      acme: {
        server: "https://acme.school.eu/directory",
        ca: `${rootPem}\n`,
        caUrls: [],
        trustedByBrowsers: false,
      },
      greenlight: {},
      groups: {},
      recordings: { kind: "adopted" as const, id: "1234" },
      snapshotDays: 0,
      installer: { url: "http://mirror.school.eu/bbb-install.sh", sha256, version: "focal-270" },
      upgrade: "2026-11-21",
      duringMeetings: "",
      rotateSharedSecret: "twice",
      protected: true,
      backups: true,
    });
  });

  test("empty texts, empty lists, a volume of 0 GB and null are not set", () => {
    const empty = {
      location: "",
      serverType: "",
      image: null,
      sshPublicKeys: [],
      recordingsGb: 0,
      acmeCa: "",
    };
    expect(settings(empty)).toEqual(settings());
    expect(settings({ sshPublicKeys: "[]", recordingsGb: "0", allowEndOfLife: "false" })).toEqual(settings());
  });

  test("prod is protected and has a larger server", () => {
    expect(settings({ environment: "prod" })).toMatchObject({
      protected: true,
      bbb: { serverType: "ccx33" },
      turn: { serverType: "ccx13" },
    });
    expect(settings({ environment: "staging" })).toMatchObject({
      protected: false,
      bbb: { serverType: "ccx23" },
    });
  });

  describe("at AWS", () => {
    test("the defaults are its own", () => {
      expect(settings({ cloud: "aws" })).toEqual({
        ...settings(),
        bbb: {
          ...settings().bbb,
          ...{ cloud: "aws", location: "eu-central-1", serverType: "c7a.xlarge" },
          image: releases["jammy-30"].images.aws,
        },
        turn: {
          ...settings().turn,
          ...{ cloud: "aws", location: "eu-central-1", serverType: "c7a.large" },
          image: releases["noble-40"].images.aws,
        },
        dns: "route53",
      });
      expect(settings({ cloud: "aws", environment: "prod" })).toMatchObject({
        bbb: { serverType: "c7a.2xlarge" },
        turn: { serverType: "c7a.large" },
      });
    });

    test("everything set", () => {
      const raw = {
        cloud: "aws",
        environment: "prod",
        location: "eu-west-1",
        turnLocation: "eu-west-1",
        serverType: "m7i.4xlarge",
        turnServerType: "c6in.large",
        image: "ami-0123456789abcdef0",
        vpcId: "vpc-0123456789abcdef0",
        subnetId: "subnet-01234567",
        dns: "hetzner",
        recordingsVolumeId: "vol-0123456789abcdef0",
        snapshotDays: "30",
      };
      const { image } = raw;
      expect(settings(raw)).toMatchObject({
        bbb: { cloud: "aws", location: "eu-west-1", serverType: "m7i.4xlarge", image },
        turn: { cloud: "aws", location: "eu-west-1", serverType: "c6in.large" },
        network: { vpcId: raw.vpcId, subnetId: raw.subnetId },
        dns: "hetzner",
        recordings: { kind: "adopted", id: raw.recordingsVolumeId },
        snapshotDays: 30,
      });
    });

    test("an image may be the name pattern of one of Canonical's", () => {
      const image = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260101*";
      expect(settings({ cloud: "aws", image }).bbb.image).toBe(image);
    });

    test("turnCloud puts the TURN server on the other one, with that one's defaults", () => {
      const turn = { cloud: "aws", location: "eu-central-1", serverType: "c7a.large" };
      const there = settings({ turnCloud: "aws", location: "hel1", vpcId: "vpc-01234567" });
      expect(there).toMatchObject({
        bbb: { cloud: "hetzner", location: "hel1" },
        turn,
        dns: "hetzner",
      });
      const back = settings({ cloud: "aws", turnCloud: "hetzner", turnLocation: "nbg1" });
      expect(back).toMatchObject({
        bbb: { cloud: "aws" },
        turn: { cloud: "hetzner", location: "nbg1", serverType: "cpx22", image: "ubuntu-24.04" },
        dns: "route53",
      });
      const other = settings({ cloud: "aws", turnCloud: "hetzner", location: "eu-west-1" });
      expect(other.turn).toMatchObject({ location: "fsn1" });
    });
  });

  test("the staging authority's roots are fetched by the hosts, and browsers don't trust it", () => {
    const { acme } = settings({ acmeServer: "staging" });
    expect(acme.server).toBe("https://acme-staging-v02.api.letsencrypt.org/directory");
    expect(acme.trustedByBrowsers).toBe(false);
    expect(acme.caUrls).toContain("https://letsencrypt.org/certs/staging/letsencrypt-stg-root-x1.pem");
    for (const url of acme.caUrls)
      expect(url).toMatch(/^https:\/\/letsencrypt\.org\/certs\/staging\/.*\.pem$/);
  });

  test("an adopted volume needs no size", () => {
    const volume = (raw: Record<string, unknown>) => settings(raw).recordings;
    expect(volume({ recordingsVolumeId: "1234" })).toEqual({ kind: "adopted", id: "1234" });
    expect(volume({ recordingsGb: 10 })).toEqual({ kind: "new", sizeGb: 10, protected: false });
    expect(volume({ recordingsGb: 10, recordingsVolumeId: "1" })).toEqual({ kind: "adopted", id: "1" });
  });

  test("with another stack's TURN server, nothing is known of it but the stack", () => {
    expect(settings({ turnStack: "prod" }).turn).toEqual({ kind: "shared", stack: "prod" });
  });

  test("a digest alone pins the release's own installer", () => {
    expect(settings({ installerSha256: sha256 }).installer).toEqual({
      url: releases["jammy-30"].installer!.url,
      sha256,
      version: "jammy-300",
    });
  });

  test("an old release brings its own image, installer and digest where they still exist", () => {
    const { installer, bbb } = settings({ release: "focal-26", allowEndOfLife: true, image: "99" });
    expect(installer).toEqual({
      url: releases["focal-26"].installer!.url,
      sha256: releases["focal-26"].installer!.sha256,
      version: "focal-260",
    });
    expect(bbb.image).toBe("99");
  });

  test("2.0 can be installed with an installer of one's own", () => {
    const own = { installerUrl: "https://mirror.school.eu/bbb-install.sh", installerSha256: sha256 };
    const { installer } = settings({ release: "xenial-20", allowEndOfLife: true, image: "99", ...own });
    expect(installer).toEqual({ url: own.installerUrl, sha256, version: "xenial-200" });
  });
});

describe("mistakes", () => {
  test.each<[string, Record<string, unknown>, key: string, reason: string, remedy: string]>([
    ["an unknown key", { greenlite: true }, "greenlite", "did you mean greenlight?", "config rm greenlite"],
    ["a key unlike any", { colour: "red" }, "colour", "is no setting", "pulumi config rm colour"],
    ["an unknown cloud", { cloud: "azure" }, "cloud", "must be hetzner or aws", "set cloud hetzner"],
    ["a bad zone", { domain: "school_eu.eu" }, "domain", "is not a DNS name", "set domain"],
    ["a public suffix", { domain: "co.uk" }, "domain", "is a public suffix", "set domain"],
    ["no zone", { domain: "" }, "domain", "is not set", "set domain"],
    ["a reserved zone", { domain: "school.local" }, "domain", "is a reserved name", "acmeServer and acmeCa"],
    ["a host outside", { hostname: "bbb.other.eu" }, "hostname", "is outside the zone", "set hostname"],
    ["a bad host name", { turnHostname: "turn_1" }, "turnHostname", "is not a DNS name", "set turnHostname"],
    ["the zone itself", { hostname: "school.eu" }, "hostname", "is the zone itself", "set hostname"],
    ["one name for both", { turnHostname: "bbb.school.eu" }, "turnHostname", "server's name", "turnHostname"],
    ["a placeholder", { email: "info@example.com" }, "email", "its installer refuses", "set email"],
    ["no address", { email: "admin" }, "email", "is not an e-mail address", "set email"],
    ["an example's address", { email: "a@example.org" }, "email", "domain for examples", "set email"],
    ["an unknown release", { release: "noble-310" }, "release", 'not "noble-310"', "set release jammy-30"],
    [
      "an old release",
      { release: "focal-27", image: "9" },
      "release",
      "no security updates",
      "allowEndOfLife true",
    ],
    ["no yes or no", { greenlight: "yes" }, "greenlight", "must be true or false", "greenlight true"],
    ["a data centre", { location: "fsn1-dc14" }, "location", "is a data centre", "set location fsn1"],
    [
      "a bad location",
      { location: "Falkenstein 1" },
      "location",
      "not the name of a location",
      "location fsn1",
    ],
    ["an ARM server", { serverType: "cax31" }, "serverType", "has ARM processors", "set serverType ccx33"],
    ["an ARM TURN server", { turnServerType: "cax11" }, "turnServerType", "has ARM", "turnServerType ccx13"],
    ["a private peer", { turnPeers: ["10.0.0.1"] }, "turnPeers", "no public address", "addresses.bbb.ipv4"],
    ["a peer by name", { turnPeers: ["bbb.school.eu"] }, "turnPeers", "is not an IPv4", "addresses.bbb.ipv4"],
    [
      "a peer twice",
      { turnPeers: ["2a01:4f8:1::1", "2a01:4f8:1:0::1"] },
      "turnPeers",
      "is there already",
      "turnPeers",
    ],
    ["a stack that can't be", { turnStack: "a/b" }, "turnStack", "not the name of a stack", "rm turnStack"],
    ...(
      [
        ["turnHostname", "relay"],
        ["turnCloud", "hetzner"],
        ["turnLocation", "fsn1"],
        ["turnServerType", "cpx22"],
        ["turnPeers", ["5.75.128.7"]],
        ["rotateTurnSecret", "once"],
      ] as const
    ).map(
      ([key, value]) =>
        [
          `${key} of another stack's TURN server`,
          { turnStack: "prod", [key]: value },
          key,
          "is that of stack prod",
          `rm ${key}, or pulumi config rm turnStack`,
        ] as [string, Record<string, unknown>, string, string, string],
    ),
    ["a bad type", { serverType: "8 cores" }, "serverType", "is not the name of a server type", "serverType"],
    ["a bad image", { image: "my image" }, "image", "is not an image's name or id", "pulumi config rm image"],
    ["no network", { sshNetworks: [] }, "sshNetworks", "is not set", "'sshNetworks[0]' YOUR-ADDRESS/32"],
    ["no list", { sshNetworks: "10.0.0.0/8" }, "sshNetworks", "must be a list of networks", "sshNetworks[0]"],
    [
      "host bits",
      { sshNetworks: ["198.51.100.1/24"] },
      "sshNetworks",
      "has bits set",
      "'sshNetworks[0]' 198.51.100.0/24",
    ],
    ["a bare address", { sshNetworks: ["8.8.8.8"] }, "sshNetworks", "is an address", "8.8.8.8/32"],
    [
      "a bad key",
      { sshPublicKeys: ["ssh-rsa AAAA"] },
      "sshPublicKeys",
      "key number 1, which is damaged",
      ".pub",
    ],
    ["no key", { sshPublicKeys: "me" }, "sshPublicKeys", "must be a list of public keys", "sshPublicKeys[0]"],
    ["unknown DNS", { dns: "cloudflare" }, "dns", "must be hetzner, route53 or manual", "set dns manual"],
    [
      "plain http",
      { acmeServer: "http://acme.eu/dir" },
      "acmeServer",
      "nor an https URL",
      "acmeServer production",
    ],
    [
      "no PEM",
      { acmeServer: "https://a.eu/d", acmeCa: "x" },
      "acmeCa",
      "no certificate in PEM",
      "< roots.pem",
    ],
    ["a root too many", { acmeCa: rootPem }, "acmeCa", "acmeServer is production", "pulumi config rm acmeCa"],
    ["half a gigabyte", { recordingsGb: "10.5" }, "recordingsGb", "whole number", "recordingsGb 100"],
    ["a small volume", { recordingsGb: 5 }, "recordingsGb", "is 5; a volume has 10 to 10240 GB", "or 0"],
    [
      "a volume's name",
      { recordingsVolumeId: "bbb" },
      "recordingsVolumeId",
      "not a volume's id",
      "volume list",
    ],
    [
      "no URL",
      { installerUrl: "x", installerSha256: sha256 },
      "installerUrl",
      "not an http",
      "rm installerUrl",
    ],
    [
      "an unknown installer",
      { installerUrl: "https://a.eu/i" },
      "installerSha256",
      "is not set",
      "sha256sum",
    ],
    ["no digest", { installerSha256: "abc" }, "installerSha256", "64 hexadecimal digits", "sha256sum"],
    ["a long text", { upgrade: "x".repeat(101) }, "upgrade", "at most 100", "set upgrade"],
    ["an unknown environment", { environment: "dev" }, "environment", 'not "dev"', "environment prod"],
    ["a number for a text", { hostname: 7 }, "hostname", "must be a text", "set hostname"],
  ])("%s", (_name, raw, key, reason, remedy) => {
    expect(problemsOf({ ...required, ...raw })).toEqual([
      [key, expect.stringContaining(reason), expect.stringContaining(remedy)],
    ]);
  });

  test.each<[string, Record<string, unknown>, key: string, reason: string, remedy: string]>([
    ["Hetzner's location", { location: "fsn1" }, "location", "not the name of an AWS region", "eu-central-1"],
    [
      "an availability zone",
      { location: "eu-west-1b" },
      "location",
      "is an availability zone",
      "set location eu-west-1; subnetId",
    ],
    ["China", { location: "cn-north-1" }, "location", "partition of AWS", "set location eu-central-1"],
    [
      "Hetzner's server type",
      { serverType: "ccx33" },
      "serverType",
      '"ccx33" is not a server type of AWS',
      "set serverType c7a.2xlarge",
    ],
    ["an ARM server", { serverType: "c7g.2xlarge" }, "serverType", "has ARM", "set serverType c7a.2xlarge"],
    ["an ARM TURN server", { turnServerType: "t4g.small" }, "turnServerType", "has ARM", "c7a.large"],
    ...["t2.xlarge", "t3.2xlarge", "t3a.xlarge", "c7i-flex.2xlarge", "m7i-flex.2xlarge"].map(
      (serverType): [string, Record<string, unknown>, string, string, string] => [
        `${serverType} in prod`,
        { serverType, environment: "prod" },
        "serverType",
        "part of the time only",
        "set serverType c7a.2xlarge",
      ],
    ),
    [
      "a burstable TURN server in prod",
      { turnServerType: "t3.medium", environment: "prod" },
      "turnServerType",
      "part of the time only",
      "set turnServerType c7a.large",
    ],
    ["Hetzner's image", { image: "ubuntu-22.04" }, "image", "is not an AMI's id", "config rm image"],
    ["a damaged AMI", { image: "ami-xyz" }, "image", "is not an AMI's id", "config rm image"],
    ["a VPC's name", { vpcId: "main" }, "vpcId", "is not the id of a VPC", "default VPC"],
    ["a VPC as subnet", { subnetId: "vpc-01234567" }, "subnetId", "is not the id of a subnet", "rm subnetId"],
    [
      "Hetzner's volume",
      { recordingsVolumeId: "1234" },
      "recordingsVolumeId",
      "not an EBS volume's id",
      "describe-volumes",
    ],
    ["half a day", { snapshotDays: "0.5" }, "snapshotDays", "whole number of days", "snapshotDays 7, or 0"],
    ["a long memory", { snapshotDays: 1001 }, "snapshotDays", "from 1 to 1000", "or 0 for none"],
    [
      "a TURN server in another region",
      { turnLocation: "eu-west-1" },
      "turnLocation",
      "both share one",
      "config rm turnLocation",
    ],
    ["an unknown turnCloud", { turnCloud: "azure" }, "turnCloud", "must be hetzner or aws", "turnCloud"],
    [
      "a region for a TURN server at Hetzner",
      { turnCloud: "hetzner", turnLocation: "eu-central-1" },
      "turnLocation",
      "location of Hetzner",
      "set turnLocation fsn1",
    ],
  ])("at AWS: %s", (_name, raw, key, reason, remedy) => {
    expect(problemsOf({ ...required, cloud: "aws", ...raw })).toEqual([
      [key, expect.stringContaining(reason), expect.stringContaining(remedy)],
    ]);
  });

  test.each<[string, Record<string, unknown>, key: string, reason: string]>([
    ["a region", { location: "eu-central-1" }, "location", "not the name of a location of Hetzner"],
    ["an EC2 type", { serverType: "c7a.xlarge" }, "serverType", "not a server type of Hetzner Cloud"],
    ["an EC2 type for TURN", { turnServerType: "c7a.large" }, "turnServerType", "server type of Hetzner"],
    ["an AMI's name", { image: "ubuntu/images/x" }, "image", "not an image's name or id at Hetzner"],
    ["an EBS volume", { recordingsVolumeId: "vol-01234567" }, "recordingsVolumeId", "a number"],
    ["a VPC", { vpcId: "vpc-01234567" }, "vpcId", "no server is at AWS"],
    ["a subnet", { subnetId: "subnet-01234567" }, "subnetId", "no server is at AWS"],
    ["snapshots", { snapshotDays: 14 }, "snapshotDays", "has no snapshots of volumes"],
    [
      "a TURN type of the other cloud",
      { turnCloud: "aws", turnServerType: "cpx22" },
      "turnServerType",
      "AWS",
    ],
  ])("at Hetzner: %s", (_name, raw, key, reason) => {
    expect(problemsOf({ ...required, ...raw })).toEqual([
      [key, expect.stringContaining(reason), expect.stringContaining("pulumi config ")],
    ]);
  });

  test.each(["t3.medium", "m7i-flex.xlarge"])("%s does for trying out", (serverType) => {
    expect(problemsOf({ ...required, cloud: "aws", serverType, turnServerType: serverType })).toEqual([]);
  });

  test("c6a is not taken for ARM, nor a family with an f in it for flex", () => {
    const raw = {
      cloud: "aws",
      environment: "prod",
      serverType: "c6a.2xlarge",
      turnServerType: "f2.6xlarge",
    };
    expect(problemsOf({ ...required, ...raw })).toEqual([]);
  });

  test.each(Object.values(releases).filter(({ status }) => status === "end-of-life"))(
    "$name is end of life, and Hetzner has no image for it any more",
    ({ name, images, installer }) => {
      const problems = problemsOf({ ...required, release: name });
      expect(problems.map(([key]) => key)).toEqual(["release", "image", ...(installer ? [] : ["release"])]);
      expect(problems[1]![1]).toContain(`hetzner no longer offers ${images.hetzner}`);
    },
  );

  test("2.0 says what is missing", () => {
    const problems = problemsOf({ ...required, release: "xenial-20", allowEndOfLife: true, image: "9" });
    expect(problems).toEqual([
      [
        "release",
        expect.stringContaining("the installer is missing"),
        expect.stringContaining("installerUrl URL"),
      ],
    ]);
  });

  test("the names in BigBlueButton's docs are refused as its installer does", () => {
    const problems = problemsOf({ ...required, domain: "example.com" });
    expect(problems.map(([key]) => key)).toEqual(["hostname", "turnHostname"]);
    expect(problems[0]![1]).toContain("bbb.example.com, a placeholder");
  });

  test("names for examples are fine with a private authority, as in the sandbox", () => {
    const raw = { domain: "example.test", email: "admin@example.test", acmeServer: "https://acme.test/dir" };
    expect(problemsOf({ ...required, ...raw, acmeCa: rootPem })).toEqual([]);
  });

  test("an expiry is a time, and only of what can be removed", () => {
    const expires = "4102444800";
    expect(settings({ expires }).labels).toEqual({ ...at, expires });
    expect(problemsOf({ ...required, expires: "tomorrow" })).toEqual([
      ["expires", '"tomorrow" is not a time in seconds since 1970', expect.stringContaining("test-server")],
    ]);
    expect(problemsOf({ ...required, expires, environment: "staging" })).toEqual([
      [
        "environment",
        expect.stringContaining("is staging, though the deployment has an expiry"),
        expect.any(String),
      ],
    ]);
    expect(problemsOf({ ...required, expires, protectRecordings: "true" })).toEqual([
      [
        "protectRecordings",
        expect.stringContaining("has an expiry"),
        expect.stringContaining("config rm expires"),
      ],
    ]);
  });

  test("an expiry that is over is refused: what is made would go at once", () => {
    expect(problemsOf({ ...required, expires: "1600000000" })).toEqual([
      [
        "expires",
        "is 1600000000, 2020-09-13T12:26:40.000Z, which is over: what is made would be removed at once",
        expect.stringContaining("config rm expires"),
      ],
    ]);
  });

  test.each<[string, Record<string, unknown>, key: string, reason: string, remedy: string]>([
    ["a zone with an umlaut", { domain: "schüle.de" }, "domain", "ASCII form", "domain xn--schle-mva.de"],
    ["a URL", { domain: "https://school.eu/bbb" }, "domain", "is a URL", "config set domain school.eu"],
    ["a mailbox", { domain: "a@school.eu" }, "domain", "is not a DNS name", "config set domain school.eu"],
    [
      "a mailbox's host with an umlaut",
      { email: "admin@schüle.de" },
      "email",
      "is not an e-mail address in ASCII",
      "email admin@xn--schle-mva.de",
    ],
    ["a host outside", { hostname: "meet.other.eu" }, "hostname", "outside the zone", "set hostname meet"],
    [
      "a host's URL",
      { hostname: "https://meet.school.eu" },
      "hostname",
      "is a URL",
      "hostname meet.school.eu",
    ],
    ["an underscore", { hostname: "meet_one" }, "hostname", "is not a DNS name", "set hostname meet-one"],
    ["a host with an umlaut", { hostname: "grün" }, "hostname", "ASCII form", "set hostname xn--grn-ioa"],
    [
      "the name turn for both",
      { hostname: "turn" },
      "turnHostname",
      "BigBlueButton server's name",
      "set turnHostname turn-turn",
    ],
    [
      "a list in a list",
      { sshNetworks: [["198.51.100.7/32"]] },
      "sshNetworks",
      'has ["198.51.100.7/32"], a list in the list as entry number 1',
      "set --path 'sshNetworks[0]' 198.51.100.7/32",
    ],
    [
      "a number in a list",
      { sshNetworks: ["198.51.100.7/32", 7] },
      "sshNetworks",
      "has 7, no text as entry number 2",
      "'sshNetworks[1]'",
    ],
    [
      "another Ubuntu's image",
      { image: "ubuntu-24.04" },
      "image",
      "by its name of Ubuntu 24.04; jammy-30, BigBlueButton 3.0, needs Ubuntu 22.04 on x86",
      "pulumi config rm image",
    ],
    ["another system's image", { image: "debian-12" }, "image", "by its name of debian", "config rm image"],
    [
      "another Ubuntu's image at AWS",
      { cloud: "aws", image: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-*" },
      "image",
      "of Ubuntu 24.04",
      "config rm image",
    ],
    [
      "an image for ARM at AWS",
      { cloud: "aws", image: "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-*" },
      "image",
      "for ARM",
      "config rm image",
    ],
    [
      "the wrong Ubuntu for a release whose own is gone",
      { release: "focal-27", allowEndOfLife: true, image: "ubuntu-22.04" },
      "image",
      "needs Ubuntu 20.04",
      "the id of a snapshot of your own",
    ],
  ])("what was meant is in the remedy: %s", (_name, raw, key, reason, remedy) => {
    expect(problemsOf({ ...required, ...raw })).toEqual([
      [key, expect.stringContaining(reason), expect.stringContaining(remedy)],
    ]);
  });

  test.each(["4711", "my-image", "ubuntu-22.04"])("the image %s may be what is needed", (image) => {
    expect(problemsOf({ ...required, image })).toEqual([]);
  });

  test("all of them in one error, each with its key, its reason and its remedy", () => {
    const raw = {
      sshNetwork: ["10.0.0.0/8"],
      domain: "school.eu",
      hostname: "bbb.other.eu",
      email: "info@example.com",
      sshNetworks: ["198.51.100.1/24", "2001:db8::1"],
      serverType: "cax31",
      release: "focal-27",
      recordingsGb: "lots",
    };
    expect(() => parseSettings(raw, at))
      .toThrow(`9 problems in the settings of the stack "prod"; nothing was changed.

  bigbluebutton:sshNetwork is no setting; did you mean sshNetworks?
    → pulumi config rm sshNetwork; Pulumi.yaml lists the settings

  bigbluebutton:email is info@example.com, the placeholder in BigBlueButton's docs that its installer refuses
    → pulumi config set email YOUR-ADDRESS

  bigbluebutton:sshNetworks has "198.51.100.1/24", which has bits set behind its prefix
    → pulumi config set --path 'sshNetworks[0]' 198.51.100.0/24

  bigbluebutton:sshNetworks has "2001:db8::1", which is an address, not a network in CIDR form
    → pulumi config set --path 'sshNetworks[1]' 2001:db8::1/128

  bigbluebutton:recordingsGb must be a whole number of gigabytes
    → pulumi config set recordingsGb 100, or 0 for none

  bigbluebutton:hostname "bbb.other.eu" is outside the zone school.eu
    → pulumi config set hostname bbb

  bigbluebutton:serverType "cax31" has ARM processors, for which BigBlueButton has no packages
    → pulumi config set serverType ccx33, or another x86 type

  bigbluebutton:release is focal-27, BigBlueButton 2.7, which gets no security updates any more
    → pulumi config set release jammy-30, or knowingly pulumi config set allowEndOfLife true

  bigbluebutton:image is not set, and hetzner no longer offers ubuntu-20.04, which focal-27 needs
    → pulumi config set image ID, with the id of a snapshot of your own with Ubuntu 20.04
`);
  });

  test("is shown by the CLI without a stack trace", () => {
    expect.assertions(1);
    try {
      parseSettings({}, at);
    } catch (error) {
      expect(pulumi.RunError.isInstance(error)).toBe(true);
    }
  });
});

describe("loadSettings", () => {
  beforeAll(() => {
    void pulumi.runtime.setMocks(
      {
        call: ({ inputs }) => inputs as object,
        newResource: ({ inputs }) => ({ id: "id", state: inputs as object }),
      },
      "bigbluebutton",
      "staging",
    );
  });

  test("reads the project's own settings and no others", () => {
    pulumi.runtime.setAllConfig({
      "bigbluebutton:domain": "school.eu",
      "bigbluebutton:email": "admin@school.eu",
      "bigbluebutton:sshNetworks": '["198.51.100.0/24"]',
      "bigbluebutton:environment": "test",
      "hcloud:location": "fsn1",
      "pulumi:tags": "{}",
    });
    expect(loadSettings()).toEqual({
      ...settings({ sshNetworks: ["198.51.100.0/24"] }),
      stack: "staging",
      labels: { ...at, stack: "staging" },
    });
  });

  const complete = {
    "bigbluebutton:domain": "school.eu",
    "bigbluebutton:email": "admin@school.eu",
    "bigbluebutton:sshNetworks": '["198.51.100.0/24"]',
    "bigbluebutton:environment": "test",
  };
  afterEach(() => {
    delete process.env.PULUMI_CONFIG_SECRET_KEYS;
    jest.restoreAllMocks();
  });

  test("a token in clear is refused, one that is encrypted is not", () => {
    pulumi.runtime.setAllConfig({ ...complete, "hcloud:token": "x".repeat(64) });
    expect(loadSettings).toThrow(
      /^1 problem [^]*\n {2}hcloud:token is in clear in the stack's settings[^]*→ revoke it[^]*pulumi config set --secret hcloud:token/,
    );
    process.env.PULUMI_CONFIG_SECRET_KEYS = JSON.stringify(["hcloud:token"]);
    expect(loadSettings).not.toThrow();
  });

  test("what looks like this project's settings under another prefix is told, whatever else is set", () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    pulumi.runtime.setAllConfig({ ...complete, "bbb:environment": "prod" });
    loadSettings();
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(
        /^bbb:environment is not read, .* pulumi config set bigbluebutton:environment VALUE, and pulumi config rm bbb:environment$/,
      ),
    ]);
  });

  test("a stack without an environment is told to be a test deployment", () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    pulumi.runtime.setAllConfig({ ...complete, "bigbluebutton:environment": "" });
    expect(loadSettings()).toMatchObject({ environment: "test", protected: false });
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      expect.stringContaining('environment is not set, so the stack "staging" is a test deployment'),
    ]);
  });

  test("finds unknown ones among them", () => {
    pulumi.runtime.setAllConfig({ "bigbluebutton:domian": "school.eu", "bigbluebutton:environment": "test" });
    expect(loadSettings).toThrow("bigbluebutton:domian is no setting; did you mean domain?");
  });
});

describe("Pulumi.yaml", () => {
  interface Declared {
    type: string;
    items?: { type: string };
    default?: unknown;
    description?: string;
  }
  const read = (file: string) =>
    parse(readFileSync(join(__dirname, "../..", file), "utf8")) as Record<string, unknown>;
  const project = read("Pulumi.yaml");
  const declared = project["config"] as Record<string, Declared>;

  test("declares every setting with its type and a description", () => {
    expect(Object.keys(declared)).toEqual(Object.keys(fields));
    for (const [key, { type, items, description }] of Object.entries(declared)) {
      const wanted = fields[key as keyof typeof fields].type;
      // The CLI has no type of the two, and takes any value where there is none.
      expect([key, type]).toEqual([key, wanted === "boolean or object" ? undefined : wanted]);
      expect(items).toEqual(type === "array" ? { type: "string" } : undefined);
      expect(description).toMatch(/^\w.*\.$/);
    }
  });

  test("has a default for every setting that may be left out, since the CLI asks for all others", () => {
    const mandatory = Object.entries(declared).filter(([, declaration]) => declaration.default === undefined);
    expect(mandatory.map(([key]) => key).sort()).toEqual(Object.keys(required).sort());
  });

  test("its defaults are the program's", () => {
    const defaults = Object.fromEntries(
      Object.entries(declared).flatMap(([key, { default: value }]) =>
        value === undefined ? [] : [[key, value]],
      ),
    );
    expect(settings(defaults)).toEqual(settings());
  });

  test.each([
    [
      "staging",
      { protected: false, backups: false, recordings: { kind: "new" as const, sizeGb: 20, protected: true } },
    ],
    [
      "prod",
      { protected: true, backups: true, recordings: { kind: "new" as const, sizeGb: 200, protected: true } },
    ],
  ])("Pulumi.%s.yaml is complete but for what its reader has to change", (environment, expected) => {
    const { config } = read(`Pulumi.${environment}.yaml`) as { config: Record<string, unknown> };
    const raw = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key.replace(`${String(project["name"])}:`, ""), value]),
    );
    expect(problemsOf(raw)).toEqual([
      ["email", expect.stringContaining("domain for examples"), expect.anything()],
    ]);
    expect(parseSettings({ ...raw, email: required.email }, at)).toMatchObject({ environment, ...expected });
  });

  test("neither file holds a secret", () => {
    for (const file of ["Pulumi.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"]) {
      expect(readFileSync(join(__dirname, "../..", file), "utf8")).not.toMatch(
        /^\s*(secure|encryptionsalt|.*token):/m,
      );
    }
  });
});
