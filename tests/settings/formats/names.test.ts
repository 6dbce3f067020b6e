import {
  dnsNameProblem,
  isSpecialUse,
  normalizeName,
  qualifyHostname,
  zoneProblem,
} from "../../../settings/formats/names";

test("names are compared in lower case and without their final dot", () => {
  expect(normalizeName(" BBB.Example.org. ")).toBe("bbb.example.org");
});

test.each(["example.org", "a.b.c.example.org", "xn--bcher-kva.example", "bbb", "1and1.de"])(
  "%s is a DNS name",
  (name) => {
    expect(dnsNameProblem(name)).toBeUndefined();
  },
);

test.each([
  ["exa_mple.org", '"exa_mple" must be'],
  ["-a.example.org", '"-a" must be'],
  ["a..org", '"" must be'],
  [`${"a".repeat(64)}.org`, "must be 1 to 63"],
  [`${"a.".repeat(130)}org`, "longer than the 253"],
  ["https://example.org", "is a URL"],
  ["192.0.2.1", "is an IP address"],
  ["2001:db8::1", "is an IP address"],
  ["bücher.example", "xn--bcher-kva.example"],
])("%s is none: %s", (name, problem) => {
  expect(dnsNameProblem(name)).toContain(problem);
});

test("a zone is one's own", () => {
  expect(zoneProblem("example.org")).toBeUndefined();
  expect(zoneProblem("school.example.co.uk")).toBeUndefined();
  expect(zoneProblem("org")).toContain("one label");
  expect(zoneProblem("co.uk")).toContain("public suffix");
});

test("reserved domains are known with all below them", () => {
  expect(["test", "example.test", "a.home.arpa", "x.local"].every(isSpecialUse)).toBe(true);
  expect(["example.org", "latest.org", "mytest", "arpa"].some(isSpecialUse)).toBe(false);
});

test.each([
  ["bbb", "bbb.example.org"],
  ["bbb.example.org", "bbb.example.org"],
  ["BBB.Example.org.", "bbb.example.org"],
  ["a.b.example.org", "a.b.example.org"],
  ["x".repeat(41), `${"x".repeat(41)}.example.org`],
])("the host %s is %s", (hostname, fqdn) => {
  expect(qualifyHostname(hostname, "example.org")).toEqual({ fqdn });
});

test.each([
  ["bbb.example.com", "is outside the zone example.org"],
  ["notexample.org", "is outside the zone example.org"],
  ["example.org", "is the zone itself"],
  ["b b", "is not a DNS name"],
  ["x".repeat(42), "makes a name of 54 characters"],
])("the host %s is refused: %s", (hostname, reason) => {
  expect(qualifyHostname(hostname, "example.org")).toMatchObject({ reason: expect.stringContaining(reason) });
});
