import { readCertificateBundle } from "../../../settings/formats/chain";
import { Authority } from "./authority";

const own = new Authority();
afterAll(() => own.remove());

const good = own.leaf("good", ["bbb.example.org", "*.other.org"]);
const key = own.read("good.key");
// Certificates that are made in a moment are good by then.
const NOW = new Date(Date.now() + 60_000);

function read(change: Partial<Parameters<typeof readCertificateBundle>[0]> = {}) {
  const result = readCertificateBundle({
    certificate: good + own.intermediate,
    key,
    names: ["bbb.example.org"],
    privateRoots: own.root,
    now: NOW,
    ...change,
  });
  return "own" in result ? result.own : result.problems.map(({ of, reason }) => `${of} ${reason}`);
}

const inDays = (days: number) =>
  new Date(NOW.getTime() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, "");

test("leaf and intermediate, to a private root that is given", () => {
  expect(read()).toMatchObject({ issuedBy: "Own Intermediate", trustedByBrowsers: false });
  const one = read({ names: ["x.other.org"] });
  if (Array.isArray(one)) throw new Error(one.join());
  expect(one.covers("turn.other.org")).toBe(true);
  expect(one.covers("a.turn.other.org")).toBe(false);
  expect(one.chain.match(/BEGIN/g)).toHaveLength(2);
  expect([one.chain.endsWith("\n"), one.key.endsWith("\n")]).toEqual([true, true]);
});

test.each<[string, Parameters<typeof read>[0], string | string[]]>([
  ["no PEM", { certificate: "x" }, "certificate holds no certificate"],
  ["damaged", { certificate: good.replace("MII", "AAA") }, "certificate 1 of 1 is damaged"],
  ["no key", { key: good }, "key holds no private key"],
  ["another's key", { key: own.read("root.key") }, "key holds a key that does not belong"],
  [
    "another name",
    { names: ["turn.example.org"] },
    "is not for turn.example.org, but for DNS:bbb.example.org",
  ],
  ["no intermediate", { certificate: good }, "the certificate of Own Intermediate is missing"],
  ["an unknown root", { privateRoots: "" }, "the certificate of Own Root is missing"],
  [
    "a root in it that nobody knows",
    { certificate: good + own.intermediate + own.root, privateRoots: "" },
    "Own Root",
  ],
  ["the leaf last", { certificate: own.intermediate + good }, "does not begin with the server's"],
  ["wrong order", { certificate: good + own.root + own.intermediate }, "in the wrong order"],
  [
    "strays",
    { certificate: good + own.intermediate + own.leaf("stray", ["x.org"]) },
    "not part of its chain: x.org",
  ],
  ["several at once", { names: ["a.b"], key: "" }, ["key holds no", "certificate is not for a.b"]],
])("refused: %s", (_name, change, expected) => {
  const problems = read(change);
  for (const text of [expected].flat()) {
    expect(problems).toEqual(expect.arrayContaining([expect.stringContaining(text)]));
  }
});

test("refused: an encrypted key", () => {
  const encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----";
  expect(read({ key: encrypted })).toEqual([expect.stringContaining("key is encrypted")]);
});

test.each([
  ["expired", { from: inDays(-100), until: inDays(-1) }, "expired on"],
  ["with 5 days left", { from: inDays(-100), until: inDays(5.5) }, "with 5 days left"],
  ["not valid yet", { from: inDays(2), until: inDays(100) }, "is not valid before"],
  ["with a weak key", { key: ["rsa:1024"] }, "RSA key of 1024 bits"],
])("refused: one %s", (name, options, problem) => {
  const certificate = own.leaf(name.replaceAll(" ", "-"), ["bbb.example.org"], options) + own.intermediate;
  const problems = read({ certificate, key: own.read(`${name.replaceAll(" ", "-")}.key`) });
  expect(problems).toEqual([expect.stringContaining(problem)]);
});
