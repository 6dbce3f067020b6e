import { publish, publishedSums, root } from "./backup";
import { meeting } from "./checks";
import { expectDeployed, up } from "./faults";
import { greenlightRows } from "./greenlight";
import { killWhen } from "./kill";
import type { Place } from "./places";
import { must, onHost, outputs, sandbox, type Outputs, type Result } from "./sandbox";
import { found, foundInHostLogs } from "./secrets";

/** Servers that another takes the place of, with what is to come over. */

/** Arguments of `./scripts/sandbox` for `scripts/replace STACK ARGS… --sandbox`, without a question. */
export const replaceArguments = (stack: string, ...args: string[]): string[] => [
  ...["operator", "replace", stack, ...args, "--yes", "--sandbox"],
];

/** Settings of a server with Greenlight and its administrator. */
export const WITH_GREENLIGHT = [
  ...[
    "--set",
    `greenlight=${JSON.stringify({ admin: { name: "Ada Lovelace", email: "ada@example.test" } })}`,
  ],
];
export const WEB = "/etc/bigbluebutton/bbb-web.properties";
const CONF = "/etc/nginx/conf.d/school.conf";

/** Server with recordings, users, rooms, and keys and files of its own. */
export function furnishedServer(place: Place) {
  const { bbb: fqdn } = place.names;
  const rows = (query: string) => greenlightRows(fqdn, query);
  const people = async () => [
    await rows("SELECT name, email, role FROM users ORDER BY email"),
    await rows("SELECT friendly_id, meeting_id, name, user_id FROM rooms"),
  ];
  let sums: string;
  let before: readonly string[][];
  let out: Outputs;

  return {
    /** Takes the recordings as they are now for those that must be there. */
    async countRecordings(): Promise<void> {
      sums = await publishedSums(fqdn);
    },
    release: async () => (await onHost(fqdn, ["cat", "/etc/bigbluebutton/bigbluebutton-release"])).trim(),
    id: async () => (await place.servers()).find(({ name }) => name === fqdn)?.id,
    async furnish(): Promise<void> {
      out = await outputs();
      await publish(fqdn);
      await rows(
        "INSERT INTO users (id, name, email, password, role, status) VALUES ('1', 'Bea', 'bea@example.test', 'x', 'User', 'active')",
      );
      await rows("INSERT INTO rooms VALUES ('abc-def', 'meeting', 'Maths', '1')");
      await root(
        fqdn,
        `printf 'defaultWelcomeMessage=Good morning\\nlockSettingsDisableNote=true\\n' >>${WEB}; echo '# ours' >${CONF}`,
      );
      sums = await publishedSums(fqdn);
      before = await people();
      expect(before.map((rows) => rows.length)).toEqual([2, 1]);
    },
    /** Makes one more recording, as BigBlueButton would. */
    async record(): Promise<void> {
      const made = "/var/bigbluebutton/published/video/e2e-3";
      await root(fqdn, `install -d ${made}; echo new >${made}/video.webm; chown -R bigbluebutton: ${made}`);
      sums = await publishedSums(fqdn);
    },
    /** Compares what must be as it was, on whichever server. */
    async expectCarried(): Promise<void> {
      expect(await publishedSums(fqdn)).toBe(sums);
      expect(await people()).toEqual(before);
      expect(await root(fqdn, `cat ${CONF}`)).toBe("# ours\n");
      expect(await onHost(fqdn, ["cat", WEB])).toMatch(/^defaultWelcomeMessage=Good morning$/m);
      const { sharedSecret, turnSecret, addresses } = out;
      expect(await outputs()).toMatchObject({ sharedSecret, turnSecret, addresses });
      await place.expectRecorded("sandbox");
    },
    /** Expects what an importer to 4.0 tells and leaves out. */
    async expectListed(printed: string): Promise<void> {
      expect(printed).toMatch(
        /lockSettingsDisableNote of bbb-web.properties was left out: BigBlueButton 4.0 does not have it/,
      );
      expect(await onHost(fqdn, ["cat", WEB])).not.toMatch(/^lockSettingsDisableNote=/m);
      expect(printed).toContain("Greenlight is here with 2 users, 1 rooms");
    },
  };
}

/** A server of 3.0 that becomes one of 4.0 in its place, and the way back, where nothing fails but the command's machine. */
export function replaceTests(place: Place): void {
  const { bbb: BBB } = place.names;
  const RELEASE = ["--set", "release=noble-40"];
  const own = furnishedServer(place);
  let out: Outputs;
  let before: { readonly release: string; readonly id?: string };
  const replace = (...args: string[]): Promise<Result> =>
    sandbox(replaceArguments("sandbox", ...args), { timeoutSeconds: 900 });

  beforeAll(async () => {
    await must(["reset"]);
    await up(...place.first, ...WITH_GREENLIGHT);
    out = await outputs();
    await own.furnish();
    before = { release: await own.release(), id: await own.id() };
    expect(before.release).toMatch(/3\.0/);
  });

  test("while a meeting runs it is refused, and nothing is touched", async () => {
    await meeting("create", out);
    const { code, stderr } = await replace(...RELEASE);
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`1 meeting runs on ${BBB}; nothing was changed`),
    ]);
    await meeting("end", out);
    expect([await own.id(), await place.snapshots()]).toEqual([before.id, []]);
  });

  test("killed as its disk becomes a snapshot, and as the new one is made: the same command goes on", async () => {
    const killed = (moment: string, ...args: string[]) =>
      killWhen(replaceArguments("sandbox", ...args), (output) => output.includes(moment));
    await killed("making a snapshot of the server's disk", ...RELEASE);
    await killed("making the new server");
    expect(await place.snapshots()).toMatchObject([{ labels: { purpose: "replaced", server: before.id } }]);
  });

  test("then: 4.0 with recordings, users, rooms and files of before, at the same addresses", async () => {
    const { code, stdout, stderr } = await replace();
    expect([code, stderr]).toEqual([0, expect.stringContaining("sandbox has a new server")]);
    expect(await own.release()).toMatch(/4\.0/);
    expect(await own.id()).not.toBe(before.id);
    expect(await place.snapshots()).toMatchObject([{ labels: { purpose: "replaced", server: before.id } }]);
    await own.expectCarried();
    await own.expectListed(stdout + stderr);
    await expectDeployed([...WITH_GREENLIGHT, ...RELEASE]);
    const secrets = [
      ["sharedSecret", out.sharedSecret],
      ["turnSecret", out.turnSecret],
    ] as const;
    expect(found(secrets, stdout + stderr)).toEqual([]);
    expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
  });

  test("back after a recording was made: the old server as it was, with the new recording on the volume", async () => {
    await own.record();
    const { code, stderr } = await replace("--back");
    expect([code, stderr]).toEqual([0, expect.stringContaining("sandbox is as it was before")]);
    expect(await own.release()).toBe(before.release);
    await own.expectCarried();
    expect(await onHost(BBB, ["cat", WEB])).toMatch(/^lockSettingsDisableNote=true$/m);
    expect(await place.snapshots()).toEqual([]);
    await expectDeployed(WITH_GREENLIGHT);
  });
}
