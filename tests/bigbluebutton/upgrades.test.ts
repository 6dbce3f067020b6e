import { releases, type ReleaseName } from "../../bigbluebutton/releases";
import { previousRelease } from "../../bigbluebutton/upgrades";

test.each<[ReleaseName, ReleaseName | undefined]>([
  ["xenial-20", undefined],
  ["xenial-22", "xenial-20"],
  ["focal-25", undefined],
  ["focal-26", "focal-25"],
  ["focal-27", "focal-26"],
  ["jammy-30", undefined],
  ["noble-40", undefined],
])("%s is what a server with %s may become", (release, before) => {
  expect(previousRelease(releases[release])?.name).toBe(before);
});
