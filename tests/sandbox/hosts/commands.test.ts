import { readFileSync } from "node:fs";

import { clientEnvironment } from "../../../sandbox/commands/client";
import { parseSet, parseStackFile, settingTypes } from "../../../sandbox/commands/settings";
import { parseImage } from "../../../sandbox/commands/start";
import { countMutating } from "../../../sandbox/commands/status";
import { mergeBundle } from "../../../sandbox/services/authority";
import { locate } from "../../../sandbox/services/mirror";

const types = settingTypes(readFileSync("Pulumi.yaml", "utf8"));

test.each([
  ["upgrade=20261121", ["upgrade", "20261121"]],
  ["recordingsGb=20", ["recordingsGb", 20]],
  ["recordingsGb=ten", ["recordingsGb", "ten"]],
  ["allowEndOfLife=true", ["allowEndOfLife", true]],
  ['sshNetworks=["192.0.2.0/24"]', ["sshNetworks", ["192.0.2.0/24"]]],
  ["installerUrl=http://x/?a=b", ["installerUrl", "http://x/?a=b"]],
  ["email=", ["email", ""]],
  ["noSuchKey=1", ["noSuchKey", "1"]],
])("--set %s", (assignment, expected) => {
  expect(parseSet(assignment, types)).toEqual(expected);
});

test.each(["release", "=x"])("--set %s is refused", (assignment) => {
  expect(() => parseSet(assignment, types)).toThrow(/KEY=VALUE/);
});

test("a stack's file gives the project's own settings", () => {
  const file =
    "config:\n  bigbluebutton:domain: example.org\n  hcloud:endpoint: http://x\n  bigbluebutton:recordingsGb: 5\n";
  expect(parseStackFile(file, "Pulumi.x.yaml")).toEqual({ domain: "example.org", recordingsGb: 5 });
  expect(parseStackFile("", "Pulumi.x.yaml")).toEqual({});
});

test("an encrypted setting is named, not passed on", () => {
  const file = "config:\n  bigbluebutton:email:\n    secure: AAAB\n";
  expect(() => parseStackFile(file, "Pulumi.x.yaml")).toThrow(
    "Pulumi.x.yaml: bigbluebutton:email is encrypted",
  );
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
