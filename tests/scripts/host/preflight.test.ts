import { dig, GOOD, type Dns } from "./dig";
import { FakeHost } from "./scripts";

let host: FakeHost;

const FLAGS = [
  "--role bbb --ubuntu 22.04 --hostname bbb.example.test --ipv4 203.0.113.10 --zone example.test",
  "--min-memory-kb 3940000 --min-cores 4 --min-disk-gb 20 --dns-wait 0",
]
  .join(" ")
  .split(" ");

const TURN = [
  "--role turn --ubuntu 22.04 --hostname turn.example.test --ipv4 203.0.113.11 --ipv6 2001:db8:2::1 --zone example.test",
  "--min-memory-kb 450000 --min-cores 1 --min-disk-gb 2 --dns-wait 0",
]
  .join(" ")
  .split(" ");

beforeEach(() => {
  host = new FakeHost();
  host.put("etc/os-release", 'ID=ubuntu\nVERSION_ID="22.04"\n');
  host.put("proc/meminfo", "MemTotal:        7900000 kB\n");
  host.put("proc/net/if_inet6", "00000000000000000000000000000001 01 80 10 80 lo\n");
  host.fake("uname", "echo x86_64");
  host.fake("nproc", "echo 4");
  host.fake("df", "echo Avail; echo 70");
  host.fake("ss");
  host.fake("ip", 'echo "2: eth0 inet6 2001:db8:2::1/64"');
  host.fake("dpkg-query", "exit 1");
  host.fake("cloud-init", "echo 'status: done'");
  host.fake("dig", dig(GOOD));
});

afterEach(() => host.remove());

const check = (flags: readonly string[] = FLAGS) => host.script("preflight.sh", flags);

/** Messages to the operator, without the log's copy. */
async function findings(flags?: readonly string[]): Promise<string[]> {
  const { code, output } = await check(flags);
  expect(code).toBe(1);
  return [...new Set(output.match(/^ {2}- .*$/gm))];
}

test("a fit host passes, as BigBlueButton's and as TURN's", async () => {
  expect(await check()).toMatchObject({
    code: 0,
    output: expect.stringContaining("bbb.example.test leads here"),
  });
  expect((await check(TURN)).code).toBe(0);
});

test("the name must lead to the public address, which may be on no interface, and IPv6 may be on lo alone", async () => {
  host.fake("ip", 'if [[ $* != *-6* ]]; then echo "2: eth0 inet 172.31.5.5/20"; fi');
  expect((await check()).code).toBe(0);
  host.put("proc/net/if_inet6", "");
  const flags = TURN.filter((word) => word !== "--ipv6" && word !== "2001:db8:2::1");
  const servers = { "192.0.2.1": { "turn.example.test A": ["203.0.113.11"] } };
  host.fake("dig", dig({ ...GOOD, servers }));
  expect((await check(flags)).code).toBe(0);
  host.fake("dig", dig(GOOD));
  expect((await findings(flags)).join()).toContain(
    "has an AAAA record of turn.example.test, 2001:DB8:2:0::1, where there must be none",
  );
});

test("everything that is wrong is told at once, each with its remedy", async () => {
  host.put("etc/os-release", "ID=debian\nVERSION_ID=12\n");
  host.put("proc/meminfo", "MemTotal:        2000000 kB\n");
  host.put("proc/net/if_inet6", "");
  host.fake("uname", "echo aarch64");
  host.fake("nproc", "echo 2");
  host.fake("df", "echo Avail; echo 9");
  host.fake("ss", `echo 'LISTEN 0 511 *:80 *:* users:(("apache2",pid=1,fd=4),("apache2",pid=2,fd=4))'`);
  host.fake("dpkg-query", "echo installed");
  host.fake("dig", dig({ ...GOOD, delegation: [] }));
  const told = await findings();
  const expected = [
    /aarch64.*server type/,
    /debian 12, not Ubuntu 22\.04.*image/,
    /2000000 kB.*larger serverType/,
    /2 cores.*larger serverType/,
    /no IPv6 stack.*Enable IPv6/,
    /9 GB free.*larger serverType/,
    /port 80\/tcp is taken by apache2.*remove apache2/,
    /port 443\/tcp is taken by apache2/,
    /apache2-bin.*apt-get remove/,
    /name servers of test refer to no name servers for example\.test.*registrar/,
  ];
  for (const pattern of expected) expect(told).toContainEqual(expect.stringMatching(pattern));
  expect(told).toHaveLength(expected.length);
});

test("a release that needs another system than the server's asks for a new server, and says what goes with the old one", async () => {
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=2.7.15\n");
  host.put("etc/os-release", 'ID=ubuntu\nVERSION_ID="20.04"\n');
  const [told, ...more] = await findings();
  expect(more).toEqual([]);
  expect(told).toMatch(/BigBlueButton 2\.7\.15 on Ubuntu 20\.04.*release asks for one on Ubuntu 22\.04/);
  expect(told).toMatch(
    /Set release back; or .*\.\/scripts\/replace STACK .*recordings stay.*pulumi up --replace/,
  );
  expect(told).not.toContain("image");
});

