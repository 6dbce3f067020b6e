import { checkPage, checkRedirect, parse } from "../../../operator/check/api";
import { judgeClocks } from "../../../operator/check/clocks";
import { readDeployments } from "../../../operator/check/deployed";
import { ask } from "../../../operator/check/finding";
import { offset } from "../../../operator/check/hosts";
import { checkSettings, deployedOf } from "../../../operator/check/settings";
import { Mistake } from "../../../cli/mistake";
import { servePages, type Pages } from "../../support/pages";
import { deployed } from "./deployed";

describe("the API's answers", () => {
  test("are read by their fields", () => {
    const xml =
      "<response><returncode>SUCCESS</returncode><version>2.0</version><apiVersion>2.0</apiVersion></response>";
    expect(parse(xml)).toMatchObject({ returncode: "SUCCESS", apiVersion: "2.0" });
  });

  test.each(["<html><body>Welcome</body></html>", "no XML at all", ""])("%j is none", (text) => {
    expect(() => parse(text)).toThrow("an answer that is not the API's");
  });
});

describe("the page that people open first", () => {
  let pages: Pages;
  beforeAll(async () => (pages = await servePages()));
  afterAll(() => pages.close());

  test.each([
    ["/", "127.0.0.1", "ok", /^HTTP status 200$/],
    ["/moved", "127.0.0.1", "ok", /^HTTP status 200 at http:.*\/rooms, where http:.*\/moved leads$/],
    ["/gone", "127.0.0.1", "FAIL", /^HTTP status 502: people see an error/],
    ["/dead", "127.0.0.1", "FAIL", /^HTTP status 502 at http:.*\/gone, where .*: people see an error/],
    ["/missing", "127.0.0.1", "FAIL", /^HTTP status 404: people see an error/],
    ["/round", "127.0.0.1", "FAIL", /^redirects without end, the last to http:.*\/round$/],
    ["/dead", "bbb.example.org", "warn", /^HTTP status 502 at http:/],
  ])("%s of %s: %s", async (path, hostname, verdict, answer) => {
    const finding = await ask("front page", "", () =>
      checkPage(`${pages.root}${path}`, { hostname, untrustedCa: false }, "remedy"),
    );
    expect(finding).toMatchObject({ verdict, answer: expect.stringMatching(answer) as string });
    expect(finding.remedy === undefined).toBe(verdict === "ok");
  });

  test.each([
    ["/moved", "/rooms", "ok", /^leads to \/rooms\?token=/],
    ["/moved", "/other", "warn", /^HTTP status 302, to \/rooms, where one to /],
    ["/", "/rooms", "warn", /^HTTP status 200, where one to /],
    ["/gone", "/rooms", "warn", /^HTTP status 502, where one to /],
  ])("%s that is to lead to %s: %s", async (path, target, verdict, answer) => {
    const args = { hostname: "127.0.0.1", untrustedCa: false };
    const finding = await ask("front page", "", async () =>
      checkRedirect(`${pages.root}${path}`, await locationOf(target), args, "remedy"),
    );
    expect(finding).toMatchObject({ verdict, answer: expect.stringMatching(answer) as string });
  });

  /** Target in the form in which the pages name it. */
  async function locationOf(target: string): Promise<string> {
    const { headers } = await fetch(`${pages.root}/moved`, { redirect: "manual" });
    return headers.get("location")!.replace("/rooms", target);
  }
});

describe("clocks", () => {
  test("are told by the middle of an exchange", () => {
    expect(offset(1000, 999_000, 1_001_000)).toEqual({ seconds: 0, uncertainty: 1 });
    expect(offset(1010, 999_900, 1_000_100)).toEqual({ seconds: 10, uncertainty: 0.1 });
  });

  const clock = (seconds: number, uncertainty = 0.1) => ({ seconds, uncertainty });

  test.each([
    [clock(0.014), clock(-0.021), "ok", "bbb +0.01 s, turn −0.02 s"],
    [clock(6), clock(-1), "warn", "bbb +6.00 s, turn −1.00 s: the hosts are apart"],
    [clock(6, 5), clock(-1, 5), "ok", "bbb +6.00 s, turn −1.00 s"],
    [clock(120), clock(1), "FAIL", "bbb +120 s, turn +1.00 s: the hosts are apart"],
    [clock(120), clock(120), "warn", "bbb +120 s, turn +120 s: far from this machine's"],
    [undefined, clock(1), "ok", "turn +1.00 s"],
    [undefined, undefined, "FAIL", "no host could be asked"],
  ])("%j and %j: %s", async (bbb, turn, verdict, answer) => {
    expect(await ask("clocks", "", () => judgeClocks({ bbb, turn }))).toMatchObject({ verdict, answer });
  });
});

