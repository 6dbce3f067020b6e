import type { FieldValues } from "../../settings/fields";
import { readOwnCertificates } from "../../settings/ownCertificates";
import { Authority } from "./formats/authority";

const own = new Authority();
afterAll(() => own.remove());
// Certificates that are made in a moment are good by then.
const NOW = new Date(Date.now() + 60_000);

const files: Record<string, string> = {};
for (const [name, names] of Object.entries({
  both: ["bbb.example.org", "turn.example.org"],
  bbb: ["bbb.example.org"],
  turn: ["turn.example.org"],
})) {
  files[`${name}.pem`] = own.leaf(name, names) + own.intermediate;
  files[`${name}.key`] = own.read(`${name}.key`);
}

function readFile(path: string): string {
  if (path in files) return files[path]!;
  throw Object.assign(new Error(path), { code: path.startsWith("closed") ? "EACCES" : "ENOENT" });
}

function read(values: Partial<FieldValues>) {
  const named = { domain: "example.org", hostname: "bbb", turnHostname: "turn", acmeCa: own.root };
  const { own: chains, problems } = readOwnCertificates({ ...named, ...values }, readFile, NOW);
  return {
    bbb: chains.bbb?.chain,
    turn: chains.turn?.chain,
    problems: problems.map(({ key, reason, remedy }) => `${key} ${reason}; ${remedy}`),
  };
}

const pair = (name: string) => ({ certificateFile: `${name}.pem`, certificateKeyFile: `${name}.key` });
const turnPair = (name: string) => ({
  turnCertificateFile: `${name}.pem`,
  turnCertificateKeyFile: `${name}.key`,
});

test("none: both hosts' are the authority's", () => {
  expect(read({})).toEqual({ bbb: undefined, turn: undefined, problems: [] });
});

test("one for both names is used by both", () => {
  expect(read(pair("both"))).toEqual({ bbb: files["both.pem"], turn: files["both.pem"], problems: [] });
});

test("one for BigBlueButton's name alone leaves TURN to the authority", () => {
  expect(read(pair("bbb"))).toEqual({ bbb: files["bbb.pem"], turn: undefined, problems: [] });
});

test("TURN's own comes before one that is for both, and may be the only one", () => {
  expect(read({ ...pair("both"), ...turnPair("turn") })).toMatchObject({ turn: files["turn.pem"] });
  expect(read(turnPair("turn"))).toEqual({ bbb: undefined, turn: files["turn.pem"], problems: [] });
});

test.each<[string, Partial<FieldValues>, string]>([
  [
    "a certificate without its key",
    { certificateFile: "bbb.pem" },
    "certificateKeyFile is not set, though certificateFile is",
  ],
  [
    "a key without its certificate",
    { turnCertificateKeyFile: "turn.key" },
    "turnCertificateFile is not set, though turnCertificateKeyFile is",
  ],
  [
    "a file that is not there",
    { ...pair("bbb"), certificateFile: "gone.pem" },
    "certificateFile names gone.pem, which is not there",
  ],
  [
    "a file that may not be read",
    { ...pair("bbb"), certificateKeyFile: "closed.key" },
    "certificateKeyFile names closed.key, which may not be read by you",
  ],
  ["another host's", turnPair("bbb"), "turnCertificateFile names bbb.pem, which is not for turn.example.org"],
  [
    "another one's key",
    { ...pair("bbb"), certificateKeyFile: "turn.key" },
    "certificateKeyFile names turn.key, which holds a key that does not belong",
  ],
])("refused, by the setting's name: %s", (_name, values, problem) => {
  const { bbb, turn, problems } = read(values);
  expect([bbb, turn]).toEqual([undefined, undefined]);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

test("mistakes in both pairs are told together", () => {
  expect(read({ certificateFile: "bbb.pem", ...turnPair("bbb") }).problems).toHaveLength(2);
});
