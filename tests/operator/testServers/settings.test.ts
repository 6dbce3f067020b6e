import { defaultRelease } from "../../../bigbluebutton/releases";
import { Mistake } from "../../../cli/mistake";
import {
  checkSettings,
  randomToken,
  stackOf,
  testServerSettings,
  type TestServerRequest,
} from "../../../operator/testServers/settings";
import { epoch, NOW } from "./fakes";

const request = (more: Partial<TestServerRequest> = {}): TestServerRequest => ({
  like: { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] },
  expires: NOW,
  set: {},
  token: "k3x9q2",
  ...more,
});

test("nothing of the other stack that could be lost or touched is taken over", () => {
  const like = {
    ...request().like,
    environment: "prod",
    hostname: "bbb",
    turnHostname: "turn",
    serverType: "ccx63",
    turnServerType: "ccx33",
    recordingsGb: "500",
    recordingsVolumeId: "4711",
    protect: "true",
    protectRecordings: "true",
    backups: "true",
    upgrade: "2026-01-01",
    rotateTurnSecret: "x",
    acmeServer: "production",
    snapshotDays: 30,
  };
  expect(testServerSettings(request({ like }))).toEqual({
    ...request().like,
    environment: "test",
    hostname: "bbb-k3x9q2",
    turnHostname: "turn-k3x9q2",
    acmeServer: "staging",
    expires: epoch(0),
    image: "baked-or-stock",
    turnImage: "baked-or-stock",
  });
});

test("its servers are made from baked images, unless an image is set, or the cloud's own is asked for", () => {
  const imagesOf = (more: Partial<TestServerRequest>) => {
    const { image, turnImage } = testServerSettings(request(more));
    return [image, turnImage];
  };
  expect(imagesOf({ set: { image: "4711" } })).toEqual(["4711", "baked-or-stock"]);
  expect(imagesOf({ set: { turnStack: "prod" } })).toEqual(["baked-or-stock", undefined]);
  expect(imagesOf({ stock: true })).toEqual([undefined, undefined]);
  expect(imagesOf({ like: { ...request().like, image: "4712" } })).toEqual(["4712", "baked-or-stock"]);
});

test("where, for whom and by which token is taken over", () => {
  const like = {
    ...request().like,
    location: "hel1",
    dns: "hetzner",
    sshPublicKeys: ["k"],
    "hcloud:token": "t",
  };
  expect(testServerSettings(request({ like }))).toMatchObject(like);
});

test("a private certificate authority is taken over, with its roots", () => {
  const authority = { acmeServer: "https://acme.school.eu/dir", acmeCa: "PEM" };
  expect(testServerSettings(request({ like: { ...request().like, ...authority } }))).toMatchObject(authority);
  const without = testServerSettings(request({ like: { ...request().like, acmeCa: "PEM" } }));
  expect(without).toMatchObject({ acmeServer: "staging" });
  expect(without).not.toHaveProperty("acmeCa");
});

test("what belongs to a release goes with it", () => {
  const like = {
    ...request().like,
    release: "focal-27",
    allowEndOfLife: true,
    image: "1",
    installerUrl: "u",
    installerSha256: "s",
  };
  expect(testServerSettings(request({ like }))).toMatchObject(like);
  expect(testServerSettings(request({ like, release: "focal-27" }))).toMatchObject(like);
  const other = testServerSettings(request({ like, release: "noble-40" }));
  expect(other.release).toBe("noble-40");
  for (const key of ["allowEndOfLife", "installerUrl", "installerSha256"])
    expect(other).not.toHaveProperty(key);
  expect(other.image).toBe("baked-or-stock");
});

test("the release that a stack has by default is no other one where it is asked for", () => {
  const like = { ...request().like, release: undefined, installerUrl: "u" };
  expect(testServerSettings(request({ like, release: defaultRelease }))).toMatchObject({ installerUrl: "u" });
});

test("what belongs to a cloud stays there", () => {
  const like = { ...request().like, location: "hel1", turnLocation: "nbg1", dns: "hetzner" };
  const other = testServerSettings(request({ like, cloud: "aws" }));
  expect(other).toMatchObject({ cloud: "aws", domain: "school.eu" });
  for (const key of ["location", "turnLocation", "dns"]) expect(other).not.toHaveProperty(key);
  expect(testServerSettings(request({ like, cloud: "hetzner" }))).toMatchObject(like);
});

test("snapshots, which outlive a server, are made only where they are asked for", () => {
  expect(testServerSettings(request({ cloud: "aws" })).snapshotDays).toBe(0);
  expect(testServerSettings(request({ cloud: "aws", set: { snapshotDays: 2 } })).snapshotDays).toBe(2);
  expect(testServerSettings(request())).not.toHaveProperty("snapshotDays");
});

test.each(["environment", "hostname", "turnHostname", "expires"])("%s is decided here", (key) => {
  expect(() => testServerSettings(request({ set: { [key]: "x" } }))).toThrow(Mistake);
});

test("records that people make by hand are refused", () => {
  const like = { ...request().like, dns: "manual" };
  expect(() => testServerSettings(request({ like }))).toThrow("dns is manual");
  expect(testServerSettings(request({ like, set: { dns: "route53" } })).dns).toBe("route53");
});

test("settings are those that the program takes", () => {
  checkSettings({ ...testServerSettings(request()), "hcloud:token": "t" });
  expect(() => checkSettings({ domain: "school.eu" })).toThrow(
    /^the settings do not do: email is not set; sshNetworks is not set\. Set them in Pulumi\.test\.yaml/,
  );
});

test("names are what a stack and a label can bear", () => {
  expect(stackOf("pr-7")).toBe("test-pr-7");
  expect(stackOf("test-pr-7")).toBe("test-pr-7");
  for (const bad of ["", "-a", "a-", "A", "a_b", "a.b", "a/b", "a".repeat(31)]) {
    expect(() => stackOf(bad)).toThrow(Mistake);
  }
});

test("tokens are names of hosts, and do not repeat", () => {
  const tokens = Array.from({ length: 200 }, randomToken);
  for (const token of tokens) expect(token).toMatch(/^[a-z][a-z0-9]{5}$/);
  expect(new Set(tokens).size).toBe(200);
});
