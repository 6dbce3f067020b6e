import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { clientEnvironment } from "../../../sandbox/commands/client";
import { withoutCloudCredentials } from "../../../sandbox/commands/engine";
import { parseSets, parseStackFile, readProjectFile } from "../../../cli/stackFiles";
import { labels, ownSettings, usesAws, withExporter, zoneFor } from "../../../sandbox/commands/settings";
import { holdsResources } from "../../../sandbox/commands/stacks";
import { parseImage } from "../../../sandbox/commands/start";
import { countMutating } from "../../../sandbox/commands/status";
import { mergeBundle } from "../../../sandbox/services/authority";
import { locate } from "../../../sandbox/services/mirror";

const { types } = readProjectFile(".");
const own = (text: string) => ownSettings(parseStackFile(text, "bigbluebutton", "Pulumi.x.yaml"), "x");

test.each([
  ["upgrade=20261121", ["upgrade", "20261121"]],
  ["recordingsGb=20", ["recordingsGb", 20]],
  ["recordingsGb=ten", ["recordingsGb", "ten"]],
  ["allowEndOfLife=true", ["allowEndOfLife", true]],
  ['sshNetworks=["192.0.2.0/24"]', ["sshNetworks", ["192.0.2.0/24"]]],
  ["installerUrl=http://x/?a=b", ["installerUrl", "http://x/?a=b"]],
  ["email=", ["email", ""]],
  ['tags={"team":"it"}', ["tags", { team: "it" }]],
])("--set %s", (assignment, expected) => {
  expect(parseSets([assignment], types)).toEqual(Object.fromEntries([expected]));
});

test.each(["release", "=x"])("--set %s is refused", (assignment) => {
  expect(() => parseSets([assignment], types)).toThrow(/KEY=VALUE/);
});

test("--set of an unknown key is refused, as the operator's commands do", () => {
  expect(() => parseSets(["greenlite=true"], types)).toThrow(
    "--set greenlite: no such setting; did you mean greenlight?",
  );
});

test("a stack's file gives the project's own settings", () => {
  const file =
    "config:\n  bigbluebutton:domain: example.org\n  hcloud:endpoint: http://x\n  bigbluebutton:recordingsGb: 5\n";
  expect(own(file)).toEqual({ domain: "example.org", recordingsGb: 5 });
  expect(own("")).toEqual({});
});

test.each([
  [{}, {}],
  [
    { domain: "example.org", hostname: "bbb-staging", turnHostname: "turn-staging" },
    { hostname: "bbb-staging", turnHostname: "turn-staging" },
  ],
  [{ domain: "example.org", hostname: "meet.example.org" }, { hostname: "meet" }],
  [{ domain: "example.org", hostname: "meet.example.com" }, { hostname: "meet.example.com" }],
])("host names of a stack's file are its own in the sandbox's zone: %o", (file, expected) => {
  expect(labels(file)).toEqual(expected);
});

test("an encrypted setting is named, not passed on", () => {
  const file = "config:\n  bigbluebutton:email:\n    secure: AAAB\n";
  expect(() => own(file)).toThrow("Pulumi.x.yaml: email is encrypted");
});

test.each([
  [{}, false, "example.test"],
  [{ cloud: "hetzner", turnCloud: "", dns: "" }, false, "example.test"],
  [{ cloud: "hetzner", dns: "manual" }, false, "example.test"],
  [{ cloud: "hetzner", turnCloud: "aws" }, true, "example.test"],
  [{ cloud: "hetzner", dns: "route53" }, true, "example-aws.test"],
  [{ cloud: "aws" }, true, "example-aws.test"],
  [{ cloud: "aws", turnCloud: "hetzner" }, true, "example-aws.test"],
  [{ cloud: "aws", dns: "hetzner" }, true, "example.test"],
])("with %o AWS is needed: %s, and the zone is %s", (settings, aws, zone) => {
  expect([usesAws(settings), zoneFor(settings)]).toEqual([aws, zone]);
});

