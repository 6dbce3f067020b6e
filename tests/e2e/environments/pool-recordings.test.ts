/** Recordings of a pool: gathered on the balancer's volume, played from there, and kept by their server until then. */
import { signedApiUrl } from "../../../bigbluebutton/api";
import { accountObjects } from "../support/account";
import { must, onHost, outside, tryUpdate, update } from "../support/sandbox";

const BALANCER = "bbb.example.test";
const LIB = "/usr/local/lib/bbb-deploy";
const node = (number: number) => `bbb-${number}.example.test`;

const given = (servers: number) => [
  ...["--set", `servers=${servers}`, "--set", "recordingsGb=10", "--set", "drainMinutes=0"],
  ...["--set", 'meetings={"recording":"always"}', "--set", 'recordings={"publishedDays":30}'],
];
const up = (servers: number) => update("up", "embedded", given(servers));

interface Outputs {
  readonly apiUrl: string;
  readonly sharedSecret: string;
}
let out: Outputs;

const call = async (name: string, parameters: Readonly<Record<string, string>> = {}) =>
  (await outside(["curl", "-sS", signedApiUrl(out.apiUrl, name, parameters, out.sharedSecret)])).stdout;
const fetched = async (url: string) => {
  const { stdout } = await outside(["curl", "-sSL", "-o", "/dev/null", "-w", "%{http_code}", url]);
  return Number(stdout);
};
const shell = (fqdn: string, text: string) => onHost(fqdn, ["bash", "-ec", text]);

const PASSWORDS = { moderatorPW: "moderator", attendeePW: "attendee" };
/** Server on which a meeting is. */
const serverOf = async (id: string) => {
  const parameters = { fullName: "Pupil", meetingID: id, password: "attendee" };
  const url = signedApiUrl(out.apiUrl, "join", parameters, out.sharedSecret);
  const { stdout } = await outside(["curl", "-sS", "-o", "/dev/null", "-w", "%{redirect_url}", url]);
  return new URL(stdout).hostname;
};
/** Makes meetings that are recorded, which go to the servers in turn, and ends them. @returns servers by meeting */
const record = async (...ids: string[]) => {
  const servers: Record<string, string> = {};
  for (const id of ids) {
    const answer = await call("create", { meetingID: id, name: id, record: "true", ...PASSWORDS });
    expect(answer).toContain("<returncode>SUCCESS</returncode>");
    servers[id] = await serverOf(id);
    // Load counts from the next poll on.
    await onHost(BALANCER, ["docker", "exec", "scalelite-api", "bin/rake", "poll:all"]);
  }
  for (const id of ids)
    expect(await call("end", { meetingID: id, password: "moderator" })).toContain("SUCCESS");
  return servers;
};
/** Makes a meeting that is recorded on a server by its own API, and ends it. */
const recordOn = async (number: number, id: string) => {
  const properties = await onHost(node(number), ["cat", "/etc/bigbluebutton/bbb-web.properties"]);
  const [, secret = ""] = /securitySalt=(\S+)/.exec(properties) ?? [];
  const own = async (name: string, parameters: Readonly<Record<string, string>>) => {
    const url = signedApiUrl(`https://${node(number)}/bigbluebutton/api`, name, parameters, secret);
    expect((await outside(["curl", "-sS", url])).stdout).toContain("<returncode>SUCCESS</returncode>");
  };
  await own("create", { meetingID: id, name: id, record: "true", ...PASSWORDS });
  await own("end", { meetingID: id, password: "moderator" });
};

interface Found {
  readonly meeting: string;
  readonly id: string;
  readonly url: string;
}
const recordings = async (state = "published,unpublished"): Promise<Found[]> =>
  [...(await call("getRecordings", { state })).matchAll(/<recording>.*?<\/recording>/gs)].map(([text]) => ({
    meeting: /<meetingID>(.*?)</.exec(text)![1]!,
    id: /<recordID>(.*?)</.exec(text)![1]!,
    url: /<url>(.*?)</.exec(text)?.[1] ?? "",
  }));
/** What a server tells its balancer. */
const stateOf = async (fqdn: string) =>
  JSON.parse(
    await onHost(fqdn, ["python3", "-B", "/usr/local/lib/bbb-deploy-state/node_state.py", "--ask"]),
  ) as { unprocessed: string[]; recordings: Record<string, object> };
/** As the timer does each minute. */
const collect = () => onHost(BALANCER, ["systemctl", "start", "bbb-deploy-collect.service"]);
const until = async (what: string, isSo: () => Promise<boolean>, seconds = 120) => {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  throw new Error(`not within ${seconds} s: ${what}`);
};
const published = (fqdn: string) =>
  until(`${fqdn} has published`, async () => (await stateOf(fqdn)).unprocessed.length === 0);
