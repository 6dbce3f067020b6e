import { chmodSync } from "node:fs";
import { join } from "node:path";

import { python } from "./checks";
import { FakeHost } from "./scripts";

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";
const WEB = "etc/bigbluebutton/bbb-web.properties";
const AKKA = "etc/bigbluebutton/bbb-apps-akka.conf";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  put(WEB, `a=b\nsecuritySalt=${SECRET}\n`);
  put(AKKA, `services {\n  sharedSecret="${SECRET}"\n}\n`);
});

afterEach(() => host.remove());

function put(path: string, text: string, mode = 0o640): void {
  host.put(path, text);
  chmodSync(join(host.root, path), mode);
}

/** Verdict, answer and remedy, with the test's own group in place of BigBlueButton's. */
const checked = (group = "own") =>
  python(
    host,
    `import checks, grp, os, secret_files
secret_files.GROUP = ${group === "own" ? "grp.getgrgid(os.getgid()).gr_name" : JSON.stringify(group)}
try:
    print("ok", secret_files.check_shared_secret(${JSON.stringify(host.root)}, "${SECRET}"))
except checks.Wrong as wrong:
    print(wrong.verdict, wrong, "--", wrong.remedy)
`,
  );

test("files as wired are right", async () => {
  expect(await checked()).toBe("ok as deployed, for BigBlueButton's services only\n");
});

test.each([WEB, AKKA])("%s, as packages leave it, is read by everybody", async (path) => {
  chmodSync(join(host.root, path), 0o644);
  expect(await checked()).toMatch(
    new RegExp(`^warn every user .*/${path} -- chgrp .* /${path} && chmod 640 /${path}\n$`),
  );
});

test.each([
  ["of another group", 0o640, "nobodys-group"],
  ["closed to its group", 0o600, "own"],
])("a file %s is none that the services can read", async (_, mode, group) => {
  chmodSync(join(host.root, WEB), mode);
  expect(await checked(group)).toMatch(/^FAIL .*bbb-web\.properties is 6.0 of group .*can't read it/);
});

test("another secret is told by its file, and never shown", async () => {
  put(AKKA, 'services {\n  sharedSecret="anothersecret"\n}\n');
  put(WEB, "a=b\n");
  const output = await checked();
  expect(output).toMatch(
    /^FAIL .*bbb-web\.properties has no shared secret; .*bbb-apps-akka\.conf has another/,
  );
  expect(output).not.toMatch(/anothersecret|Zq3vT8/);
});
