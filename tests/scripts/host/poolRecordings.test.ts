/** Way of recordings from a pool's servers to its balancer: node_state.py there, pool_recordings.py here, and what lies between. */
import { execFileSync } from "node:child_process";
import { createHmac } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync } from "node:fs";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { MeetingsApi } from "./meetingsApi";
import { done, FakeHost, SCRIPTS } from "./scripts";
import { serveState, type StateService } from "./stateService";

const ID = `${"a".repeat(40)}-${Date.now() - 3_600_000}`;
const SECRET = "of-the-server";

let node: FakeHost;
let balancer: FakeHost;
let meetings: MeetingsApi;
let service: StateService;
/** In front of the service, as nginx is: it may cut an answer off. */
let front: Server;
let cutAfter: number | undefined;
let asked: string[];

beforeEach(async () => {
  [node, balancer] = [new FakeHost(), new FakeHost()];
  meetings = new MeetingsApi();
  await meetings.listen();
  node.put("etc/bigbluebutton/bbb-web.properties", `securitySalt=${SECRET}\n`);
  service = await serveState(node, meetings.url);
  const { port } = service;
  [cutAfter, asked] = [undefined, []];
  front = createServer((incoming, answer) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const passed = request(
      { port, path: incoming.url, method: incoming.method, headers: incoming.headers },
      (from) => {
        answer.writeHead(from.statusCode ?? 0, {
          "x-recording-bytes": from.headers["x-recording-bytes"] ?? "0",
        });
        let left = incoming.url!.includes("/recording") ? (cutAfter ?? Infinity) : Infinity;
        from.on("data", (part: Buffer) => {
          answer.write(part.subarray(0, left));
          left -= part.length;
          if (left <= 0) answer.end();
        });
        from.on("end", () => answer.end());
      },
    );
    passed.on("error", () => answer.destroy());
    incoming.pipe(passed);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  for (const place of ["spool", "published", "unpublished"])
    mkdirSync(join(balancer.root, "var/bigbluebutton", place), { recursive: true });
  mkdirSync(join(balancer.root, "var/lib/bbb-deploy/balancer/members"), { recursive: true });
  balancer.put(
    `var/lib/bbb-deploy/balancer/members/${name()}.json`,
    `{"secret":"${SECRET}","leaving":false}`,
  );
  balancer.put("known", "");
  balancer.put("deleted", "");
  // Scalelite's database, as far as it is asked.
  balancer.fake(
    "psql",
    `case "$*" in *deleted*) cat ${balancer.root}/deleted ;; *) cat ${balancer.root}/known ;; esac`,
  );
});
afterEach(() => {
  service.process.kill();
  front.close();
  front.closeAllConnections();
  meetings.close();
  node.remove();
  balancer.remove();
});

const name = () => `127.0.0.1:${(front.address() as AddressInfo).port}`;
const token = createHmac("sha256", SECRET).update("bbb-deploy node state").digest("hex");
const told = async () => {
  const answer = await fetch(`http://${name()}/bbb-deploy/state`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await answer.json()) as {
    unprocessed: string[];
    recordings: Record<string, Record<string, string>>;
  };
};
const waiting = async () =>
  Object.fromEntries(
    Object.entries((await told()).recordings).map(([id, forms]) => [id, Object.keys(forms)]),
  );

const METADATA = "<recording><published>true</published><state>published</state></recording>";
const publish = (form = "presentation", id = ID) => {
  node.put(`var/bigbluebutton/published/${form}/${id}/metadata.xml`, METADATA);
  node.put(`var/bigbluebutton/published/${form}/${id}/video/webcams.webm`, "x".repeat(3_000_000));
  node.put(`var/bigbluebutton/recording/status/published/${id}-${form}.done`, "");
};
const python = (code: string, env: NodeJS.ProcessEnv = {}) =>
  done(
    balancer.start(["/usr/bin/python3", "-B", ...code.split(" ")], {
      BBB_DEPLOY_SCHEME: "http",
      BBB_DEPLOY_PSQL: "psql",
      BBB_DEPLOY_RESERVE: "1000",
      ...env,
    }),
  );
const collect = (env?: NodeJS.ProcessEnv) => python(`${SCRIPTS}/pool_recordings.py collect`, env);
const here = (...names: string[]) => join(balancer.root, "var/bigbluebutton", ...names);
const spool = () => readdirSync(here("spool"));
const TAR = `${ID}.tar`;
/** As Scalelite's importer does. */
const importAll = (place = "published") => {
  for (const tar of spool()) {
    execFileSync("tar", ["-C", here(place), "-xf", here("spool", tar)]);
    rmSync(here("spool", tar));
  }
};
const report = () =>
  (
    JSON.parse(readFileSync(join(balancer.root, "var/lib/bbb-deploy/balancer/recordings.json"), "utf8")) as {
      servers: Record<string, { waiting: string[]; problem: string | null }>;
    }
  ).servers[name()]!;

test("what is published comes whole into the spool, and has arrived once it is where Scalelite puts it", async () => {
  publish();
  expect(await waiting()).toEqual({ [ID]: ["presentation"] });
  expect(await collect()).toEqual({ code: 0, output: "" });
  expect(spool()).toEqual([TAR]);
  // Neither the importer's slowness nor a second run is an arrival.
  await collect();
  expect(await waiting()).toEqual({ [ID]: ["presentation"] });
  importAll();
  expect(readFileSync(here("published/presentation", ID, "video/webcams.webm"), "utf8")).toHaveLength(
    3_000_000,
  );
  await collect();
  expect(await waiting()).toEqual({});
  expect(existsSync(join(node.root, "var/bigbluebutton/published/presentation", ID))).toBe(true);
  expect(readdirSync(join(balancer.root, "var/lib/bbb-deploy/balancer/recordings"))).toEqual([".lock"]);
});

test("a format that comes later, or is made anew, comes alone", async () => {
  publish();
  await collect();
  importAll();
  await collect();
  publish("video");
  expect(await waiting()).toEqual({ [ID]: ["video"] });
  await collect();
  expect(execFileSync("tar", ["-tf", here("spool", TAR)], { encoding: "utf8" })).not.toContain(
    "presentation",
  );
  importAll();
  await collect();
  const done = join(node.root, `var/bigbluebutton/recording/status/published/${ID}-video.done`);
  utimesSync(done, Date.now() / 1000 + 5, Date.now() / 1000 + 5);
  expect(await waiting()).toEqual({ [ID]: ["video"] });
});

test("a format of somebody else's comes, too", async () => {
  publish("mp4_small");
  await collect();
  expect(execFileSync("tar", ["-tf", here("spool", TAR)], { encoding: "utf8" })).toContain(
    `mp4_small/${ID}/metadata.xml`,
  );
});

test("one that front ends have hidden meanwhile comes hidden, and one that they have deleted does not", async () => {
  publish();
  await collect();
  importAll("unpublished");
  await collect();
  publish("video");
  await collect();
  importAll("unpublished");
  expect(readFileSync(here("unpublished/video", ID, "metadata.xml"), "utf8")).toBe(
    "<recording><published>false</published><state>unpublished</state></recording>",
  );
  await collect();
  publish("podcast");
  balancer.put("deleted", `${ID}\n`);
  await collect();
  expect(spool()).toEqual([]);
  expect(await waiting()).toEqual({});
});

test("what is cut off leaves nothing here, is told, and comes with the next run", async () => {
  publish();
  cutAfter = 1_500_000;
  expect((await collect()).output).toContain(`${name()}: ${ID}: it was cut off`);
  expect(spool()).toEqual([]);
  expect(report()).toEqual({ waiting: [ID], problem: `${ID}: it was cut off` });
  cutAfter = undefined;
  await collect();
  expect(spool()).toEqual([TAR]);
  expect(report()).toEqual({ waiting: [ID], problem: null });
});

test("a disk without room for it and for its unpacking takes nothing, and says so", async () => {
  publish();
  const { output } = await collect({ BBB_DEPLOY_RESERVE: String(10 ** 18) });
  expect(output).toMatch(/the balancer's disk of recordings has [\d.]+ GB free, and [\d.]+ GB are needed/);
  expect(spool()).toEqual([]);
  expect(await waiting()).toEqual({ [ID]: ["presentation"] });
});

test("one that the importer has left out is told, stays on its server, and is given to it once more later", async () => {
  publish();
  await collect();
  rmSync(here("spool", TAR));
  expect((await collect()).output).toContain("Scalelite's importer left out presentation of it");
  expect(spool()).toEqual([]);
  expect(await waiting()).toEqual({ [ID]: ["presentation"] });
  await collect({ BBB_DEPLOY_AGAIN_AFTER: "0" });
  expect(spool()).toEqual([TAR]);
});

test("a server that does not answer holds up no other, and is told", async () => {
  publish();
  balancer.put("var/lib/bbb-deploy/balancer/members/127.0.0.1:1.json", `{"secret":"x","leaving":false}`);
  expect((await collect()).output).toContain("127.0.0.1:1 does not tell which recordings it has");
  expect(spool()).toEqual([TAR]);
});

test("nobody without the token gets a recording, or says that one has arrived", async () => {
  publish();
  const without = { headers: { authorization: "Bearer x" } };
  const of = (path: string) => `http://${name()}/bbb-deploy/${path}`;
  expect((await fetch(of(`recording?id=${ID}&formats=presentation`), without)).status).toBe(404);
  const body = JSON.stringify({ id: ID, formats: (await told()).recordings[ID] });
  expect((await fetch(of("arrived"), { ...without, method: "POST", body })).status).toBe(404);
  expect(await waiting()).toEqual({ [ID]: ["presentation"] });
  const headers = { authorization: `Bearer ${token}` };
  for (const path of [
    "recording?id=../../etc&formats=presentation",
    `recording?id=${ID}&formats=../..`,
    "recording",
  ])
    expect((await fetch(of(path), { headers })).status).toBe(404);
  expect(
    (await fetch(of("arrived"), { headers, method: "POST", body: '{"id":"../x","formats":{}}' })).status,
  ).toBe(404);
});

describe("the way, without a recording", () => {
  const way = async () => {
    const code = `import sys; sys.path.insert(0, "${SCRIPTS}")
import checks, recordings_way_check
try: print(recordings_way_check.check_way(["${name()}"]))
except checks.Wrong as wrong: print("WRONG", wrong, wrong.remedy)`;
    const env = { BBB_DEPLOY_SCHEME: "http", BBB_DEPLOY_PSQL: "psql", BBB_DEPLOY_RESERVE: "1000" };
    return (await done(balancer.start(["/usr/bin/python3", "-B", "-c", code], env))).output;
  };

  test("is open, and leaves nothing", async () => {
    expect(await way()).toBe("the way is open from 1 of 1\n");
    expect(spool()).toEqual([]);
    expect(asked.at(-1)).toBe("GET /bbb-deploy/recording?id=probe");
  });

  test("is shut where its server is silent, or the spool is no place to write to", async () => {
    service.process.kill();
    expect(await way()).toMatch(/WRONG no recording comes from .*Nothing is lost/);
    renameSync(here("spool"), here("elsewhere"));
    expect(await way()).toContain("WRONG");
  });

  test("tells what is stuck on a server, and what the importer does not take", async () => {
    publish();
    cutAfter = 1_500_000;
    await collect();
    cutAfter = undefined;
    expect(await way()).toContain("not here yet");
    await collect();
    expect(await way()).toBe("the way is open from 1 of 1; 1 on their way\n");
    utimesSync(here("spool", TAR), Date.now() / 1000 - 7200, Date.now() / 1000 - 7200);
    expect(await way()).toContain("importer has not taken 1 recording for more than an hour");
  });
});

describe("what is here already", () => {
  const put = (place: string, id: string) =>
    balancer.put(`var/bigbluebutton/${place}/presentation/${id}/metadata.xml`, METADATA);

  test("is given to a Scalelite that does not know it; what was hidden stays so", async () => {
    const other = ID.replace(/^a/, "b");
    const known = ID.replace(/^a/, "c");
    put("published", ID);
    put("unpublished", other);
    put("published", known);
    balancer.put("known", `${known}\n`);
    const { code, output } = await python(`${SCRIPTS}/pool_recordings.py adopt`);
    expect([code, output]).toEqual([0, "2 recordings that were here already are given to Scalelite\n"]);
    expect(spool().sort()).toEqual([TAR, `${other}.tar`]);
    const text = execFileSync(
      "tar",
      ["-xOf", here("spool", `${other}.tar`), `presentation/${other}/metadata.xml`],
      { encoding: "utf8" },
    );
    expect(text).toContain("<published>false</published>");
  });

  test("goes after its days, by Scalelite's API and with what that leaves", async () => {
    const old = `${"b".repeat(40)}-${Date.now() - 8 * 86_400_000}`;
    put("published", ID);
    put("unpublished", old);
    balancer.put("etc/bbb-deploy/scalelite.env", "URL_HOST=bbb.test\nLOADBALANCER_SECRET=front\n");
    const calls: string[] = [];
    const api = createServer((incoming, answer) => {
      calls.push(`${incoming.headers.host} ${incoming.url!.split("&checksum")[0]}`);
      answer.end("<response><returncode>SUCCESS</returncode></response>");
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const { output } = await python(`${SCRIPTS}/pool_recordings.py expire --days 7`, { BBB_DEPLOY_API: url });
    api.close();
    expect(calls).toEqual([`bbb.test /bigbluebutton/api/deleteRecordings?recordID=${old}`]);
    expect(output).toBe(`${old} deleted after 7 days\n`);
    expect(existsSync(here("unpublished/presentation", old))).toBe(false);
    expect(existsSync(here("published/presentation", ID))).toBe(true);
  });
});

describe("on the server, afterwards", () => {
  const prune = () => done(node.start(["/usr/bin/python3", "-B", `${SCRIPTS}/node_recordings.py`, "prune"]));
  const arrive = async () => {
    publish();
    await collect();
    importAll();
    await collect();
  };
  const ago = (days: number) => {
    const at = Date.now() / 1000 - days * 86_400;
    utimesSync(join(node.root, "var/lib/bbb-deploy-node/arrived", ID), at, at);
  };
  beforeEach(() => node.fake("bbb-record"));

  test("what has arrived goes after the days of raw files, and what has not never", async () => {
    publish();
    await prune();
    await arrive();
    await prune();
    ago(13);
    await prune();
    expect(node.called("bbb-record")).toEqual([]);
    ago(15);
    publish("video");
    await prune();
    expect(node.called("bbb-record")).toEqual([]);
    await collect();
    importAll();
    await collect();
    ago(15);
    expect((await prune()).output).toBe(`${ID} deleted: the balancer has it\n`);
    expect(node.called("bbb-record")).toEqual([`bbb-record --delete ${ID}`]);
  });

  test("it goes with the end of a recording's own days, which are the balancer's for what is published", async () => {
    node.put(
      "etc/bbb-deploy/node-recordings.json",
      '{"formats":["presentation"],"rawDays":14,"publishedDays":1}',
    );
    const young = ID;
    await arrive();
    await prune();
    expect(node.called("bbb-record")).toEqual([]);
    node.put(
      "etc/bbb-deploy/node-recordings.json",
      '{"formats":["presentation"],"rawDays":14,"publishedDays":0.01}',
    );
    await prune();
    expect(node.called("bbb-record")).toEqual([`bbb-record --delete ${young}`]);
  });
});

describe("formats of the settings", () => {
  const settings = (at: number) => {
    node.put("etc/bbb-deploy/node-recordings.json", '{"formats":["presentation","video"]}');
    utimesSync(join(node.root, "etc/bbb-deploy/node-recordings.json"), at, at);
  };
  beforeEach(() => node.put(`var/bigbluebutton/recording/status/sanity/${ID}.done`, ""));

  test("a recording is in processing until it is published in each, or failed in it", async () => {
    settings(Date.now() / 1000 - 60);
    publish();
    expect((await told()).unprocessed).toEqual([ID]);
    node.put(`var/bigbluebutton/recording/status/processed/${ID}-video.fail`, "");
    expect((await told()).unprocessed).toEqual([]);
  });

  test("one from before the settings had them is done with what it has", async () => {
    settings(Date.now() / 1000 + 60);
    publish();
    expect((await told()).unprocessed).toEqual([]);
  });
});
