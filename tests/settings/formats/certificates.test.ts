import { rootsProblem } from "../../../settings/formats/certificates";
import { expiredRootPem, leafPem, rootPem } from "../fixtures";

test("a root, or a bundle of them, is accepted", () => {
  expect(rootsProblem(rootPem)).toBeUndefined();
  expect(rootsProblem(`# our roots\n${rootPem}\n\n${rootPem}\n`)).toBeUndefined();
});

test.each([
  ["nothing in PEM form", "roots.pem", "contains no certificate"],
  ["a damaged one", rootPem.replace("MII", "AAA"), "certificate 1 of 1 is damaged"],
  ["a server's own certificate", `${rootPem}\n${leafPem}`, "is no authority's: CN=bbb.example.org"],
  ["an expired root", expiredRootPem, "expired on 2021-01-01"],
  [
    "a private key",
    `${rootPem}\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----`,
    "a private key",
  ],
])("refused: %s", (_name, pem, problem) => {
  expect(rootsProblem(pem)).toContain(problem);
});
