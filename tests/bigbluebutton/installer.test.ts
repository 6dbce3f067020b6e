import { installerArguments } from "../../bigbluebutton/installer";
import { releases, type Release } from "../../bigbluebutton/releases";

const args = {
  version: "jammy-300",
  hostname: "bbb.example.org",
  turnHostname: "turn.example.org",
  greenlight: false,
};

test("are these words, with the host's name before the TURN server's", () => {
  expect(installerArguments(releases["jammy-30"], args)).toEqual([
    ...["-v", "jammy-300", "-s", "bbb.example.org", "-e", "EMAIL", "-c", "turn.example.org:THROW-AWAY"],
  ]);
});

test("Greenlight is a flag at the end", () => {
  expect(installerArguments(releases["jammy-30"], { ...args, greenlight: true })).toEqual([
    ...["-v", "jammy-300", "-s", "bbb.example.org", "-e", "EMAIL", "-c", "turn.example.org:THROW-AWAY", "-g"],
  ]);
});

test("every release's installer takes them, and -d, which the host adds for an own certificate", () => {
  for (const release of Object.values(releases)) {
    expect(() => installerArguments(release, { ...args, greenlight: true })).not.toThrow();
    expect(release.installer?.flags ?? ["d"]).toContain("d");
  }
});

test("a flag that an installer does not take is refused", () => {
  const { installer, ...rest } = releases["jammy-30"];
  const release: Release = { ...rest, installer: { ...installer!, flags: ["v", "s", "e", "c"] } };
  expect(() => installerArguments(release, { ...args, greenlight: true })).toThrow("does not take -g");
});