/** Waits until nothing of a server is missing on the balancer. */
const arrived = (fqdn: string) =>
  until(`all of ${fqdn} has arrived`, async () => {
    await collect();
    return Object.keys((await stateOf(fqdn)).recordings).length === 0;
  });
const checked = () =>
  shell(
    BALANCER,
    `cd ${LIB} && python3 -B -c '
import checks, pool, recordings_way_check
try: print(recordings_way_check.check_way(list(pool.members())))
except checks.Wrong as wrong: print(type(wrong).__name__, wrong, wrong.remedy)'`,
  );
const FILLER = "/var/bigbluebutton/filler";
const fill = () =>
  shell(
    BALANCER,
    `fallocate -l $(($(df --output=avail -B1 /var/bigbluebutton | tail -n 1) - 100000000)) ${FILLER}`,
  );

let first: Found;
let second: Found;

beforeAll(async () => {
  await must(["reset"]);
  const { stdout } = await up(2);
  expect(stdout).toMatch(/\+ +command:remote:Command balancer-gather created/);
  out = JSON.parse(await must(["outputs", "--json", "--show-secrets"])) as Outputs;
});

test("recordings are on the volume of the balancer, and its servers have none", async () => {
  for (const place of ["/srv/bigbluebutton", "/var/bigbluebutton"])
    expect(await onHost(BALANCER, ["mountpoint", place])).toContain("is a mountpoint");
  const volumes = (await accountObjects()).filter(({ kind }) => kind === "volumes");
  expect(volumes.map(({ name }) => name)).toEqual([`${BALANCER}-recordings`]);
  expect(await checked()).toContain("the way is open from 2 of 2");
  expect(await shell(BALANCER, "ls -A /var/bigbluebutton/spool")).toBe("");
});

describe("a recorded meeting on each server", () => {
  test("both are in the balancer's list, by its own name", async () => {
    const servers = await record("one", "two");
    const [one, other] = [1, 2].map((number) =>
      Object.keys(servers).find((id) => servers[id] === node(number)),
    );
    expect([one, other]).not.toContain(undefined);
    for (const fqdn of [node(1), node(2)]) {
      await published(fqdn);
      await arrived(fqdn);
    }
    const found = await recordings();
    [first, second] = [one, other].map((id) => found.find(({ meeting }) => meeting === id)!) as [
      Found,
      Found,
    ];
    for (const { url, id } of [first, second]) {
      expect(url).toBe(`https://${BALANCER}/playback/presentation/2.3/${id}`);
      expect(await fetched(url)).toBe(200);
      expect(await fetched(`https://${BALANCER}/presentation/${id}/metadata.xml`)).toBe(200);
      expect(await fetched(`https://${BALANCER}/recording/${id}/presentation`)).toBe(200);
    }
    expect(await call("getRecordings")).not.toMatch(/bbb-[12]\./);
  });

  test("their servers keep theirs, for the days of raw files", async () => {
    expect(await onHost(node(1), ["ls", "/var/bigbluebutton/published/presentation"])).toContain(first.id);
    await onHost(node(1), ["/etc/cron.daily/bbb-deploy-arrived"]);
    expect(await onHost(node(1), ["ls", "/var/bigbluebutton/published/presentation"])).toContain(first.id);
    await onHost(node(1), ["touch", "-d", "20 days ago", `/var/lib/bbb-deploy-node/arrived/${first.id}`]);
    await onHost(node(1), ["/etc/cron.daily/bbb-deploy-arrived"]);
    expect(await onHost(node(1), ["ls", "/var/bigbluebutton/published/presentation"])).not.toContain(
      first.id,
    );
    expect(await fetched(first.url)).toBe(200);
  });

  test("front ends hide, show, name and delete them there", async () => {
    const file = `https://${BALANCER}/presentation/${first.id}/metadata.xml`;
    await call("publishRecordings", { recordID: first.id, publish: "false" });
    expect(await fetched(file)).toBe(404);
    await call("publishRecordings", { recordID: first.id, publish: "true" });
    expect(await fetched(file)).toBe(200);
    expect(await call("updateRecordings", { recordID: first.id, meta_room: "7" })).toContain("true");
    expect(await call("getRecordings", { recordID: first.id })).toContain("<room>7</room>");
    await call("deleteRecordings", { recordID: second.id });
    expect(await fetched(second.url.replace("playback/presentation/2.3", "presentation"))).toBe(404);
    await collect();
    expect((await recordings()).map(({ id }) => id)).not.toContain(second.id);
  });

  test("none of it is lost with Scalelite's memory, and a volume's are taken over by a Scalelite that does not know them", async () => {
    await onHost(BALANCER, ["redis-cli", "FLUSHALL"]);
    await onHost(BALANCER, ["systemctl", "start", "bbb-deploy-pool"]);
    expect((await recordings()).map(({ id }) => id)).toContain(first.id);
    await shell(BALANCER, "runuser -u postgres -- psql -q -d scalelite -c 'DELETE FROM recordings'");
    expect(await recordings()).toEqual([]);
    await onHost(BALANCER, ["python3", "-B", `${LIB}/pool_recordings.py`, "adopt"]);
    await until("it is known again", async () => (await recordings()).some(({ id }) => id === first.id));
    expect(await fetched(first.url)).toBe(200);
  });

  test("they go after the setting's days", async () => {
    const old = `${"c".repeat(40)}-${Date.now() - 31 * 86_400_000}`;
    await shell(
      BALANCER,
      `cd /var/bigbluebutton/published/presentation && cp -a ${first.id} ${old} && sed -i s/${first.id}/${old}/g ${old}/metadata.xml && python3 -B ${LIB}/pool_recordings.py adopt`,
    );
    await until("it is known", async () => (await recordings()).some(({ id }) => id === old));
    await onHost(BALANCER, ["/etc/cron.daily/bbb-deploy-recordings"]);
    expect((await recordings()).map(({ id }) => id)).toEqual([first.id]);
    expect(await shell(BALANCER, "ls /var/bigbluebutton/published/presentation")).not.toContain(old);
  });
});

