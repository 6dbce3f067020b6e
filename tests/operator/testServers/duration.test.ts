import { fromEpoch, iso, parseTtl, relative, toEpoch } from "../../../operator/testServers/duration";
import { Mistake } from "../../../cli/mistake";

test.each([
  ["5m", 300],
  ["30m", 1800],
  ["4h", 14_400],
  ["2d", 172_800],
  ["30d", 2_592_000],
  [" 90m ", 5400],
])("%s is %d seconds", (text, seconds) => expect(parseTtl(text)).toBe(seconds));

test.each([
  ["4", "--ttl 4: give a whole number and a unit (m, h or d), as in 30m, 4h or 2d"],
  ["h", "give a whole number and a unit"],
  ["1.5h", "give a whole number and a unit"],
  ["-4h", "give a whole number and a unit"],
  ["4H", "give a whole number and a unit"],
  ["4h30m", "give a whole number and a unit"],
  ["", "give a whole number and a unit"],
  ["4m", "--ttl 4m: too short, 5m is the least"],
  ["0h", "too short"],
  ["31d", "--ttl 31d: too long, 30d is the most"],
  ["999999d", "too long"],
])("%j is refused in one line", (text, message) => {
  expect(() => parseTtl(text)).toThrow(Mistake);
  expect(() => parseTtl(text)).toThrow(message);
  expect(() => parseTtl(text)).toThrow(/^[^\n]*$/);
});

test("a mistake names the option it is in", () => {
  expect(() => parseTtl("x", "--wait")).toThrow("--wait x");
});

test("epochs are read back, and nothing else is", () => {
  const time = new Date("2026-11-21T08:00:00Z");
  expect(toEpoch(new Date(time.getTime() + 999))).toBe("1795248000");
  expect(fromEpoch(toEpoch(time))).toEqual(time);
  for (const other of ["", "0", "soon", "17952480001", "-1795248000", 1795248000, undefined, null]) {
    expect(fromEpoch(other)).toBeUndefined();
  }
});

test.each([
  ["2026-11-21T08:00:20Z", "now"],
  ["2026-11-21T08:12:00Z", "in 12 min"],
  ["2026-11-21T12:00:00Z", "in 4 h"],
  ["2026-11-21T11:59:00Z", "in 3 h 59 min"],
  ["2026-11-23T11:59:00Z", "in 2 d 3 h"],
  ["2026-11-21T06:55:00Z", "1 h 5 min ago"],
])("%s is %s", (time, words) => {
  expect(relative(new Date(time), new Date("2026-11-21T08:00:00Z"))).toBe(words);
});

test("times are told to the second", () => {
  expect(iso(new Date("2026-11-21T08:00:00.123Z"))).toBe("2026-11-21T08:00:00Z");
});
