import { volumeGb } from "../../../sandbox/commands/stacks";
import { assertNoGrowth } from "../../../sandbox/commands/update";

test("a volume grows only when the command asks for it", () => {
  expect(() => assertNoGrowth("prod", 200, [], 10)).toThrow(
    "the recordings volume of stack prod has 10 GB, and would grow to 200 GB for good: " +
      "--set recordingsGb=200 has that done, --set recordingsGb=10 leaves it",
  );
  assertNoGrowth("prod", 200, ["recordingsGb=200"], 10);
  assertNoGrowth("prod", "10", [], 10);
  assertNoGrowth("prod", 200, [], undefined);
});

test("its size is in the state of either engine, on either cloud", () => {
  const volume = (type: string) => ({ resources: [{ type: "a:b:C" }, { type, inputs: { size: 20 } }] });
  expect(volumeGb(JSON.stringify({ deployment: volume("hcloud:index/volume:Volume") }))).toBe(20);
  expect(volumeGb(JSON.stringify({ checkpoint: { latest: volume("aws:ebs/volume:Volume") } }))).toBe(20);
  expect(volumeGb(JSON.stringify({ deployment: {} }))).toBeUndefined();
});