describe("a server's recording that can't come stays there, and comes later", () => {
  test("while the balancer is off", async () => {
    await shell(BALANCER, "systemctl stop bbb-deploy-collect.timer nginx");
    // The server itself goes on: what runs on it needs no balancer.
    await recordOn(1, "late");
    await published(node(1));
    expect(Object.keys((await stateOf(node(1))).recordings)).toHaveLength(1);
    await shell(BALANCER, "systemctl start nginx bbb-deploy-collect.timer");
    await arrived(node(1));
    expect((await recordings()).map(({ meeting }) => meeting)).toContain("late");
  });

  test("while the disk of recordings is full, which the check tells", async () => {
    await fill();
    await recordOn(2, "full");
    await published(node(2));
    await collect();
    expect(Object.keys((await stateOf(node(2))).recordings)).toHaveLength(1);
    const told = await checked();
    expect(told).toContain("Doubtful");
    expect(told).toMatch(/the balancer's disk of recordings has 0\.\d GB free/);
    expect(told).toContain("Nothing is lost");
    expect(await shell(BALANCER, "ls -A /var/bigbluebutton/spool")).toBe("");
    await onHost(BALANCER, ["rm", FILLER]);
    await arrived(node(2));
    expect((await recordings()).map(({ meeting }) => meeting)).toContain("full");
    expect(await checked()).toContain("the way is open from 2 of 2");
  });
});

describe("from two servers to one", () => {
  const refused = async (words: string | RegExp) => {
    const { code, stdout, stderr } = await tryUpdate("up", "embedded", given(1));
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(words);
    expect(stdout + stderr).toContain(`${node(2)} stays`);
  };
  test("is refused while a recording is in processing on the second", async () => {
    await onHost(node(2), ["systemctl", "stop", "bbb-rap-resque-worker"]);
    await recordOn(2, "last");
    await refused("it still has 1 recording that is not processed yet");
  });

  test("and while one is not on the balancer yet, with the reason", async () => {
    await shell(BALANCER, "mount -t tmpfs -o size=1m tmpfs /var/bigbluebutton/spool");
    await onHost(node(2), ["systemctl", "start", "bbb-rap-resque-worker"]);
    await published(node(2));
    await collect();
    await refused(/it still has 1 recording that is not on the balancer yet \(.*disk of recordings has/);
    await onHost(BALANCER, ["umount", "/var/bigbluebutton/spool"]);
  });

  test("then it goes, and its recordings are played", async () => {
    await arrived(node(2));
    await up(1);
    const found = (await recordings()).find(({ meeting }) => meeting === "last")!;
    expect(await fetched(found.url)).toBe(200);
    expect(await fetched(`https://${BALANCER}/presentation/${found.id}/metadata.xml`)).toBe(200);
    expect((await up(1)).stdout).toMatch(/Resources:\n +\d+ unchanged\n/);
  });
});

test("destroy leaves nothing", async () => {
  await update("destroy", "embedded");
  expect(await accountObjects()).toEqual([]);
});
