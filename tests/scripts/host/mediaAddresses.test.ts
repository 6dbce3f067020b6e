import { chmodSync, statSync } from "node:fs";
import { join } from "node:path";

import { done, FakeHost, SCRIPTS, type Done } from "./scripts";

const PUBLIC = "203.0.113.11";
const PRIVATE = "172.31.5.5";
const VARS = "opt/freeswitch/etc/freeswitch/vars.xml";
const PROFILE = "opt/freeswitch/etc/freeswitch/sip_profiles/external.xml";
const SFU = "etc/bigbluebutton/bbb-webrtc-sfu/production.yml";
const SFU_DEFAULT = "usr/local/bigbluebutton/bbb-webrtc-sfu/config/default.yml";
const LIVEKIT = "etc/bigbluebutton/livekit.yaml";
const LIVEKIT_DEFAULT = "usr/share/livekit-server/livekit.yaml";

/** Files of the packages on a host whose interface has the private address. */
const PACKAGED = {
  [VARS]: `<include>
  <X-PRE-PROCESS cmd="set" data="local_ip_v4=${PRIVATE}"/>
  <X-PRE-PROCESS cmd="set" data="external_rtp_ip=stun:stun.freeswitch.org"/>
  <X-PRE-PROCESS cmd="set" data="external_sip_ip=stun:stun.freeswitch.org"/>
</include>
`,
  [PROFILE]: `<profile name="external">
  <settings>
    <!--
    <param name="ext-rtp-ip" value="auto-nat"/>
    -->
    <param name="local-network-acl" value="localnet.auto"/>
    <param name="ext-rtp-ip" value="$\${local_ip_v4}"/>
    <param name="ext-sip-ip" value="$\${local_ip_v4}"/>
    <param name="ws-binding"  value="${PUBLIC}:5066"/>
  </settings>
</profile>
`,
  [SFU_DEFAULT]: `freeswitch:
  ip: ${PRIVATE}
mediasoup:
  webrtc:
    listenIps:
      - ip: 0.0.0.0
        announcedIp: ${PRIVATE}
  plainRtp:
    listenIp:
      ip: 0.0.0.0
      announcedIp: ${PRIVATE}
`,
  [LIVEKIT_DEFAULT]:
    "port: 7880\nrtc:\n  use_external_ip: false\n  interfaces:\n    excludes:\n      - docker0\n",
  [LIVEKIT]: "keys:\n  APIabc: topsecret\n",
};

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  for (const [path, text] of Object.entries(PACKAGED)) host.put(path, text);
  host.fake("ip", `[[ $* == *${PUBLIC} ]] && echo "1: lo    inet ${PUBLIC}/32 scope global lo"`);
});

afterEach(() => host.remove());

const set = (...flags: string[]): Promise<Done> =>
  done(
    host.start([
      ...["python3", "-B", join(SCRIPTS, "media_addresses.py"), "--public", PUBLIC, "--private", PRIVATE],
      ...["--root", host.root, "--pending", join(host.directory, "pending"), ...flags],
    ]),
  );

/** Result of host_check.py: verdict, answer and remedy. */
function check(isPrivate = true, address = PUBLIC): Promise<Done> {
  const given = [host.root, address, isPrivate ? PRIVATE : null];
  return done(
    host.start(["python3", "-B", "-"]),
    `import json, sys
sys.path.insert(0, ${JSON.stringify(SCRIPTS)})
import checks, media_addresses
try:
    print("ok", media_addresses.check_addresses(*json.loads(${JSON.stringify(JSON.stringify(given))})))
except checks.Wrong as wrong:
    print(wrong.verdict, wrong, "--", wrong.remedy)
`,
  );
}

