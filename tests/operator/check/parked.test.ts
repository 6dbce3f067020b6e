import { check } from "../../../operator/check/deployment";
import { askHost } from "../../../operator/check/hosts";
import { exitCode, renderReport, reportAsJson } from "../../../operator/check/report";
import type { StackResource, Stacks } from "../../../operator/stacks";
import { FakeCloud } from "../park/fakes";
import { deployed } from "./deployed";

jest.mock("../../../operator/check/hosts", () => ({ askHost: jest.fn() }));

let cloud: FakeCloud;
beforeEach(() => (cloud = new FakeCloud()));
afterEach(() => jest.resetAllMocks());

const resource = (type: string, id: string, more: object): StackResource => ({
  ...{ urn: `urn:pulumi:prod::bigbluebutton::${type}::bbb-host-server`, type, name: "bbb-host-server" },
  ...{ id, protect: false, outputs: {}, inputs: { ...more } },
});

/** Checks a stack with these resources. */
function run(resources: readonly StackResource[], servers = cloud.taking) {
  const stacks: Partial<Stacks> = {
    project: "bigbluebutton",
    settings: () => Promise.resolve({}),
    outputs: () => Promise.resolve({ privateKey: deployed.privateKey, check: deployed.hosts }),
    resources: () => Promise.resolve(resources),
  };
  return check(stacks as Stacks, () => Promise.resolve([]), {
    ...{ stack: "prod", meeting: false },
    servers: async () => ({ bbb: servers, turn: servers }),
  });
}

test("a parked deployment is told as that, in place of all that it would fail, with an exit code of its own", async () => {
  cloud.servers.delete("1");
  cloud.put("42", { purpose: "parked" }, true);
  const report = await run([]);
  expect(askHost).not.toHaveBeenCalled();
  const page = renderReport(report);
  expect(page).toMatch(/skip .*parked .*parked since 2026-11-20 18:00 UTC/);
  expect(page).toContain("to do: ./scripts/wake prod brings it back");
  expect(page).toContain("prod: parked, 0 ok");
  expect([exitCode(report, true), (reportAsJson(report) as { verdict: string }).verdict]).toEqual([
    3,
    "parked",
  ]);
});

test("at AWS it is one whose instance is stopped, which is nothing wrong", async () => {
  await cloud.stopping.stop("1");
  const report = await run(
    [resource("aws:ec2/instance:Instance", "1", { tags: { role: "bbb" } })],
    cloud.stopping,
  );
  expect(report.parked).toBe(true);
  expect(report.sections.flatMap(({ findings }) => findings.map(({ name }) => name))).not.toContain(
    "servers",
  );
});

test("a server that is in the state is checked, though a snapshot was left", async () => {
  jest.mocked(askHost).mockResolvedValue({ findings: [] });
  cloud.put("42", { purpose: "waking" }, true);
  const report = await run([resource("hcloud:index/server:Server", "1", { labels: { role: "bbb" } })]);
  expect(report.parked).toBeUndefined();
});