describe("a release of another line on the same Ubuntu", () => {
  const to27 = [...FLAGS, ..."--line 2.7 --previous-line 2.6 --previous-release focal-26".split(" ")];
  const has = (release: string) =>
    host.put("etc/bigbluebutton/bigbluebutton-release", `BIGBLUEBUTTON_RELEASE=${release}\n`);

  test.each(["2.7.15", "2.7.0-beta.1"])("%s is that line already", async (release) => {
    has(release);
    const { code, output } = await check(to27);
    expect([code, output]).toEqual([0, expect.not.stringContaining("becomes")]);
  });

  test("the line before is upgraded, which is told", async () => {
    has("2.6.15");
    expect(await check(to27)).toMatchObject({
      code: 0,
      output: expect.stringContaining("BigBlueButton 2.6.15 becomes 2.7"),
    });
  });

  test("a later one is not taken back", async () => {
    has("2.8.1");
    const [told, ...more] = await findings(to27);
    expect(more).toEqual([]);
    expect(told).toMatch(
      /has BigBlueButton 2\.8\.1, and the setting release asks for the earlier 2\.7.*Set release back; or have a new server take its place: \.\/scripts\/replace STACK /,
    );
    has("2.10.1");
    expect(await findings(to27)).toEqual([expect.stringContaining("asks for the earlier 2.7")]);
  });

  test("one that leaves out a line is asked for by way of it", async () => {
    has("2.5.9");
    const [told, ...more] = await findings(to27);
    expect(more).toEqual([]);
    expect(told).toMatch(
      /has BigBlueButton 2\.5\.9, and no way leads from there to 2\.7 at once\. Set release focal-26, run pulumi up, then .*; or have a new server/,
    );
  });

  test("the first line on an Ubuntu has none before it", async () => {
    has("2.8.1");
    const [told] = await findings([...FLAGS, "--line", "3.0"]);
    expect(told).toMatch(/from there to 3\.0 at once\. Set release back; or have a new server/);
  });

  test("another installer's own line is not judged, nor a file without one", async () => {
    has("2.5.9");
    expect((await check()).code).toBe(0);
    has("");
    expect((await check(to27)).code).toBe(0);
  });
});

test("a host that was deployed before needs little room, whichever its role", async () => {
  host.fake("df", "echo Avail; echo 3");
  const need = [...TURN];
  need[need.indexOf("--min-disk-gb") + 1] = "5";
  for (const [flags, step] of [
    [FLAGS, "install-bbb"],
    [need, "install-turn"],
  ] as const) {
    expect(await findings(flags)).toEqual([expect.stringContaining("3 GB free, less than")]);
    host.put(`var/lib/bbb-deploy/${step}/latest`, "/var/lib/bbb-deploy/x/runs/1\n");
    expect((await check(flags)).code).toBe(0);
  }
  host.fake("df", "echo Avail; echo 1");
  expect(await findings(FLAGS)).toEqual([expect.stringContaining("1 GB free, less than the 2 GB")]);
});

test("port 80 may be held by BigBlueButton's nginx, not by another one", async () => {
  host.fake("ss", `echo 'LISTEN 0 511 *:80 *:* users:(("nginx",pid=1,fd=4))'`);
  expect(await findings()).toContainEqual(expect.stringContaining("port 80/tcp is taken by nginx"));
  host.put("etc/bigbluebutton/bbb-web.properties", "");
  expect((await check()).code).toBe(0);
});

test("TURN's ports may be held by coturn only", async () => {
  host.fake("ss", `echo 'UNCONN 0 0 *:3478 *:* users:(("turnserver",pid=1,fd=4))'`);
  expect(await findings(TURN)).toEqual([expect.stringContaining("port 80/tcp is taken by turnserver")]);
});

test("an address that is on no interface is told", async () => {
  host.fake("ip");
  expect(await findings(TURN)).toEqual([
    expect.stringContaining("2001:db8:2::1 is on none of the host's interfaces"),
  ]);
});

describe("the name", () => {
  const records = GOOD.servers["192.0.2.1"]!;

  test.each<[string, Dns["servers"], RegExp[]]>([
    [
      "is unknown to one of the name servers",
      { "192.0.2.1": records, "192.0.2.2": {} },
      [/ns2\.example\.net says of bbb\.example\.test: no A record; it should be 203\.0\.113\.10/],
    ],
    [
      "leads elsewhere, too",
      { "192.0.2.1": { "bbb.example.test A": ["203.0.113.10", "203.0.113.99"] }, "192.0.2.2": records },
      [
        /ns1\.example\.net says of bbb\.example\.test: 203\.0\.113\.10, 203\.0\.113\.99; it should be 203\.0\.113\.10/,
      ],
    ],
    [
      "has an IPv6 address, where BigBlueButton has none",
      { "192.0.2.1": { ...records, "bbb.example.test AAAA": ["2001:db8:1::1"] }, "192.0.2.2": records },
      [/ns1\.example\.net has an AAAA record of bbb\.example\.test, 2001:db8:1::1.*Remove the record/],
    ],
    [
      "is an alias",
      { "192.0.2.1": { "bbb.example.test A": ["CNAME www.example.test."] }, "192.0.2.2": records },
      [/alias \(CNAME\) of www\.example\.test\.\. Remove the alias/],
    ],
    ["is asked of servers that don't answer", {}, [/none of the name servers of example\.test/]],
  ])("%s", async (_, servers, expected) => {
    host.fake("dig", dig({ ...GOOD, servers }));
    const told = await findings();
    for (const pattern of expected) expect(told).toContainEqual(expect.stringMatching(pattern));
  });

  test("may be known to the name servers that answer only", async () => {
    host.fake("dig", dig({ ...GOOD, servers: { "192.0.2.2": records } }));
    const { code, output } = await check();
    expect([code, output]).toEqual([0, expect.stringContaining("ns1.example.net did not answer")]);
  });

  test("is never asked of a cache: all but the name servers' own addresses", async () => {
    await check(TURN);
    const cached = host.called("dig").filter((line) => !line.includes("+norecurse"));
    expect(cached.filter((line) => line.includes("turn.example.test"))).toEqual([]);
    expect(
      host.called("dig").filter((line) => /@192\.0\.2\.[12] turn\.example\.test/.test(line)).length,
    ).toBe(4);
  });
});
