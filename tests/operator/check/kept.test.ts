import { keptSnapshots } from "../../../operator/check/kept";
import { FakeCloud } from "../park/fakes";

let cloud: FakeCloud;
beforeEach(() => (cloud = new FakeCloud()));

const NOW = new Date("2026-11-29T21:00:00Z");
const epoch = (day: string) => String(new Date(day).getTime() / 1000);
const kept = (servers = cloud.taking) =>
  keptSnapshots(
    { stacks: { project: "bigbluebutton" }, stack: "prod" },
    async () => ({ bbb: servers, turn: servers }),
    NOW,
  );

test("without any there is nothing to say, nor at a cloud that does not answer", async () => {
  expect(await kept()).toBeUndefined();
  expect(
    await kept({ ...cloud.taking, snapshots: () => Promise.reject(new Error("HTTP 503")) }),
  ).toBeUndefined();
});

test("a way back is told with its day, and costs for nothing after it", async () => {
  cloud.put("42", { purpose: "replaced", keep: epoch("2026-12-04T18:00:00Z") }, true);
  expect((await kept())?.finding).toMatchObject({
    verdict: "ok",
    answer: expect.stringContaining("is kept until 2026-12-04 18:00 UTC") as string,
  });
  cloud.put("42", { purpose: "replaced", keep: epoch("2026-11-29T20:00:00Z") }, true);
  expect((await kept())?.finding).toMatchObject({
    verdict: "warn",
    remedy: expect.stringContaining("the next ./scripts/replace") as string,
  });
});

test("what is left of a parked server that runs again is a warning", async () => {
  cloud.put("42", { purpose: "waking" }, true);
  expect((await kept())?.finding).toMatchObject({
    verdict: "warn",
    remedy: expect.stringContaining("./scripts/wake prod removes it") as string,
  });
});