test("as packaged, each value that announces the private address is named with file and remedy", async () => {
  const { output } = await check();
  for (const text of [
    `FAIL external_rtp_ip in /${VARS} is stun:stun.freeswitch.org, not ${PUBLIC}`,
    `ext-rtp-ip in /${PROFILE} is $\${local_ip_v4}, that is ${PRIVATE}, not ${PUBLIC}`,
    `mediasoup.webrtc.listenIps announcedIp in /${SFU} is ${PRIVATE}, not ${PUBLIC}`,
    `rtc.node_ip in /${LIVEKIT} is not set, not ${PUBLIC}`,
    "-- give the setting upgrade a new value, then pulumi up; or mend them by hand, then bbb-conf --restart",
  ])
    expect(output).toContain(text);
  expect(output).not.toContain("listened on");
  expect(output).not.toContain("topsecret");
});

test("set, the public address is announced and the private one listened on", async () => {
  const { code, output } = await set();
  expect(code).toBe(0);
  expect(output.trim().split("\n").sort()).toEqual(
    [LIVEKIT, PROFILE, SFU, VARS].map((path) => `/${path} written`).sort(),
  );
  expect(host.read("../pending").trim().split("\n").sort()).toEqual([
    "bbb-webrtc-sfu",
    "freeswitch",
    "freeswitch",
    "livekit-server",
  ]);
  expect(host.read(VARS)).toContain(`data="local_ip_v4=${PRIVATE}"`);
  expect(host.read(VARS)).toContain(`data="external_rtp_ip=${PUBLIC}"`);
  expect(host.read(PROFILE)).toContain('<param name="ext-rtp-ip" value="$${external_rtp_ip}"/>');
  expect(host.read(PROFILE)).toContain('<param name="ext-sip-ip" value="$${external_sip_ip}"/>');
  expect(host.read(PROFILE)).toContain('<param name="local-network-acl" value="none"/>');
  expect(host.read(PROFILE)).toContain('<!--\n    <param name="ext-rtp-ip" value="auto-nat"/>\n    -->');
  expect(host.read(LIVEKIT)).toContain("APIabc: topsecret");
  expect((await check()).output).toBe(`ok ${PUBLIC} announced, ${PRIVATE} listened on\n`);
});

test("a second time nothing is written, and nothing is to be restarted", async () => {
  await set();
  host.put("../pending", "");
  expect((await set()).output).toBe("");
  expect(host.read("../pending")).toBe("");
});

test("what an upgrade of FreeSWITCH took back is put right at its start, and no other service is touched", async () => {
  await set();
  host.put(PROFILE, PACKAGED[PROFILE]);
  host.put(LIVEKIT, PACKAGED[LIVEKIT]);
  expect((await check()).output).toContain(`ext-rtp-ip in /${PROFILE} is`);
  expect((await set("--only", "freeswitch")).output).toBe(`/${PROFILE} written\n`);
  expect((await check()).output).not.toContain("ext-rtp-ip");
});

test("IPv6 entries of mediasoup, other settings and the mode of a file with keys stay", async () => {
  host.put(
    SFU,
    "log:\n  level: debug\nmediasoup:\n  webrtc:\n    listenIps:\n    - ip: 2001:db8::5\n    - ip: 172.31.5.5\n",
  );
  chmodSync(join(host.root, LIVEKIT), 0o640);
  await set();
  expect(host.read(SFU)).toContain("level: debug");
  expect(host.read(SFU)).toContain("ip: 2001:db8::5");
  expect(host.read(SFU)).toContain(`- ip: 0.0.0.0\n      announcedIp: ${PUBLIC}\n`);
  expect(host.read(SFU)).not.toContain(PRIVATE);
  expect(statSync(join(host.root, LIVEKIT)).mode & 0o777).toBe(0o640);
});

test("LiveKit that asks STUN servers for its address is left to that", async () => {
  host.put(LIVEKIT, "rtc:\n  use_external_ip: true\n");
  await set();
  expect(host.read(LIVEKIT)).toBe("rtc:\n  use_external_ip: true\n");
  expect((await check()).output).toMatch(/^ok/);
});

test("what this release does not install is neither written nor missed", async () => {
  host.remove();
  host = new FakeHost();
  host.fake("ip", `echo ${PUBLIC}`);
  expect((await set()).output).toBe("");
  expect((await check()).output).toMatch(/^ok/);
});