test("a stack is with an engine whose state holds more than the stack itself", () => {
  const stack = { type: "pulumi:pulumi:Stack" };
  const provider = { type: "pulumi:providers:aws", custom: true };
  const component = { type: "bbb:index:TurnServer", custom: false };
  const resource = { type: "random:index/randomPassword:RandomPassword", custom: true };
  const embedded = (deployment: object) => JSON.stringify({ version: 3, deployment });
  const cli = (latest: object | null) => JSON.stringify({ version: 3, checkpoint: { stack: "s", latest } });
  for (const file of [embedded, cli]) {
    expect(holdsResources(file({}))).toBe(false);
    expect(holdsResources(file({ resources: [stack, provider, component] }))).toBe(false);
    expect(holdsResources(file({ resources: [stack, provider, resource] }))).toBe(true);
    expect(holdsResources(file({ resources: [stack], pending_operations: [{ type: "creating" }] }))).toBe(
      true,
    );
  }
  expect(holdsResources(cli(null))).toBe(false);
});

test("the engine sees none of the user's own cloud accounts", () => {
  const environment = { HOME: "/root", AWS_PROFILE: "work", AWS_SESSION_TOKEN: "x", HCLOUD_TOKEN: "y" };
  expect(withoutCloudCredentials(environment)).toEqual({ HOME: "/root" });
});

test("outside clients trust the sandbox's authorities and know no proxy", () => {
  const environment = clientEnvironment({
    HTTPS_PROXY: "http://x",
    no_proxy: "y",
    HOME: "/root",
    CURL_CA_BUNDLE: "other",
  });
  expect(environment.HOME).toBe("/root");
  expect(Object.keys(environment).filter((key) => /proxy/i.test(key))).toEqual([]);
  const bundles = ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"];
  expect(new Set(bundles.map((key) => environment[key]))).toEqual(
    new Set(["/var/lib/bbb-sandbox/ca/bundle.pem"]),
  );
});

test("the image's parts are read from what its build prints", () => {
  expect(parseImage("base=/c/base-1\nservices=/c/s-1\nmirror=/c/m-1\n")).toEqual({
    base: "/c/base-1",
    services: "/c/s-1",
    mirror: "/c/m-1",
  });
  expect(() => parseImage("base=/c/base-1\n")).toThrow(/services/);
});

test("only calls that can change something count", () => {
  const log = [{ mutating: true }, { mutating: false }, { event: "action failed" }].map((line) =>
    JSON.stringify(line),
  );
  expect(countMutating(`${log.join("\n")}\n`)).toBe(1);
  expect(countMutating("")).toBe(0);
});

test("a certificate is in the bundle once", () => {
  const one = mergeBundle("A\n", "B\n");
  expect(one).toBe("A\nB\n");
  expect(mergeBundle(one, "B")).toBe(one);
});

test.each([
  ["/debian/Packages", "/m/debian/Packages"],
  ["/debian/a_1%3a2.deb?x", "/m/debian/a_1:2.deb"],
  ["/../etc/passwd", undefined],
  ["/a/%2e%2e/%2e%2e/etc/passwd", undefined],
  ["/%", undefined],
])("the mirror serves %s from %s", (url, file) => {
  expect(locate("/m", url)).toBe(file);
});

test("metrics come from the stand-in's exporter, where they are asked for and name no other", () => {
  const mirror = mkdtempSync(join(tmpdir(), "mirror-"));
  try {
    expect(withExporter({ metrics: true }, mirror)).toEqual({ metrics: true });
    mkdirSync(join(mirror, "exporter"));
    writeFileSync(join(mirror, "exporter/bigbluebutton-exporter.sha256"), "ab\n");
    const ours = {
      exporterUrl: "http://mirror.sandbox.test/exporter/bigbluebutton-exporter.tar.gz",
      exporterSha256: "ab",
    };
    expect(withExporter({ metrics: true }, mirror)).toEqual({ metrics: ours });
    expect(withExporter({ metrics: { networks: ["192.0.2.0/24"] } }, mirror)).toEqual({
      metrics: { networks: ["192.0.2.0/24"], ...ours },
    });
    // As the command line's --set leaves what may be of two types.
    expect(withExporter({ metrics: '{"rotateToken":"1"}' }, mirror)).toEqual({
      metrics: { rotateToken: "1", ...ours },
    });
    for (const other of [
      { metrics: "{" },
      {},
      { metrics: false },
      { metrics: "wrong" },
      { metrics: { exporterUrl: "http://x" } },
    ]) {
      expect(withExporter(other, mirror)).toBe(other);
    }
  } finally {
    rmSync(mirror, { recursive: true });
  }
});