describe("the stack's outputs", () => {
  const outputs = { url: "https://bbb.example.org", privateKey: deployed.privateKey, check: deployed.hosts };

  test("have what is asked about, and what a newer program adds", () => {
    expect(readDeployments("prod", outputs)).toEqual([deployed]);
    const { bbb, turn } = deployed.hosts;
    const newer = { bbb: { ...bbb, request: { ...bbb.request, more: [1] } }, turn };
    expect(readDeployments("prod", { ...outputs, check: newer })[0]!.hosts.bbb.request).toMatchObject({
      more: [1],
    });
  });

  test("of a stack that uses another one's TURN server have no such host", () => {
    const { bbb } = deployed.hosts;
    const shared = { bbb: { ...bbb, request: { ...bbb.request, turnStack: "prod" } } };
    expect(readDeployments("second", { ...outputs, check: shared })[0]!.hosts).toEqual(shared);
  });

  test("have every deployment that a program exports, alone or in an object", () => {
    const one = { urn: "urn:x", ...outputs };
    const found = readDeployments("schools", {
      urls: ["x"],
      relay: { privateKey: "k" },
      a: one,
      more: { b: one },
    });
    expect(found).toEqual([
      { name: "a", ...deployed },
      { name: "b", ...deployed },
    ]);
  });

  test("that are none, or of an older program, are a mistake with a way out", () => {
    expect(() => readDeployments("prod", {})).toThrow(Mistake);
    expect(() => readDeployments("prod", {})).toThrow("nothing is deployed in stack prod");
    expect(() => readDeployments("prod", { url: "x", privateKey: "k" })).toThrow(
      /lack .* \(check\).*: run pulumi up once/,
    );
  });

  test("that are wrong are told without what is in them", () => {
    const check = { ...deployed.hosts, bbb: { ...deployed.hosts.bbb, hostKey: "s3cr3t" } };
    expect(() => readDeployments("prod", { ...outputs, check })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cr3t") as string }) as Error,
    );
  });
});

describe("the settings", () => {
  const settings = {
    domain: "example.org",
    email: "admin@musterstadt.de",
    sshNetworks: '["198.51.100.7/32"]',
    "hcloud:token": "x",
  };
  const checked = (more: object = {}) =>
    ask("settings", "", () =>
      checkSettings(
        { ...settings, ...more },
        { project: "bigbluebutton", stack: "prod" },
        deployedOf(deployed.hosts.bbb.request),
      ),
    );

  test("that are deployed", async () => {
    expect(await checked()).toMatchObject({ verdict: "ok", answer: "jammy-30, as deployed" });
  });

  test("whose TURN server another update would take from another stack", async () => {
    expect(await checked({ turnStack: "prod" })).toMatchObject({
      verdict: "warn",
      answer: "turnStack: prod is set, none is deployed; jammy-30, as deployed",
    });
  });

  test("that another update would bring", async () => {
    expect(await checked({ release: "noble-40", hostname: "meet" })).toMatchObject({
      verdict: "warn",
      answer:
        "release: noble-40 is set, jammy-30 is deployed; hostname: meet.example.org is set, bbb.example.org is deployed; jammy-30, as deployed",
      remedy: "pulumi preview shows what the next update would change",
    });
  });

  test("with mistakes", async () => {
    expect(await checked({ email: "nobody" })).toMatchObject({
      verdict: "warn",
      answer: "mistakes in the settings, which would stop an update: email",
    });
  });
});
