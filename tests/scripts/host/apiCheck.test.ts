import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { apiChecksum } from "../../../bigbluebutton/api";
import { servePages, type Pages } from "../../support/pages";
import { check, python } from "./checks";
import { FakeHost, run, SCRIPTS } from "./scripts";

const SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b";
const PYTHON = ["/usr/bin/python3", join(SCRIPTS, "api_check.py")];

let host: FakeHost;
let api: Server;
let base: string;
let meetings = "";
/** Number of signed calls that a pool's balancer refuses, as one of its servers is away. */
let refusals = 0;

beforeAll(async () => {
  host = new FakeHost();
  host.put("bbb-web.properties", `a=1\nsecuritySalt=old\nsecuritySalt=${SECRET}\n`);
  api = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, "http://localhost");
    const good = searchParams.get("checksum") === apiChecksum("getMeetings", "", SECRET);
    const away = good && refusals-- > 0;
    response.end(
      away
        ? "<response><returncode>FAILED</returncode><messageKey>internalError</messageKey></response>"
        : good
          ? `<response><returncode>SUCCESS</returncode><meetings>${meetings}</meetings></response>`
          : "<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey></response>",
    );
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(api.address() as AddressInfo).port}/bigbluebutton/api`;
});

afterAll(() => {
  api.close();
  host.remove();
});

const count = (url = base) =>
  run([...PYTHON, "meetings", "--properties", join(host.root, "bbb-web.properties"), "--base", url]);

test("meetings are counted, but for those that were ended; the secret is the file's last", async () => {
  meetings = "";
  expect(await count()).toEqual({ code: 0, output: "0\n" });
  meetings = ["false", "true", "false"]
    .map((ended) => `<meeting><hasBeenForciblyEnded>${ended}</hasBeenForciblyEnded></meeting>`)
    .join("");
  expect(await count()).toEqual({ code: 0, output: "2\n" });
});

test("an API that does not answer is told apart from one without meetings", async () => {
  expect(await count("http://127.0.0.1:9/bigbluebutton/api")).toEqual({ code: 3, output: "" });
});

test("a signed call succeeds with the right secret only, and shows none", async () => {
  const signed = (secret: string) => run([...PYTHON, "signed", "--base", base], `${secret}\n`);
  expect(await signed(SECRET)).toEqual({ code: 0, output: "" });
  expect(await signed("another")).toEqual({ code: 1, output: "" });
});

test.each([
  [90, 60, "ok"],
  [90, 20, "warn"],
  [90, 6, "FAIL"],
  [90, -1, "FAIL"],
  [397, 20, "warn"],
  [45, 15, "ok"],
  [45, 10, "warn"],
  [6, 3, "ok"],
  [6, 0.4, "FAIL"],
])("a certificate of %d days with %d left: %s", async (lifetime, left, verdict) => {
  const code = `import api_check
from checks import Page, worst
now = 1_800_000_000
ends = now + ${left} * 86400
Page(True).check("c", "", worst, [api_check.days_finding(ends - ${lifetime} * 86400, ends, now, {"fail": 7, "warn": 21}, "renew")])`;
  expect(JSON.parse(await python(host, code))).toMatchObject({
    verdict,
    answer: expect.stringMatching(/^valid until 2027-0\d-\d\dT[\d:]+Z, -?\d+ days$/) as string,
  });
});

test("an API that stays silent fails after the time it was given, with what to do", async () => {
  expect(
    await check(host, "api_check", "check_index", "http://127.0.0.1:9/bigbluebutton/api", 0),
  ).toMatchObject({
    verdict: "FAIL",
    answer: "[Errno 111] Connection refused",
    remedy: expect.stringContaining("journalctl -u bbb-web") as string,
  });
  expect(await check(host, "api_check", "check_signed", base, SECRET)).toMatchObject({
    answer: "SUCCESS, 3 meetings",
  });
  expect(await check(host, "api_check", "check_signed", base, "other")).toMatchObject({
    verdict: "FAIL",
    answer: "FAILED, checksumError",
  });
  expect(await check(host, "api_check", "check_refused", base)).toMatchObject({ verdict: "ok" });
});

test("a pool's balancer has the time in which it finds a server offline, where there is any", async () => {
  const signed = (...wait: number[]) => check(host, "api_check", "check_signed", base, SECRET, ...wait);
  refusals = 2;
  expect(await signed()).toMatchObject({ verdict: "FAIL", answer: "FAILED, internalError" });
  expect(await signed(10)).toMatchObject({ verdict: "ok", answer: "SUCCESS, 3 meetings" });
  expect(refusals).toBeLessThan(0);
});

describe("the page that people open first", () => {
  let pages: Pages;
  beforeAll(async () => (pages = await servePages()));
  afterAll(() => pages.close());

  const page = (path: string, hostname = "127.0.0.1", greenlight = false) =>
    check(host, "api_check", "front_page", `${pages.root}${path}`, hostname, greenlight);

  test.each([
    ["/", "ok", /^HTTP status 200$/],
    ["/moved", "ok", /^HTTP status 200 at http:.*\/rooms, where http:.*\/moved leads$/],
    ["/gone", "FAIL", /^HTTP status 502: people see an error/],
    ["/dead", "FAIL", /^HTTP status 502 at http:.*\/gone, where .*: people see an error/],
    ["/missing", "FAIL", /^HTTP status 404: people see an error/],
    ["/round", "FAIL", /^redirects without end/],
  ])("%s: %s", async (path, verdict, answer) => {
    expect(await page(path)).toMatchObject({ verdict, answer: expect.stringMatching(answer) as string });
  });

  test("with Greenlight, its containers are where to look; without, nginx", async () => {
    expect((await page("/gone", "127.0.0.1", true)).remedy).toMatch(
      /docker ps --all .*docker logs greenlight-v3/,
    );
    expect((await page("/gone")).remedy).toMatch(/^on 127\.0\.0\.1: systemctl status nginx, nginx -t/);
  });

  test("elsewhere, where a redirect leads to, is doubtful only", async () => {
    expect(await page("/dead", "bbb.example.org")).toMatchObject({ verdict: "warn" });
  });
});
