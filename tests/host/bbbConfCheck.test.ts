import { join } from "node:path";

import { run, SCRIPTS } from "./scripts";

const HEAD = `
BigBlueButton Server 3.0.26 (1234)
                    Kernel version: 5.15.0-67-generic

/etc/bigbluebutton/bbb-web.properties (override for bbb-web)
       bigbluebutton.web.serverURL: https://bbb.example.test
# Error: above the header nothing counts

`;

const judge = (problems: string) =>
  run(
    ["/usr/bin/python3", join(SCRIPTS, "bbb_conf_check.py")],
    `${HEAD}# Potential problems described below\n..\n${problems}`,
  );

test("a healthy server has nothing but dots below the header", async () => {
  expect(await judge("\n\n")).toEqual({ code: 0, output: "" });
});

test.each([
  [
    "# Error: Could not connect to the configured hostname/IP address\n#\n#    https://bbb.example.test/\n",
    "FAIL",
  ],
  ["# Not running: Nginx\n", "FAIL"],
  ["# Error: Unable to connect to the FreeSWITCH Event Socket Layer on port 8021\n", "FAIL"],
  [
    "# Warning: The directory\n#\n#    /var/bigbluebutton\n#\n# is not owned by bigbluebutton:bigbluebutton\n",
    "FAIL",
  ],
  [
    "# Warning: Detected the directory\n#\n#    /var/freeswitch/meetings\n#\n# is not owned by freeswitch\n",
    "FAIL",
  ],
  ["# Nginx: BigBlueButton appears to be disabled\n", "FAIL"],
  ["#    pdftocairo command not found\n", "FAIL"],
  ["# Error: a text that nobody has seen yet\n", "FAIL"],
  ["# Error: Unable to reach default URL for presentation\n", "warn"],
  ["# Warning: Failed to verify STUN server at stun.example.test:3478\n", "warn"],
  ["# Warning: found only 4 cores\n", "warn"],
  ["# Warning: a text that nobody has seen yet\n", "warn"],
  ["# Warning: The setting of 203.0.113.7 for local_ip_v4 in\n#\n#    vars.xml\n", "info"],
])("%j is judged", async (problem, kind) => {
  const { code, output } = await judge(`\n${problem}\n`);
  expect(output.split("\n")).toHaveLength(2);
  expect(output.startsWith(kind)).toBe(true);
  expect(code).toBe(kind === "FAIL" ? 1 : 0);
});

test("the missing ufw is not worth a word, since the cloud has the firewall", async () => {
  const problem =
    "# Warning: No firewall detected.  Recommend using setting up a firewall for your server\n#\n#   apt install ufw\n";
  expect(await judge(problem)).toEqual({ code: 0, output: "" });
});

test("several problems are told apart, each with its details in one line", async () => {
  const { output } = await judge(
    "# Warning: The file\n#\n#    /var/log/bigbluebutton/bbb-web.log\n#\n# is not owned by x\n\n# Error: second\n",
  );
  expect(output).toBe(
    "FAIL  Warning: The file /var/log/bigbluebutton/bbb-web.log is not owned by x\nFAIL  Error: second\n",
  );
});

test("a run that gave up early fails, with what it said last", async () => {
  const { code, output } = await run(
    ["/usr/bin/python3", join(SCRIPTS, "bbb_conf_check.py")],
    "\n# Tried to check server_name in\n#    /etc/nginx/sites-available/bigbluebutton\n# but value is empty.\n",
  );
  expect(code).toBe(1);
  expect(output).toContain("did not come to its end: Tried to check server_name in");
});
