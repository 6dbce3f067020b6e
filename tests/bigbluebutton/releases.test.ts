import { bbbPorts, portRange, turnPorts } from "../../bigbluebutton/ports";
import { defaultRelease, releaseNames, releases } from "../../bigbluebutton/releases";

const all = Object.values(releases);

test("there is one row for every release, under its own name, in order", () => {
  expect(Object.keys(releases)).toEqual([...releaseNames]);
  for (const [key, release] of Object.entries(releases)) expect(release.name).toBe(key);
});

test("the default is the current stable release, the only one", () => {
  expect(all.filter(({ status }) => status === "current").map(({ name }) => name)).toEqual([defaultRelease]);
});

describe.each(all)("$name", (release) => {
  test("says where its facts come from", () => {
    expect(release.sources.length).toBeGreaterThan(0);
    for (const source of release.sources) expect(source).toMatch(/^https:\/\/\S+( \(.+\))?$/);
  });

  test("has an installer of a known revision, verified or with the reason why not; or says what is missing", () => {
    const { installer, installVersion, note } = release;
    if (!installer) {
      expect(release.name).toBe("xenial-20");
      expect(installVersion).toBeUndefined();
      expect(note).toContain("No installer");
      return;
    }
    expect(installVersion).toMatch(new RegExp(`^${release.codename}-`));
    expect(installer.url).toContain(`/bigbluebutton/bbb-install/${installer.revision}/`);
    if (installer.sha256 === undefined) {
      expect(installer.note).toMatch(/^Not verified: /);
    } else {
      expect(installer.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(installer.revision).toMatch(/^[0-9a-f]{40}$/);
    }
    expect(installer.flags).toEqual(expect.arrayContaining(["v", "s", "e", "c", "g"]));
  });

  test("names its Ubuntu alike in all its forms", () => {
    expect(release.images.hetzner).toBe(`ubuntu-${release.ubuntu}`);
    expect(release.images.aws).toContain(`ubuntu-${release.codename}-${release.ubuntu}-amd64`);
    expect(release.name).toBe(`${release.codename}-${release.version.replace(".", "")}`);
  });

  test("opens ports that are ports, each with its role, none twice", () => {
    for (const rules of [release.ports.bbb, release.ports.turn]) {
      for (const { from, to, role } of rules) {
        expect(from).toBeGreaterThan(0);
        expect(to).toBeGreaterThanOrEqual(from);
        expect(to).toBeLessThan(65536);
        // Hetzner's limit for a rule's description is 255, that of a security group's rule.
        expect(role).toMatch(/^[\w .,:;/-]{1,200}$/);
      }
      const ranges = rules.map((rule) => `${portRange(rule)}/${rule.protocol}`);
      expect(new Set(ranges).size).toBe(ranges.length);
    }
  });

  test("opens what every client needs, and the Flash era's ports only then", () => {
    const ranges = release.ports.bbb.map((rule) => `${portRange(rule)}/${rule.protocol}`);
    const expected = ["80/tcp", "443/tcp", "16384-32768/udp"];
    if (release.codename === "xenial") expected.push("1935/tcp", "5066/tcp", "7443/tcp");
    expect(ranges).toEqual(expected);
    expect(release.ports.turn.map((rule) => `${portRange(rule)}/${rule.protocol}`)).toEqual([
      "80/tcp",
      "443/tcp",
      "3478/tcp",
      "3478/udp",
      "32769-65535/udp",
    ]);
  });

  test("writes its TURN servers where that release reads them", () => {
    const { path, form } = release.turnXml;
    expect(path).toMatch(/^\/.*\/turn-stun-servers\.xml$/);
    expect(path.startsWith("/etc/bigbluebutton/")).toBe(Number(release.version) >= 2.6);
    expect(form).toBe(Number(release.version) >= 2.6 ? "override" : "legacy");
  });

  test("asks of its host what its installer asks", () => {
    expect(release.minimum).toEqual({
      memoryKb: 3_940_000,
      cores: Number(release.version) >= 2.5 ? 4 : 1,
      ipv6: Number(release.version) >= 2.6,
    });
  });
});

test("media and relay ranges meet without overlapping", () => {
  const media = bbbPorts.find(({ protocol }) => protocol === "udp")!;
  const relay = turnPorts.find(({ from, protocol }) => protocol === "udp" && from !== 3478)!;
  expect(relay.from).toBe(media.to + 1);
});
