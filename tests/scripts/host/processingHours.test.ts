import { existsSync } from "node:fs";
import { join } from "node:path";

import { python } from "./checks";
import { FakeHost } from "./scripts";

const FILE = "run/bbb-deploy-recordings/queues";
const QUEUES = "QUEUE=rap:archive,rap:publish,rap:process,rap:sanity COUNT=1";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  show(QUEUES);
});
afterEach(() => host.remove());

const show = (environment: string, state = "active") =>
  host.fake("systemctl", `printf '%s\\n' 'Environment=${environment}' ActiveState=${state}`);
const written = () => (existsSync(join(host.root, FILE)) ? host.read(FILE) : "none");

/** Runs the program at a time of day in UTC, in winter. */
const at = (time: string, action: string, hours = "22:00-06:00", zone = "UTC") => {
  const [from, to] = hours.split("-");
  return python(
    host,
    `import time, processing_hours, recording_workers
local = time.localtime
time.localtime = lambda: local(${Date.parse(`2026-01-15T${time}:00Z`) / 1000})
recording_workers.drain = lambda: "drained"
sys.argv = ["", ${JSON.stringify(action)}, "--root", ${JSON.stringify(host.root)}, "--from", "${from}", "--to", "${to}", "--zone", "${zone}"]
processing_hours.main()`,
  );
};

const DAY = "QUEUE=rap:archive,rap:publish,rap:sanity\n";

test.each([
  ["21:59", DAY],
  ["22:00", "none"],
  ["00:00", "none"],
  ["05:59", "none"],
  ["06:00", DAY],
])("at %s the workers' queues are %j", async (time, file) => {
  expect(await at(time, "write")).toBe("");
  expect(written()).toBe(file);
});

test("hours within a day, and those of a time zone", async () => {
  await at("12:00", "write", "11:00-13:00");
  expect(written()).toBe("none");
  await at("13:00", "write", "11:00-13:00");
  expect(written()).toBe(DAY);
  await at("12:30", "write", "13:00-14:00", "Europe/Berlin");
  expect(written()).toBe("none");
});

test("workers begin anew at both ends of the hours, and only there", async () => {
  await at("21:00", "write");
  expect(await at("21:59", "apply")).toBe("");
  expect(await at("22:00", "apply")).toBe("drained\n");
  // By the workers' own start.
  await at("22:00", "write");
  expect(await at("22:05", "apply")).toBe("");
  expect(await at("06:00", "apply")).toBe("drained\n");
});

test("workers that are stopped stay so", async () => {
  show(QUEUES, "inactive");
  await at("21:00", "write");
  expect(await at("22:00", "apply")).toBe("");
});

test.each(["QUEUE=*", "COUNT=1", "QUEUE=rap:process"])(
  "a unit with %s keeps its own queues, and the unit of the hours fails",
  async (environment) => {
    show(environment);
    expect(await at("12:00", "write")).toContain("recordings are processed at any time");
    expect(written()).toBe("none");
  },
);
