import { setTimeout as sleep } from "node:timers/promises";

import { accountObjects, checkpointReferences, references } from "../support/account";
import { publish, publishedSums, root } from "../support/backup";
import { meeting } from "../support/checks";
import { expectDeployed } from "../support/faults";
import { killWhen } from "../support/kill";
import { snapshots } from "../support/park";
import { replace } from "../support/replace";
import { IN_HETZNER_DNS, must, onHost, outputs, sandbox, update, type Outputs } from "../support/sandbox";
import { found, foundInHostLogs } from "../support/secrets";

/** A server of 3.0 that becomes one of 4.0 in its place, and the way back. One deployment. */

const { bbb: BBB } = IN_HETZNER_DNS;
const ADMIN = { name: "Ada Lovelace", email: "ada@example.test" };
const SETTINGS = ["--set", `greenlight=${JSON.stringify({ admin: ADMIN })}`];
const NEW = [...SETTINGS, "--set", "release=noble-40"];
const WEB = "/etc/bigbluebutton/bbb-web.properties";
const CONF = "/etc/nginx/conf.d/school.conf";

const QUERY = `
import sqlite3, sys
database = sqlite3.connect("/root/greenlight-v3/data/postgres/14/database_data/standin.sqlite3", isolation_level=None)
print("\\n".join("|".join(map(str, row)) for row in database.execute(sys.argv[1])))
`;
const rows = async (query: string) =>
  (await onHost(BBB, ["python3", "-c", QUERY, query])).trim().split("\n").filter(Boolean);
const users = () => rows("SELECT name, email, role FROM users ORDER BY email");
const rooms = () => rows("SELECT friendly_id, meeting_id, name, user FROM rooms");
const release = async () => (await onHost(BBB, ["cat", "/etc/bigbluebutton/bigbluebutton-release"])).trim();
const serverId = async () =>
  (await accountObjects()).find(({ kind, name }) => kind === "servers" && name === BBB)?.id;

let out: Outputs;
let sums: string;
let before: {
  readonly users: string[];
  readonly rooms: string[];
  readonly release: string;
  readonly id?: string;
};

/** Compares what must be as it was on whichever server. */
async function expectCarried(): Promise<void> {
  expect(await publishedSums(BBB)).toBe(sums);
  expect(await users()).toEqual(before.users);
  expect(await rooms()).toEqual(before.rooms);
  expect(await root(BBB, `cat ${CONF}`)).toBe("# ours\n");
  expect(await onHost(BBB, ["cat", WEB])).toMatch(/^defaultWelcomeMessage=Good morning$/m);
  const { sharedSecret, turnSecret, addresses } = await outputs();
  expect({ sharedSecret, turnSecret, addresses }).toEqual({
    sharedSecret: out.sharedSecret,
    turnSecret: out.turnSecret,
    addresses: out.addresses,
  });
  expect(references(await accountObjects())).toEqual(checkpointReferences("sandbox"));
}

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", SETTINGS);
  out = await outputs();
  await publish(BBB);
  await rows(
    "INSERT INTO users (id, name, email, password, role, status) VALUES ('1', 'Bea', 'bea@example.test', 'x', 'User', 'active')",
  );
  await rows("INSERT INTO rooms VALUES ('abc-def', 'meeting', 'Maths', '1')");
  await root(
    BBB,
    `printf 'defaultWelcomeMessage=Good morning\\nlockSettingsDisableNote=true\\n' >>${WEB}; echo '# ours' >${CONF}`,
  );
  sums = await publishedSums(BBB);
  before = { users: await users(), rooms: await rooms(), release: await release(), id: await serverId() };
  expect(before.release).toMatch(/3\.0/);
});

