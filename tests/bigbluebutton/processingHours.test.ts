import {
  hoursOfWorkers,
  hoursService,
  hoursTimer,
  processingHours,
} from "../../bigbluebutton/processingHours";

test.each([
  ["22:00-06:00", { from: "22:00", to: "06:00", zone: "UTC" }],
  ["13:30-14:00 Europe/Berlin", { from: "13:30", to: "14:00", zone: "Europe/Berlin" }],
  ["00:00-23:59 Etc/GMT+5", { from: "00:00", to: "23:59", zone: "Etc/GMT+5" }],
])("%s are hours", (text, hours) => {
  expect(processingHours(text)).toEqual(hours);
});

test.each([
  "22-6",
  "24:00-06:00",
  "22:00-22:00",
  "22:00-06:60",
  "22:00-06:00 Europe/Belrin",
  "22:00 06:00",
  "",
])("%j are none", (text) => {
  expect(processingHours(text)).toBeUndefined();
});

const hours = processingHours("22:00-06:00 Europe/Berlin")!;
const program = "/usr/bin/python3 -B /usr/local/lib/bbb-deploy/processing_hours.py";

test("a timer looks at both ends", () => {
  expect(hoursTimer(hours)).toMatch(
    /OnCalendar=\*-\*-\* 22:00:00 Europe\/Berlin\nOnCalendar=\*-\*-\* 06:00:00 Europe\/Berlin\n/,
  );
  expect(hoursService(hours)).toContain(
    `Type=oneshot\nExecStart=${program} apply --from 22:00 --to 06:00 --zone Europe/Berlin\n`,
  );
});

test("each start of the workers has the queues of that hour, and systemd starts them again", () => {
  expect(hoursOfWorkers(hours)).toBe(
    `[Service]\nExecStartPre=-+${program} write --from 22:00 --to 06:00 --zone Europe/Berlin\nEnvironmentFile=-/run/bbb-deploy-recordings/queues\nRestart=always\n`,
  );
});
