import { settings as staging } from "../../support/program";
import { plannedHosts } from "../../../operator/plan/hosts";
import type { HostSettings } from "../../../settings";

function fit(more: Partial<HostSettings>, users?: number) {
  const settings = { ...staging, bbb: { ...staging.bbb, ...more } };
  return plannedHosts(settings, { ipv6: true, users }).find(({ role }) => role === "bbb")!.fit;
}

test.each([
  ["ccx33", undefined, "fits"],
  ["ccx33", 200, "fits"],
  ["ccx33", 201, "too small"],
  ["ccx63", 201, "too small"],
  ["ccx43", 150, "fits"],
  ["ccx23", undefined, "fits"],
  ["ccx23", 1, "too small"],
  ["cpx42", 100, "too small"],
  ["ccx99", 100, "not known"],
  ["ccx13", undefined, "too small"],
])("%s for %s people: %s", (serverType, users, verdict) => {
  expect(fit({ serverType }, users)).toMatchObject({ verdict });
});

test("what would do is told, with the page that says so", () => {
  expect(fit({ serverType: "ccx23" }, 120)).toEqual({
    verdict: "too small",
    says: "120 people are expected. 4 cores carry: development and tests only",
    remedy: "pulumi config set serverType ccx33",
    sources: expect.arrayContaining(["https://docs.bigbluebutton.org/support/faq/"]) as string[],
  });
  expect(fit({ cloud: "aws", serverType: "c7a.8xlarge" }, 401).remedy).toMatch(
    /^a pool of 3 servers and one more \(docs\/pool\.md\), each with serverType c7a.2xlarge/,
  );
});

test("less than the installer takes is too small for anyone", () => {
  expect(fit({ serverType: "ccx13" })).toMatchObject({
    says: "4 CPUs and 3.9 GB are the least that the installer takes",
    remedy: "pulumi config set serverType ccx23",
  });
});

test("a pool that is too small for so many people is to have more servers, one more included", () => {
  const pool = {
    nodes: 3,
    drainMinutes: 30,
    maxUnavailable: 1,
    balancer: { ...staging.bbb, serverType: "cx33" },
  };
  const fitOf = (users: number, serverType = "ccx33") =>
    plannedHosts({ ...staging, bbb: { ...staging.bbb, serverType }, pool }, { ipv6: true, users })
      .filter(({ role }) => role === "bbb")
      .map(({ fit }) => fit);
  expect(fitOf(600).map(({ verdict }) => verdict)).toEqual(["fits", "fits", "fits"]);
  expect(fitOf(700)[0]).toMatchObject({
    verdict: "too small",
    remedy: "pulumi config set servers 5, one more included",
  });
  // No number of such is known to do, and no pool is as large.
  expect(fitOf(700, "ccx23")[0]!.remedy).toContain("serverType ccx33");
  expect(fitOf(20_000)[0]!.remedy).not.toContain("pulumi config set servers");
});
