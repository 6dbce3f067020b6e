import { join } from "node:path";

import { check } from "./checks";
import { MeetingsApi } from "./meetingsApi";
import { done, FakeHost, run, SCRIPTS, type Done } from "./scripts";

const NEEDRESTART = "etc/needrestart/conf.d/bbb-deploy-services.conf";
const SERVICE = "etc/systemd/system/apt-daily-upgrade.service.d/50-bbb-deploy.conf";
const TIMER = "etc/systemd/system/apt-daily-upgrade.timer.d/50-bbb-deploy.conf";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl");
  host.fake("apt-mark");
});

afterEach(() => host.remove());

const guard = (): Promise<Done> => done(host.start(["python3", "-B", join(SCRIPTS, "upgrade_guard.py")]));

test.each([
  ["coturn.service", false],
  ["freeswitch.service", false],
  ["nginx.service", false],
  ["redis-server.service", false],
  ["bbb-web.service", false],
  ["livekit-server.service", false],
  ["docker.service", false],
  ["ssh.service", true],
  ["cron.service", true],
])("needrestart, of %s whose library is new: restarts it, %s", async (unit, restarts) => {
  await guard();
  const perl = `our %nrconf = (override_rc => {qr(^dbus) => 0}); do $ARGV[0]; die $@ if $@;
for my $pattern (keys %{$nrconf{override_rc}}) { if ($ARGV[1] =~ /$pattern/) { print "left"; } }`;
  const { output } = await run(["perl", "-e", perl, join(host.root, NEEDRESTART), unit]);
  expect(output).toBe(restarts ? "" : "left");
});

test("what is written is told to systemd, once", async () => {
  expect((await guard()).code).toBe(0);
  expect(host.called("systemctl")).toEqual([
    "systemctl daemon-reload",
    "systemctl try-restart apt-daily-upgrade.timer",
  ]);
  host.forgetCalls();
  await guard();
  expect(host.called()).toEqual([]);
});

test("the times are the night's, as systemd reads them", async () => {
  await guard();
  const [, times] = /^OnCalendar=(\*.*)$/m.exec(host.read(TIMER))!;
  const { output } = await run(["systemd-analyze", "calendar", "--iterations=24", times!]);
  const hours = [...output.matchAll(/ (\d\d):00:00 UTC/g)].map(([, hour]) => Number(hour));
  expect(hours.length).toBeGreaterThan(0);
  expect([...new Set(hours)].filter((hour) => hour > 5)).toEqual([]);
});

test.each([NEEDRESTART, SERVICE, TIMER])(
  "%s that somebody changed is a warning, whose remedy works",
  async (path) => {
    await guard();
    expect(await check(host, "system_check", "check_updates")).toMatchObject({
      verdict: "ok",
      answer: expect.stringContaining("no service is restarted under meetings"),
    });
    host.put(path, "");
    const { verdict, answer, remedy } = await check(host, "system_check", "check_updates");
    expect([verdict, answer]).toEqual(["warn", expect.stringContaining(`under meetings: /${path} is not`)]);
    expect(remedy).toContain("sudo /usr/local/lib/bbb-deploy/upgrade_guard.py");
    await guard();
    expect(await check(host, "system_check", "check_updates")).toMatchObject({ verdict: "ok" });
  },
);

describe("automatic upgrades", () => {
  const api = new MeetingsApi();
  beforeAll(() => api.listen());
  afterAll(() => api.close());
  beforeEach(() => host.put("etc/bigbluebutton/bbb-web.properties", "securitySalt=x\n"));

  /** Condition of the unit, with its scripts at the test's place. */
  const condition = async (): Promise<Done> => {
    await guard();
    const [, command] = /^ExecCondition=(.*)$/m.exec(host.read(SERVICE))!;
    return done(
      host.start(["bash", "-c", command!.replaceAll("/usr/local/lib/bbb-deploy", SCRIPTS)], {
        BBB_DEPLOY_API: api.url,
      }),
    );
  };

  test("wait while a meeting runs", async () => {
    api.meetings = "<meeting/>";
    expect(await condition()).toEqual({ code: 1, output: "1 meeting(s) run: automatic upgrades wait\n" });
  });

  test("begin where none does", async () => {
    api.meetings = "";
    expect(await condition()).toEqual({ code: 0, output: "" });
  });

  test("wait while a relay is in use", async () => {
    host.fake("systemctl", "[[ $* == *coturn* ]]");
    host.fake("ss", `echo 'UNCONN 0 0 203.0.113.2:40000 0.0.0.0:* users:(("turnserver",pid=1,fd=4))'`);
    expect(await condition()).toMatchObject({ code: 1, output: expect.stringContaining("1 relay(s)") });
  });

  test("begin where the scripts are not there any more", async () => {
    await guard();
    const [, command] = /^ExecCondition=(.*)$/m.exec(host.read(SERVICE))!;
    const gone = command!.replaceAll("/usr/local/lib/bbb-deploy", join(host.root, "gone"));
    expect((await done(host.start(["bash", "-c", gone]))).code).toBe(0);
  });
});