describe("refused before anything is touched", () => {
  afterEach(async () => {
    expect(await serverId()).toBe(before.id);
    expect(await snapshots()).toEqual([]);
  });

  test("while a meeting runs", async () => {
    await meeting("create", out);
    const { code, stderr } = await replace("sandbox", "--set", "release=noble-40");
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`1 meeting runs on ${BBB}; nothing was changed`),
    ]);
    await meeting("end", out);
  });

  test("by a way back without a replacement", async () => {
    const { code, stderr } = await replace("sandbox", "--back");
    expect([code, stderr]).toEqual([2, expect.stringContaining("there is nothing to go back to")]);
  });

  test("while something holds the volume: BigBlueButton is stopped, and the server keeps its disk", async () => {
    await root(
      BBB,
      "systemd-run --unit=holder sh -c 'exec 9</var/bigbluebutton/published/video/e2e-2/video.webm; sleep 600'",
    );
    const { code, stderr } = await replace("sandbox", "--set", "release=noble-40");
    expect([code, stderr]).toEqual([1, expect.stringMatching(/is still in use: fuser -vm/)]);
    await root(BBB, "systemctl stop holder; systemctl start docker bigbluebutton.target");
    await sleep(1000);
  });
});

test("an update to a release of another Ubuntu names the command", async () => {
  const { code, stdout, stderr } = await sandbox(["up", "--engine", "embedded", ...NEW]);
  expect(code).not.toBe(0);
  expect(stdout + stderr).toContain("./scripts/replace STACK");
  expect(await serverId()).toBe(before.id);
});

describe("3.0 becomes 4.0", () => {
  let printed: string;

  test("killed while the new server is made; the same command goes on", async () => {
    await killWhen(
      ["operator", "replace", "sandbox", "--set", "release=noble-40", "--yes", "--sandbox"],
      (output) => output.includes("making the new server"),
    );
    const { code, stdout, stderr } = await replace("sandbox");
    printed = stdout + stderr;
    expect([code, stderr]).toEqual([0, expect.stringContaining("sandbox has a new server")]);
    expect(await release()).toMatch(/4\.0/);
    expect(await serverId()).not.toBe(before.id);
    expect(await snapshots()).toMatchObject([{ labels: { purpose: "replaced", server: before.id } }]);
  });

  test("recordings, Greenlight, own keys and files are there by checksums and rows; secrets and addresses are the same", async () => {
    await expectCarried();
    expect(printed).toMatch(
      /lockSettingsDisableNote of bbb-web.properties was left out: BigBlueButton 4.0 does not have it/,
    );
    expect(await onHost(BBB, ["cat", WEB])).not.toMatch(/^lockSettingsDisableNote=/m);
    expect(printed).toContain("Greenlight is here with 2 users, 1 rooms");
  });

  test("it works, and the next update changes nothing", () => expectDeployed(NEW));

  test("no secret is in what was printed, or in a log", async () => {
    const secrets = [
      ["sharedSecret", out.sharedSecret],
      ["turnSecret", out.turnSecret],
    ] as const;
    expect(found(secrets, printed)).toEqual([]);
    expect(await foundInHostLogs(BBB, secrets)).toEqual([]);
  });
});

test("back after a recording was made: the old server as it was, with the new recording on the volume", async () => {
  await root(
    BBB,
    "install -d -o bigbluebutton -g bigbluebutton /var/bigbluebutton/published/video/e2e-3; echo new >/var/bigbluebutton/published/video/e2e-3/video.webm; chown -R bigbluebutton: /var/bigbluebutton/published/video/e2e-3",
  );
  sums = await publishedSums(BBB);
  const { code, stderr } = await replace("sandbox", "--back");
  expect([code, stderr]).toEqual([0, expect.stringContaining("sandbox is as it was before")]);
  expect(await release()).toBe(before.release);
  await expectCarried();
  expect(await onHost(BBB, ["cat", WEB])).toMatch(/^lockSettingsDisableNote=true$/m);
  expect(await snapshots()).toEqual([]);
  await expectDeployed(SETTINGS);
});
