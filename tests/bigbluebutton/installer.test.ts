import { installerArguments } from "../../bigbluebutton/installer";
import { releases, type Release } from "../../bigbluebutton/releases";

const args = {
  hostname: "bbb.example.org",
  email: "admin@example.org",
  turnHostname: "turn.example.org",
  turnSecret: "throw-away",
  greenlight: false,
};

test.each([
  ["xenial-22", "xenial-22"],
  ["bionic-23", "bionic-23"],
  ["bionic-24", "bionic-24"],
  ["focal-25", "focal-250"],
  ["focal-26", "focal-260"],
  ["focal-27", "focal-270"],
  ["jammy-30", "jammy-300"],
  ["noble-40", "noble-400"],
] as const)("%s is installed by -v %s, with the host's name before the TURN server's", (name, version) => {
  expect(installerArguments(releases[name], args).join(" ")).toBe(
    `-v ${version} -s bbb.example.org -e admin@example.org -c turn.example.org:throw-away`,
  );
});

test("Greenlight is a flag at the end", () => {
  expect(installerArguments(releases["jammy-30"], { ...args, greenlight: true }).slice(-2)).toEqual([
    "turn.example.org:throw-away",
    "-g",
  ]);
});

test("2.0 has none, and the error says what is missing", () => {
  expect(() => installerArguments(releases["xenial-20"], args)).toThrow(/xenial-20 has no installer.*2\.0/);
});

test("a flag that an installer does not take is refused", () => {
  const { installer, ...rest } = releases["jammy-30"];
  const release: Release = { ...rest, installer: { ...installer!, flags: ["v", "s", "e", "c"] } };
  expect(() => installerArguments(release, { ...args, greenlight: true })).toThrow("does not take -g");
});