test("without its dummy interface FreeSWITCH can't listen where bbb-webrtc-sfu looks for it", async () => {
  await set();
  host.fake("ip");
  expect((await check()).output).toContain(`${PUBLIC} is not on lo`);
  expect((await check()).output).toContain("systemctl restart dummy-nic");
});

test("where the public address is on the interface, what the installer writes there is right", async () => {
  for (const path of [VARS, SFU_DEFAULT] as const) {
    host.put(path, PACKAGED[path].replaceAll(PRIVATE, PUBLIC).replaceAll("stun:stun.freeswitch.org", PUBLIC));
  }
  expect((await check(false)).output).toBe(`ok ${PUBLIC} announced\n`);
  expect((await check(false, "203.0.113.99")).output).toContain(`is ${PUBLIC}, not 203.0.113.99`);
});

describe("where the public address is on the interface", () => {
  const setPublic = () =>
    done(
      host.start([
        ...["python3", "-B", join(SCRIPTS, "media_addresses.py"), "--public", PUBLIC, "--root", host.root],
        ...["--pending", join(host.directory, "pending")],
      ]),
    );

  test("an address of the server that it was copied from is told, and set", async () => {
    for (const path of [VARS, SFU_DEFAULT] as const) {
      host.put(path, PACKAGED[path].replaceAll(/stun:stun.freeswitch.org|172.31.5.5/g, PUBLIC));
    }
    host.put(VARS, host.read(VARS).replace(`local_ip_v4=${PUBLIC}`, "local_ip_v4=198.51.100.9"));
    expect((await check(false)).output).toContain(
      `local_ip_v4 in /${VARS} is 198.51.100.9, not ${PUBLIC}; ext-rtp-ip`,
    );
    expect((await setPublic()).output).toBe(`/${VARS} written\n`);
    expect(host.read("../pending")).toBe("freeswitch\n");
    expect((await check(false)).output).toBe(`ok ${PUBLIC} announced\n`);
  });

  test("files that the installer sets are left to it", async () => {
    await setPublic();
    expect([host.read(PROFILE), host.read(LIVEKIT)]).toEqual([PACKAGED[PROFILE], PACKAGED[LIVEKIT]]);
    expect(() => host.read(SFU)).toThrow();
  });
});

describe("where bbb-webrtc-sfu looks for FreeSWITCH", () => {
  const checked = async (binding: string, sipIp: string) => {
    await set();
    host.put(
      PROFILE,
      host.read(PROFILE).replace(`value="${PUBLIC}:5066"`, () => `value="${binding}"`),
    );
    host.put(SFU, host.read(SFU).replace(`sip_ip: ${PUBLIC}`, `sip_ip: ${sipIp}`));
    return (await check()).output;
  };

  test.each([
    [`${PUBLIC}:5066`, PUBLIC],
    ["$${local_ip_v4}:5066", PRIVATE],
    [":5066", PRIVATE],
    ["0.0.0.0:5066", PUBLIC],
  ])("it listens at %s, and %s is right", async (binding, sipIp) => {
    expect(await checked(binding, sipIp)).toMatch(/^ok /);
  });

  test.each([
    [`${PUBLIC}:5066`, PRIVATE, PUBLIC],
    [":5066", "127.0.0.1", PRIVATE],
    ["198.51.100.9:5066", PUBLIC, "198.51.100.9"],
  ])("it listens at %s, and %s is wrong", async (binding, sipIp, listens) => {
    expect(await checked(binding, sipIp)).toContain(
      `FAIL freeswitch.sip_ip in /${SFU} is ${sipIp}, not ${listens}, where FreeSWITCH listens for it at port 5066`,
    );
  });
});

test("a file that is no YAML is named, and none of it shown", async () => {
  host.put(LIVEKIT, "keys: [topsecret\n");
  const { code, output } = await set();
  expect(code).not.toBe(0);
  expect(output).toContain(`/${LIVEKIT} is no valid YAML (line 2)`);
  expect(output).not.toContain("topsecret");
});
