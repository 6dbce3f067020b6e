import { parseSettings, type OwnTurn, type Settings } from "../../settings";
import { SettingsError } from "../../settings/problems";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const settings = (raw: Record<string, unknown>): Settings =>
  parseSettings({ ...required, ...raw }, { project: "bigbluebutton", stack: "prod" });

function refusal(raw: Record<string, unknown>): readonly string[] {
  try {
    settings(raw);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason }) => `${key} ${reason}`);
  }
  return [];
}

test.each([
  ["baked", "required"],
  ["baked-or-stock", "preferred"],
] as const)("%s stands for a baked image, beside the cloud's own", (value, baked) => {
  for (const cloud of ["hetzner", "aws"] as const) {
    const { bbb, turn, release } = settings({ image: value, turnImage: value, cloud });
    expect(bbb).toMatchObject({ image: release.images[cloud], baked });
    expect(turn).toMatchObject({ baked });
    expect((turn as OwnTurn).image).toContain("24.04");
  }
});

test("each host has its own setting, and another value is a name or id", () => {
  const { bbb, turn } = settings({ turnImage: "4711" });
  expect(bbb).toMatchObject({ image: "ubuntu-22.04" });
  expect(bbb.baked).toBeUndefined();
  expect(turn).toMatchObject({ image: "4711" });
  expect((turn as OwnTurn).baked).toBeUndefined();
});

test.each<[Record<string, unknown>, string]>([
  [{ turnImage: "ami-12345678/x y" }, "turnImage"],
  [{ turnImage: "4711", cloud: "aws" }, 'turnImage "4711" is not an AMI\'s id'],
  [
    { turnImage: "baked", turnStack: "other" },
    "turnImage is set, but the TURN server is that of stack other",
  ],
  [
    { image: "baked-or-stock", release: "xenial-22", allowEndOfLife: true },
    "image is baked-or-stock, and hetzner no longer offers",
  ],
])("%j is refused", (raw, told) => {
  expect(refusal(raw)).toEqual([expect.stringContaining(told)]);
});

test("an image of a release that the cloud has withdrawn may be a baked one", () => {
  expect(refusal({ image: "baked", release: "xenial-22", allowEndOfLife: true })).toEqual([]);
});
