import { parseSettings } from "../../settings";
import { fieldNames, remedyFor } from "../../settings/fields";
import { SettingsError } from "../../settings/problems";
import { asArguments } from "../../settings/remedies";
import { rootPem } from "./fixtures";

const component = { type: "BigBlueButton", name: "school-a" };
const context = { project: "schools", stack: "prod", component };
const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };

function refusal(raw: Readonly<Record<string, unknown>>): string {
  try {
    parseSettings(raw, context);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

test("mistakes are told of the component's arguments, all at once, with what to write instead", () => {
  const raw = {
    domain: "school.eu",
    sshNetworks: ["198.51.100.1/24"],
    recordingsGb: 5,
    hostname: "bbb.other.eu",
    turnStack: "prod",
    turnPeers: ["5.75.128.7"],
    release: "focal-27",
    image: "99",
  };
  expect(refusal(raw)).toBe(`6 problems in the arguments of BigBlueButton "school-a"; nothing was changed.

  email is not set
    → email: "YOUR-ADDRESS"

  sshNetworks has "198.51.100.1/24", which has bits set behind its prefix
    → sshNetworks[0]: "198.51.100.0/24"

  recordingsGb is 5; a volume has 10 to 10240 GB
    → recordingsGb: 100, or 0 for none

  hostname "bbb.other.eu" is outside the zone school.eu
    → hostname: "bbb"

  turnPeers is set, but the TURN server is that of stack prod (turnStack), which alone decides about it
    → leave out turnPeers, or leave out turnStack, for a TURN server of its own

  release is focal-27, BigBlueButton 2.7, which gets no security updates any more
    → release: "jammy-30", or knowingly allowEndOfLife: true
`);
});

test.each([
  { greenlite: true, image: "debian-12", environment: "prod", acmeServer: "staging", protect: false },
  { sshNetworks: ["0.0.0.0/0", ["8.8.8.8/32"]], sshPublicKeys: ["x"], environment: "prod", expires: "1" },
  { cloud: "aws", location: "eu-west-1b", serverType: "ccx33", image: "9", recordingsVolumeId: "1" },
  { vpcId: "vpc-01234567", snapshotDays: 3, location: "fsn1-dc14", turnServerType: "cax11" },
  { cloud: "aws", turnLocation: "eu-west-1", expires: "1600000000", installerUrl: "https://a.eu/i" },
  { acmeCa: rootPem, certificateFile: "/nowhere.pem", expires: "4102444800", environment: "staging" },
  { acmeCa: "x", email: "a@b", hostname: "turn", installerSha256: "1", upgrade: "x".repeat(101) },
])("no command for a stack's configuration is among the remedies: %#", (raw) => {
  expect(refusal({ ...required, ...raw })).not.toContain("pulumi config");
});

test.each(fieldNames)("what puts %s right can be said of an argument", (key) => {
  expect(asArguments(remedyFor(key))).toContain(key);
  expect(asArguments(remedyFor(key))).not.toContain("pulumi config");
});

test("a file's text, and a command that is none of the settings'", () => {
  expect(asArguments(remedyFor("acmeCa"))).toBe("acmeCa: the text of roots.pem");
  expect(asArguments(remedyFor("sshPublicKeys"))).toBe("sshPublicKeys[0]: the text of ~/.ssh/id_ed25519.pub");
  expect(asArguments("pulumi config set --secret hcloud:token")).toBe(
    "pulumi config set --secret hcloud:token",
  );
});

test("a component's name tells its resources from another's of the same stack", () => {
  const { labels } = parseSettings(required, context);
  expect(labels).toEqual({ project: "schools", stack: "prod", deployment: "school-a" });
});

test("an argument that is undefined is not set", () => {
  const raw = { ...required, location: undefined, turnPeers: undefined, greenlight: undefined };
  expect(parseSettings(raw, context)).toEqual(parseSettings(required, context));
});
