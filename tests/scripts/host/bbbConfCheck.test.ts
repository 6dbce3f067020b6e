import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

import { done, FakeHost, run, SCRIPTS } from "./scripts";

const HEAD = `
BigBlueButton Server 3.0.26 (1234)
                    Kernel version: 5.15.0-67-generic

/etc/bigbluebutton/bbb-web.properties (override for bbb-web)
       bigbluebutton.web.serverURL: https://bbb.example.test
# Error: above the header nothing counts

`;

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
});

afterEach(() => host.remove());

const judge = (problems: string) =>
  done(
    // No command but the test's own.
    host.start(["/usr/bin/python3", "-B", join(SCRIPTS, "bbb_conf_check.py")], {
      PATH: join(host.directory, "bin"),
    }),
    `${HEAD}# Potential problems described below\n..\n${problems}`,
  );

test("a healthy server has nothing but dots below the header", async () => {
  expect(await judge("\n\n")).toEqual({ code: 0, output: "" });
});

test.each([
  "# Error: Could not connect to the configured hostname/IP address\n#\n#    https://bbb.example.test/\n",
  "# Not running: Nginx\n",
  "# Error: Detected some processes have not started correctly\n#\n#   etherpad —————► [✘ - inactive]\n",
  "# Nginx: BigBlueButton appears to be disabled\n",
  "# bbb-webrtc-sfu will try to connect to 192.0.2.1 but FreeSWITCH is listening on 192.0.2.2 for port 5066\n",
  "# Warning: Detected you have the default shared secret.  You MUST change your shared\n",
  "# Error: a text that nobody has seen yet\n",
  "# Error: Unable to reach default URL for presentation\n",
  "# Warning: Failed to verify STUN server at stun.example.test:3478\n",
  "# Warning: found only 4 cores\n",
  "# Warning: a text that nobody has seen yet\n",
])("%j is a warning, since only bbb-conf says so", async (problem) => {
  const { code, output } = await judge(`\n${problem}\n`);
  expect(output.split("\n")).toHaveLength(2);
  expect([code, output]).toEqual([0, expect.stringMatching(/^warn {2}/)]);
});

test.each([
  "# Warning: The setting of 203.0.113.7 for local_ip_v4 in\n#\n#    vars.xml\n",
  "# Warning: You have this server defined for https, but in\n#\n#    sip.nginx\n#\n#  the protocol is http\n",
  "# You have this server defined for https, but in\n#\n#    sip.nginx\n",
  "# Warning: The installed ffmpeg version '6.1' is not recommended.\n",
])("%j is nothing to mend", async (problem) => {
  const { code, output } = await judge(problem);
  expect([code, output.split("\n").length, output]).toEqual([0, 2, expect.stringMatching(/^info {2}/)]);
});

test.each(["null", ""])(
  "bbb-webrtc-sfu's address that bbb-conf read as %j is no problem, and hides none after it",
  async (address) => {
    const { code, output } = await judge(
      `# bbb-webrtc-sfu will try to connect to ${address} but FreeSWITCH is listening on 203.0.113.7 for port 5066\n# Warning: found only 4 cores\n`,
    );
    expect([code, output]).toEqual([0, "warn  Warning: found only 4 cores\n"]);
  },
);

describe("what a second look can tell fails where that agrees", () => {
  test.each([
    ["# Warning: No ffmpeg version was found\n#\n", "ffmpeg"],
    ["# No ffmpeg version was found\n", "ffmpeg"],
    ["#    no-such-tool command not found\n", "no-such-tool"],
  ])("%j", async (problem, command) => {
    expect(await judge(problem)).toMatchObject({ code: 1, output: expect.stringMatching(/^FAIL {2}/) });
    host.fake(command);
    expect(await judge(problem)).toMatchObject({ code: 0, output: expect.stringMatching(/^warn {2}/) });
  });

  const OWNED = "#\n#    /var/bigbluebutton\n#\n# is not owned by";
  test.each(["The directory", "Detected the directory", "The file"])("Warning: %s …", async (begin) => {
    host.put("var/bigbluebutton", "");
    const me = (await run(["id", "-un"])).output.trim();
    expect(await judge(`# Warning: ${begin}\n${OWNED} ${me}:x\n`)).toEqual({
      code: 0,
      output: `warn  Warning: ${begin} /var/bigbluebutton is not owned by ${me}:x\n`,
    });
    expect(await judge(`# Warning: ${begin}\n${OWNED} nobody:x\n`)).toMatchObject({ code: 1 });
  });

  test("Error: … the FreeSWITCH Event Socket Layer …", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const problem = `# Error: Unable to connect to the FreeSWITCH Event Socket Layer on port ${port}\n`;
    expect((await judge(problem)).output).toMatch(/^warn {2}/);
    await new Promise((resolve) => server.close(resolve));
    expect(await judge(problem)).toMatchObject({ code: 1, output: expect.stringMatching(/^FAIL {2}/) });
  });
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
    "warn  Warning: The file /var/log/bigbluebutton/bbb-web.log is not owned by x\nwarn  Error: second\n",
  );
});

test("a run that gave up early is told, with what it said last", async () => {
  const { code, output } = await run(
    ["/usr/bin/python3", join(SCRIPTS, "bbb_conf_check.py")],
    "\n# Tried to check server_name in\n#    /etc/nginx/sites-available/bigbluebutton\n# but value is empty.\n",
  );
  expect(code).toBe(0);
  expect(output).toContain("did not come to its end: Tried to check server_name in");
});
