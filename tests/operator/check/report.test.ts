import { execFileSync } from "node:child_process";
import { join } from "node:path";

import type { Finding } from "../../../operator/check/finding";
import { exitCode, renderReport, reportAsJson, type Report } from "../../../operator/check/report";

const ok: Finding = {
  name: "API",
  asked: "GET bbb.example.org/bigbluebutton/api",
  verdict: "ok",
  answer: "SUCCESS, version 2.0",
  seconds: 0.123,
};
const warn: Finding = {
  name: "updates",
  asked: "reboot, held packages",
  verdict: "warn",
  answer: "a reboot is pending",
  seconds: 12.06,
  remedy: "systemctl reboot",
};
const wrong: Finding = {
  ...ok,
  name: "signed call",
  verdict: "FAIL",
  answer: "refused",
  remedy: "run pulumi up",
};
const skip: Finding = {
  ...ok,
  name: "resources",
  asked: "by label",
  verdict: "skip",
  answer: "no HCLOUD_TOKEN",
};

const report = (...findings: Finding[]): Report => ({
  stack: "prod",
  checkedAt: new Date("2026-11-21T08:00:00Z"),
  seconds: 4.36,
  sections: [
    { place: "from here", findings: findings.slice(0, 1) },
    { place: "bbb.example.org", findings: findings.slice(1) },
  ],
});

test("the page has a line a check, by place, aligned, remedies below, and a summary", () => {
  expect(renderReport(report(ok, warn, wrong, skip))).toBe(
    [
      "         took  check               asked                                   came back",
      "from here",
      "ok      0.1 s  API                 GET bbb.example.org/bigbluebutton/api   SUCCESS, version 2.0",
      "",
      "bbb.example.org",
      "warn   12.1 s  updates             reboot, held packages                   a reboot is pending",
      "               to do: systemctl reboot",
      "FAIL    0.1 s  signed call         GET bbb.example.org/bigbluebutton/api   refused",
      "               to do: run pulumi up",
      "skip    0.1 s  resources           by label                                no HCLOUD_TOKEN",
      "",
      "prod: 1 ok, 1 to look at (warn), 1 wrong (FAIL), 1 not asked (skip), in 4.4 s",
      "",
    ].join("\n"),
  );
});

const long: Finding = {
  ...{ name: "recordings", asked: "/srv/bigbluebutton, 5 places", verdict: "FAIL", seconds: 0.01 },
  answer:
    "/var/mediasoup is not on the volume: what is recorded there fills the root disk, and is lost with the server",
  remedy:
    "outside of meetings: rsync -aHAX --remove-source-files /var/mediasoup/ /srv/bigbluebutton/var/mediasoup/ && mount /var/mediasoup",
};

test("at 80 columns, nothing is folded by the terminal", () => {
  expect(renderReport(report(ok, long), 80)).toBe(
    [
      "      check               asked: came back",
      "from here",
      "ok    API                 GET bbb.example.org/bigbluebutton/api: SUCCESS,",
      "                          version 2.0",
      "",
      "bbb.example.org",
      "FAIL  recordings          /srv/bigbluebutton, 5 places: /var/mediasoup is not on",
      "                          the volume: what is recorded there fills the root",
      "                          disk, and is lost with the server",
      "      to do: outside of meetings: rsync -aHAX --remove-source-files",
      "             /var/mediasoup/ /srv/bigbluebutton/var/mediasoup/ && mount",
      "             /var/mediasoup",
      "",
      "prod: 1 ok, 1 wrong (FAIL), in 4.4 s",
      "",
    ].join("\n"),
  );
});

test.each([80, 99, 100, 120])("no line of a page of %d columns is longer", (width) => {
  const lines = renderReport(report(ok, warn, wrong, skip, long), width).split("\n");
  expect(lines.filter((line) => line.length > width)).toEqual([]);
});

test("at 120 columns, each part has its column", () => {
  expect(renderReport(report(long), 120)).toBe(
    [
      "         took  check               asked                                   came back",
      "from here",
      "FAIL    0.0 s  recordings          /srv/bigbluebutton, 5 places            /var/mediasoup is not on the volume: what is",
      "                                                                           recorded there fills the root disk, and is",
      "                                                                           lost with the server",
      "               to do: outside of meetings: rsync -aHAX --remove-source-files /var/mediasoup/",
      "                      /srv/bigbluebutton/var/mediasoup/ && mount /var/mediasoup",
      "",
      "bbb.example.org",
      "",
      "prod: 0 ok, 1 wrong (FAIL), in 4.4 s",
      "",
    ].join("\n"),
  );
});

test.each([undefined, 80, 99, 100, 120, 160])(
  "its lines of %p columns are those that the hosts print",
  (width) => {
    const findings = [ok, warn, wrong, skip, long];
    const printed = execFileSync(
      "/usr/bin/python3",
      ["-B", join(__dirname, "../../../scripts/host/checks.py"), ...(width ? [String(width)] : [])],
      { input: findings.map((finding) => JSON.stringify(finding)).join("\n"), encoding: "utf8" },
    );
    const page = renderReport(report(...findings), width).split("\n");
    const lines = page.filter((line) => line !== "" && !/^(from here|bbb\.example\.org$|prod:)/.test(line));
    expect(printed).toBe(`${lines.join("\n")}\n`);
  },
);

test.each([
  [[ok, skip], false, 0],
  [[ok, warn], false, 0],
  [[ok, warn], true, 1],
  [[ok, wrong], false, 1],
  [[ok, skip], true, 0],
])("exit code, case %#", (findings, strict, code) => {
  expect(exitCode(report(...findings), strict)).toBe(code);
});

test("as JSON it is one list of checks with their place, and one verdict", () => {
  expect(reportAsJson(report(ok, warn))).toEqual({
    stack: "prod",
    checkedAt: "2026-11-21T08:00:00.000Z",
    seconds: 4.36,
    verdict: "warn",
    counts: { ok: 1, warn: 1, FAIL: 0, skip: 0 },
    checks: [
      { place: "from here", ...ok },
      { place: "bbb.example.org", ...warn },
    ],
  });
  expect(reportAsJson(report(ok, wrong))).toMatchObject({ verdict: "FAIL" });
  expect(reportAsJson(report(ok))).toMatchObject({ verdict: "ok" });
});
