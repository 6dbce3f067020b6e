import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { done, FakeHost, SCRIPTS } from "./scripts";

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl", "if [[ $1 == is-active ]]; then echo active; fi");
  host.fake("dpkg-query", "echo installed");
  mkdirSync(join(host.directory, "lib"));
  for (const name of ["verify-bbb.sh", "lib.sh", "bbb_conf_check.py"]) {
    copyFileSync(join(SCRIPTS, name), join(host.directory, "lib", name));
  }
  for (const name of ["api_check.py", "turn_check.py"]) {
    writeFileSync(join(host.directory, "lib", name), 'print("ok    fake — fine — 0 s")\n');
  }
});

afterEach(() => host.remove());

test("a secret that bbb-conf --check shows reaches neither the operator nor the log", async () => {
  host.fake(
    "bbb-conf",
    `echo "# Potential problems described below"
echo "# Warning: Webhooks API Shared Secret mismatch:"
echo "#    bbb-web.properties = ${SECRET}"`,
  );
  const flags = [
    "--hostname",
    "bbb.example.test",
    "--turn-host",
    "turn.example.test",
    "--ipv4",
    "203.0.113.1",
  ];
  const { code, output } = await done(
    host.start(["bash", join(host.directory, "lib/verify-bbb.sh"), ...flags]),
    `${SECRET}\nturn\n`,
  );
  expect(output).toContain("Webhooks API Shared Secret mismatch: bbb-web.properties = (secret)");
  expect(output).not.toContain(SECRET);
  expect(code).toBe(0);
});
