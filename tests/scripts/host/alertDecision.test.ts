import { python, type Record } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;
beforeAll(() => {
  host = new FakeHost();
});
afterAll(() => host.remove());

const record = (name: string, verdict: Record["verdict"], answer = "as it should be"): Record => ({
  ...{ name, asked: `${name}?`, verdict, answer, seconds: 0.1 },
  ...(verdict === "FAIL" || verdict === "warn" ? { remedy: `mend ${name}` } : {}),
});
const ok = record("services", "ok");
const down = record("services", "FAIL", "freeswitch is failed");

interface Event {
  readonly kind: "wrong" | "changed" | "well";
  readonly name: string;
  readonly verdict: string;
  readonly answer: string;
  readonly remedy?: string;
  readonly since: number;
  readonly at: number;
}

interface Told {
  readonly events: readonly (readonly Event[])[];
  readonly checks: Readonly<{ [name: string]: unknown }>;
  readonly failed: boolean;
  readonly wrong: readonly string[];
}

/** Events of each round, five minutes apart. Between two rounds the state goes through JSON, as on a disk. */
async function rounds(...all: readonly (readonly Record[])[]): Promise<Told> {
  const output = await python(
    host,
    `import alert_decision as d
checks, told = {}, []
for number, records in enumerate(json.loads(${JSON.stringify(JSON.stringify(all))})):
    checks, events = d.decide(json.loads(json.dumps(checks)), records, 1000 + 300 * number)
    told.append(events)
print(json.dumps({"events": told, "checks": checks, "failed": d.failed(checks), "wrong": [one["name"] for one in d.wrong_now(checks)]}))`,
  );
  return JSON.parse(output) as Told;
}

const kinds = ({ events }: Told) => events.map((round) => round.map(({ kind, name }) => `${kind} ${name}`));

test("a fault is told in the second bad round, once, and once more when it is well again", async () => {
  const told = await rounds([ok], [down], [down], [down], [down], [ok], [ok], [ok]);
  expect(kinds(told)).toEqual([[], [], ["wrong services"], [], [], [], ["well services"], []]);
  expect(told.events[2]).toEqual([
    {
      ...{
        kind: "wrong",
        name: "services",
        asked: "services?",
        verdict: "FAIL",
        answer: "freeswitch is failed",
      },
      ...{ remedy: "mend services", since: 1300, at: 1600 },
    },
  ]);
  // Well since the first good round.
  expect(told.events[6]).toMatchObject([{ since: 1300, at: 2500, answer: "as it should be" }]);
  expect(told).toMatchObject({ checks: {}, failed: false, wrong: [] });
});

test("what is bad in one round only is told to nobody, nor is a good round in between", async () => {
  expect(kinds(await rounds([down], [ok], [down], [ok], [down], [ok]))).toEqual([[], [], [], [], [], []]);
  const told = await rounds([down], [down], [ok], [down], [ok], [down]);
  expect(kinds(told)).toEqual([[], ["wrong services"], [], [], [], []]);
  expect(told).toMatchObject({ failed: true, wrong: ["services"] });
});

test("numbers, times and addresses of the same fault are no news", async () => {
  const disk = (answer: string) => [record("disk", "warn", answer)];
  const told = await rounds(
    disk("9.4 of 80.0 GB free, at 203.0.113.7:3478 since 2026-11-29T10:00:00Z"),
    disk("9.3 of 80.0 GB free, at 203.0.113.7:3479 since 2026-11-29T10:05:00Z"),
    disk("8.9 of 80.0 GB free, at 2001:db8::1 since 2026-11-29T10:10:00Z"),
    disk("8.9 of 80.0 GB free, at 2001:db8::1 since 2026-11-29T10:10:00Z"),
  );
  expect(kinds(told)).toEqual([[], ["wrong disk"], [], []]);
  expect(told.failed).toBe(false);
});

test("a further fault of the same check, and a warning that becomes a failure, are told once each", async () => {
  const both = record("services", "FAIL", "freeswitch is failed, bbb-web is failed");
  const told = await rounds([down], [down], [both], [both], [down], [down], [both], [both]);
  expect(kinds(told)).toEqual([[], ["wrong services"], [], ["changed services"], [], [], [], []]);
  const disk = (verdict: "warn" | "FAIL") => [record("disk", verdict, "3 GB free")];
  const worse = await rounds(disk("warn"), disk("warn"), disk("FAIL"), disk("FAIL"));
  expect(kinds(worse)).toEqual([[], ["wrong disk"], [], ["changed disk"]]);
  expect(worse.failed).toBe(true);
});

test("a fault whose words differ in each round is told all the same", async () => {
  const told = await rounds([record("API", "FAIL", "no answer")], [record("API", "FAIL", "refused")]);
  expect(kinds(told)).toEqual([[], ["wrong API"]]);
});

test("several faults of a round are told together, and what was not asked says nothing", async () => {
  const bad = [down, record("disk", "FAIL", "full")];
  const unasked = [record("services", "skip", "not asked")];
  const told = await rounds(bad, bad, unasked, unasked, unasked, []);
  expect(kinds(told)).toEqual([[], ["wrong services", "wrong disk"], [], [], [], []]);
  expect(told.wrong).toEqual(["services", "disk"]);
});

test("a costly check is made once an hour, and again where one round more decides", async () => {
  const due = async (checks: object, asked: object, now: number) =>
    (
      await python(
        host,
        `import alert_decision as d
print(d.is_due("bbb-conf", json.loads('${JSON.stringify(checks)}'), json.loads('${JSON.stringify(asked)}'), ${now}))`,
      )
    ).trim();
  expect(await due({}, {}, 10_000)).toBe("True");
  expect(await due({}, { "bbb-conf": 10_000 }, 13_599)).toBe("False");
  expect(await due({}, { "bbb-conf": 10_000 }, 13_600)).toBe("True");
  // A clock that was set back.
  expect(await due({}, { "bbb-conf": 10_000 }, 9_000)).toBe("True");
  const suspected = { "bbb-conf": { told: [], good: 0 } };
  const told = { "bbb-conf": { told: ["x"], good: 0 } };
  const mending = { "bbb-conf": { told: ["x"], good: 1 } };
  expect(await due(suspected, { "bbb-conf": 10_000 }, 10_300)).toBe("True");
  expect(await due(told, { "bbb-conf": 10_000 }, 10_300)).toBe("False");
  expect(await due(mending, { "bbb-conf": 10_000 }, 10_300)).toBe("True");
});
