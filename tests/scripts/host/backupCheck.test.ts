import { check } from "./checks";
import { FakeHost } from "./scripts";

const HOUR = 3600;
const OWN = "var/lib/bbb-deploy/backup";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl", "echo active");
  host.put(`${OWN}/settings.json`, "{}");
});
afterEach(() => host.remove());

const ago = (hours: number) => Date.now() / 1000 - hours * HOUR;
const page = () => check(host, "backup_check", "check_backup");

function saved(hours: number, recordings: number, users = 10) {
  return {
    at: ago(hours),
    state: { bytes: 2e6, greenlight: { users, rooms: 1, recordings: 0 } },
    recordings: { bytes: 5e9, formats: { presentation: recordings } },
  };
}

function last(more: object = {}): void {
  const document = { at: ago(5), problems: [], whole: saved(5, 20), earlier: saved(29, 20), ...more };
  host.put(`${OWN}/last.json`, JSON.stringify(document));
}

test("age, size and verification of a good one", async () => {
  last();
  host.put(`${OWN}/verified.json`, JSON.stringify({ at: ago(30), ok: true, percent: 10 }));
  const { verdict, answer } = await page();
  expect(verdict).toBe("ok");
  expect(answer).toMatch(
    /^last whole backup \d{4}-\d\d-\d\d \d\d:\d\d UTC, 5 h ago; state 2\.0 MB; recordings 5\.0 GB; last verification .* UTC, 30 h ago, 10 % of it read; no drill yet$/,
  );
});

test("the last drill, with its age; one that found a difference fails", async () => {
  last();
  host.put(`${OWN}/drilled.json`, JSON.stringify({ at: ago(72), ok: true, run: "run-1", words: "" }));
  expect((await page()).answer).toMatch(/; last drill \d{4}-\d\d-\d\d \d\d:\d\d UTC, 3 days ago$/);
  host.put(
    `${OWN}/drilled.json`,
    JSON.stringify({ at: ago(72), ok: false, run: "run-1", words: "users: 4 of 5" }),
  );
  const { verdict, answer } = await page();
  expect(verdict).toBe("FAIL");
  expect(answer).toContain("found a difference: users: 4 of 5");
});

test.each([
  [25, "ok"],
  [27, "warn"],
  [51, "FAIL"],
] as const)("after %d hours: %s", async (hours, verdict) => {
  last({ whole: saved(hours, 20) });
  expect((await page()).verdict).toBe(verdict);
});

test.each([
  [20, 10, "ok"],
  [17, 10, "warn"],
  [9, 10, "FAIL"],
  [20, 4, "FAIL"],
] as const)("%d of 20 recordings and %d of 10 users: %s", async (recordings, users, verdict) => {
  last({ whole: saved(5, recordings, users) });
  const found = await page();
  expect(found.verdict).toBe(verdict);
  if (verdict !== "ok") expect(found.remedy).toContain("was that meant? Earlier backups still have them");
});

test("a failed run is told with its own words, beside the age of the last whole one", async () => {
  last({ problems: ["nothing was saved: the backup's place can't be reached"] });
  const { verdict, answer } = await page();
  expect(verdict).toBe("FAIL");
  expect(answer).toMatch(/^nothing was saved: the backup's place can't be reached; last whole backup/);
});

test("what is outside of the backup, a failed verification, a timer that is off, and no backup yet", async () => {
  const whole = saved(5, 20);
  last({ whole: { ...whole, state: { ...whole.state, note: "Greenlight's database is on db.eu" } } });
  expect(await page()).toMatchObject({ verdict: "warn", answer: expect.stringContaining("db.eu") as string });
  host.put(
    `${OWN}/verified.json`,
    JSON.stringify({ at: ago(1), ok: false, percent: 0, words: "it is damaged" }),
  );
  expect(await page()).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("it is damaged") as string,
  });
  host.fake("systemctl", "echo inactive; exit 3");
  expect((await page()).answer).toContain("bbb-backup.timer is inactive: no backup is made");
});

test("a host without a backup yet, and one where none was set up", async () => {
  expect(await page()).toMatchObject({ verdict: "warn", answer: "no backup yet" });
  host = new FakeHost();
  expect(await page()).toMatchObject({ verdict: "FAIL", remedy: "run pulumi up" });
});
