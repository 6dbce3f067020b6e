import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, createHmac } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { apiChecksum } from "../../../bigbluebutton/api";
import { renderTurnStunServers } from "../../../bigbluebutton/turnStunServers";
import { packaged } from "./standin";

const SERVER = packaged("bbb-web", "usr/lib/bbb-standin/bbb_web.py");
const SECRET = "639259d4-9dd8-4b25-bf01-95f9567eaf4b";
const PYTHON = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };

let root: string;
let server: ChildProcess | undefined;
let base: string;

function configure(release: string, properties: string, turnXml?: string): void {
  const classes = join(root, "usr/share/bbb-web/WEB-INF/classes");
  mkdirSync(join(root, "etc/bigbluebutton"), { recursive: true });
  cpSync(packaged("bbb-web", "usr/share/bbb-web/WEB-INF/classes"), classes, { recursive: true });
  writeFileSync(join(root, "etc/bigbluebutton/bigbluebutton-release"), `BIGBLUEBUTTON_RELEASE=${release}\n`);
  writeFileSync(
    join(root, "etc/bigbluebutton/bbb-web.properties"),
    `bigbluebutton.web.serverURL=https://bbb.example.test\nsecuritySalt=${SECRET}\n${properties}`,
  );
  if (turnXml) writeFileSync(join(root, "etc/bigbluebutton/turn-stun-servers.xml"), turnXml);
}

async function start(): Promise<void> {
  server = spawn("/usr/bin/python3", [SERVER, "--root", root, "--port", "0"], { env: PYTHON });
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: server!.stdout! }).once("line", (line) => resolve(line.split(":").at(-1)!));
    server!.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
  });
  base = `http://127.0.0.1:${port}/bigbluebutton/api`;
}

const key = (answer: string): string | undefined => /<messageKey>(.*?)<\/messageKey>/.exec(answer)?.[1];
const field = (answer: string, name: string): string | undefined =>
  new RegExp(`<${name}>(.*?)</${name}>`).exec(answer)?.[1];

type Algorithm = Parameters<typeof apiChecksum>[3];
function signed(call: string, query = "", algorithm: Algorithm = "sha256", secret = SECRET): string {
  return `${base}/${call}?${query}${query && "&"}checksum=${apiChecksum(call, query, secret, algorithm)}`;
}
const ask = async (...args: Parameters<typeof signed>): Promise<string> =>
  (await fetch(signed(...args))).text();

beforeEach(() => (root = mkdtempSync(join(tmpdir(), "bbb-web-"))));
afterEach(() => {
  server?.removeAllListeners("exit");
  server?.kill();
  server = undefined;
  rmSync(root, { recursive: true });
});

describe.each([
  ["3.0", "", "freeswitch\n"],
  ["4.0", "", "livekit\n"],
  ["4.0", "audioBridge=bbb-webrtc-sfu\n", "bbb-webrtc-sfu\n"],
])("telephones, with %s and %j", (line, properties, bridge) => {
  test("a meeting that somebody is in has a file of its number, which says who has its sound", async () => {
    configure(`${line}.1-standin`, `defaultNumDigitsForTelVoice=7\n${properties}`);
    const directory = join(root, "run/bbb-web");
    mkdirSync(directory, { recursive: true });
    await start();
    const number = field(await ask("create", "name=M&meetingID=room"), "voiceBridge")!;
    expect(number).toMatch(/^[1-9]\d{6}$/);
    expect(readdirSync(directory)).toEqual([]);
    const response = await fetch(signed("join", "meetingID=room&fullName=L&role=MODERATOR&redirect=false"));
    const token = field(await response.text(), "session_token")!;
    const cookie = response.headers.get("set-cookie")!.split(";")[0]!;
    await fetch(`${base}/enter?sessionToken=${token}`, { headers: { cookie } });
    expect(readdirSync(directory)).toEqual([number]);
    expect(readFileSync(join(directory, number), "utf8")).toBe(bridge);
    await ask("end", "meetingID=room");
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe("3.0", () => {
  const xml = renderTurnStunServers({ form: "override", host: "turn.example.test", secret: "north" });
  beforeEach(async () => {
    configure("3.0.26-standin", "", xml);
    await start();
  });

  test("takes the checksums of BigBlueButton's own documentation", async () => {
    const create = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444";
    const digest = "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17";
    const answer = await (await fetch(`${base}/create?${create}&checksum=${digest}`)).text();
    expect(field(answer, "returncode")).toBe("SUCCESS");
    expect(field(answer, "attendeePW")).toBe("111222");
    expect(field(answer, "internalMeetingID")).toMatch(
      new RegExp(`^${createHash("sha1").update("abc123").digest("hex")}-\\d{13}$`),
    );
    for (const checksum of [
      "2027baa7771026e9e93392f55031535d1444c41f",
      "a5370c5f3d97d56d53b435684cdbc429c2898a3bf9f435518b4279e1e0dbfc8c",
    ]) {
      const meetings = await (await fetch(`${base}/getMeetings?checksum=${checksum}`)).text();
      expect(field(meetings, "meetingID")).toBe("abc123");
    }
  });

  test.each(["sha1", "sha256", "sha384", "sha512"] as const)("tells %s by its length", async (algorithm) => {
    expect(key(await ask("getMeetings", "", algorithm))).toBe("noMeetings");
    expect(key(await ask("getMeetings", "", algorithm, "wrong"))).toBe("checksumError");
  });

  test("takes the checksum out of the query wherever it stands", async () => {
    const checksum = apiChecksum("isMeetingRunning", "meetingID=0", SECRET);
    const answer = await (await fetch(`${base}/isMeetingRunning?checksum=${checksum}&meetingID=0`)).text();
    expect(answer).toBe("<response><returncode>SUCCESS</returncode><running>false</running></response>");
  });

  test("refuses a call without a checksum, but for the index", async () => {
    expect(await (await fetch(`${base}/getMeetings`)).text()).toBe(
      "<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey>" +
        "<message>You must provide the checksum</message></response>",
    );
    const index = await fetch(base);
    expect(index.headers.get("content-type")).toContain("text/xml");
    expect(index.headers.get("cache-control")).toBe("no-cache");
    expect(await index.text()).toBe(
      "<response><returncode>SUCCESS</returncode><version>2.0</version><apiVersion>2.0</apiVersion><bbbVersion/>" +
        "<graphqlWebsocketUrl>wss://bbb.example.test/graphql</graphqlWebsocketUrl>" +
        "<graphqlApiUrl>https://bbb.example.test/api/rest</graphqlApiUrl></response>",
    );
  });

  test.each([
    ["create", "name=a", "missingParamMeetingID"],
    ["create", "name=a&meetingID=x", "sizeError"],
    ["create", "name=a&meetingID=x,y", "validationError"],
    ["getMeetingInfo", "meetingID=none", "notFound"],
    ["end", "meetingID=none", "notFound"],
    ["join", "meetingID=none&fullName=A&role=VIEWER&redirect=false", "invalidMeetingIdentifier"],
    ["join", "meetingID=none&role=VIEWER&redirect=false", "missingParamFullName"],
    ["nonsense", "", "unsupportedRequest"],
  ])("%s?%s fails with %s", async (call, query, expected) => {
    expect(key(await ask(call, query))).toBe(expected);
  });

  test("makes a meeting once, however often it is asked to", async () => {
    const first = await ask("create", "name=a&meetingID=room&attendeePW=p");
    const second = await ask("create", "name=a&meetingID=room&attendeePW=p");
    expect(field(second, "createTime")).toBe(field(first, "createTime"));
    expect(key(second)).toBe("duplicateWarning");
    expect(key(await ask("create", "name=a&meetingID=room&attendeePW=other"))).toBe("idNotUnique");
  });

  test("runs a meeting from its first participant to its end", async () => {
    await ask("create", "name=a&meetingID=room&moderatorPW=m");
    expect(await ask("isMeetingRunning", "meetingID=room")).toContain("<running>false</running>");
    const joined = await fetch(signed("join", "meetingID=room&fullName=Ann&password=m&redirect=false"));
    const cookie = joined.headers.get("set-cookie")!.split(";")[0]!;
    const token = field(await joined.text(), "session_token")!;
    expect(token).toMatch(/^[a-z0-9]{16}$/);
    await fetch(`${base}/enter?sessionToken=${token}`, { headers: { cookie } });
    expect(await ask("isMeetingRunning", "meetingID=room")).toContain("<running>true</running>");
    expect(await ask("getMeetingInfo", "meetingID=room")).toContain("<moderatorCount>1</moderatorCount>");
    expect(key(await ask("end", "meetingID=room&password=wrong"))).toBe("invalidPassword");
    expect(key(await ask("end", "meetingID=room&password=m"))).toBe("sentEndMeetingRequest");
    expect(key(await ask("getMeetings"))).toBe("noMeetings");
  });

  test("sends a browser to the client, or back with what went wrong", async () => {
    await ask("create", "name=a&meetingID=room");
    const query = "meetingID=room&fullName=Ann&role=VIEWER";
    const joined = await fetch(signed("join", query), { redirect: "manual" });
    expect(joined.status).toBe(302);
    expect(joined.headers.get("location")).toMatch(
      /^https:\/\/bbb\.example\.test\/html5client\/\?sessionToken=\w{16}$/,
    );
    const refused = await fetch(signed("join", "meetingID=none&fullName=Ann&role=VIEWER"), {
      redirect: "manual",
    });
    expect(refused.headers.get("location")).toContain("invalidMeetingIdentifier");
  });

  test("hands out TURN credentials that the configured secret makes, and only within a session", async () => {
    await ask("create", "name=a&meetingID=room");
    const joined = await fetch(signed("join", "meetingID=room&fullName=Ann&role=VIEWER&redirect=false"));
    const cookie = joined.headers.get("set-cookie")!.split(";")[0]!;
    const answer = await joined.text();
    const url = `${base}/stuns?sessionToken=${field(answer, "session_token")}`;
    const { stunServers, turnServers } = (await (await fetch(url, { headers: { cookie } })).json()) as {
      stunServers: unknown[];
      turnServers: { username: string; password: string; url: string; ttl: number }[];
    };
    expect(stunServers).toEqual([]);
    expect(turnServers.map((turn) => turn.url)).toEqual([
      "turn:turn.example.test:3478",
      "turns:turn.example.test:443?transport=tcp",
    ]);
    for (const { username, password, ttl } of turnServers) {
      const [expiry, user] = username.split(":");
      expect(user).toBe(field(answer, "user_id"));
      expect(Math.abs(Number(expiry) - ttl - Date.now() / 1000)).toBeLessThan(10);
      expect(password).toBe(createHmac("sha1", "north").update(username).digest("base64"));
    }
    expect(await (await fetch(url)).json()).toMatchObject({ returncode: "FAILED" });
  });

  test("takes posts as the current releases do", async () => {
    const post = (call: string, type: string | undefined, body: string) =>
      fetch(signed(call), { method: "POST", body, headers: type ? { "content-type": type } : {} });
    expect((await post("join", "application/x-www-form-urlencoded", "a=b")).status).toBe(405);
    expect(key(await (await post("getMeetings", "text/plain", "x")).text())).toBe("unsupportedContentType");
    expect(key(await (await post("insertDocument", "application/x-www-form-urlencoded", "a=b")).text())).toBe(
      "unsupportedContentType",
    );
    const form = "meetingID=room&name=a";
    const created = await fetch(`${base}/create?meetingID=smuggled`, {
      method: "POST",
      body: `${form}&checksum=${apiChecksum("create", form, SECRET)}`,
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
    expect(field(await created.text(), "meetingID")).toBe("room");
  });

  test("leaves a recording's files behind a recorded meeting, and lists it", async () => {
    expect(key(await ask("getRecordings"))).toBe("noRecordings");
    const id = field(await ask("create", "name=a&meetingID=room&record=true"), "internalMeetingID")!;
    await ask("end", "meetingID=room");
    const base = join(root, "var/bigbluebutton");
    expect(readFileSync(join(base, "recording/raw", id, "events.xml"), "utf8")).toContain(
      'externalId="room"',
    );
    expect(readdirSync(join(base, "recording/status/recorded"))).toEqual([`${id}.done`]);
    expect(key(await ask("getRecordings"))).toBe("noRecordings");
    cpSync(packaged("bbb-record-core", "usr/local"), join(root, "usr/local"), { recursive: true });
    const worker = packaged("bbb-record-core", "usr/lib/bbb-standin/rap_worker.py");
    expect(spawnSync("/usr/bin/python3", ["-B", worker, "--root", root, "--once"]).status).toBe(0);
    expect(field(await ask("getRecordings", "meetingID=room"), "recordID")).toBe(id);
    await ask("create", "name=a&meetingID=silent");
    await ask("end", "meetingID=silent");
    expect(readdirSync(join(base, "recording/raw"))).toEqual([id]);
  });
});

test("follows its settings: version told, an algorithm left out, the API switched off", async () => {
  configure("3.0.26-standin", "allowRevealOfBBBVersion=true\nsupportedChecksumAlgorithms=sha256\n");
  await start();
  expect(field(await (await fetch(base)).text(), "bbbVersion")).toBe("3.0.26-standin");
  expect(key(await ask("getMeetings", "", "sha1"))).toBe("checksumError");
  expect(key(await ask("getMeetings"))).toBe("noMeetings");
  server!.removeAllListeners("exit");
  server!.kill();
  configure("2.7.18-standin", "serviceEnabled=false\n");
  await start();
  expect(key(await ask("getMeetings"))).toBe("apiNotEnabled");
  expect(await (await fetch(base)).text()).not.toContain("graphql");
});

test.each([
  ["is cut off", "<beans>"],
  [
    "refers to a bean that is not there",
    '<beans><bean id="s" class="x.StunTurnService"><property name="turnServers"><set><ref bean="turn9"/></set></property></bean></beans>',
  ],
])("does not start with a turn-stun-servers.xml that %s", (_, xml) => {
  configure("3.0.26-standin", "", xml);
  const { status, stderr } = spawnSync("/usr/bin/python3", [SERVER, "--root", root, "--port", "0"], {
    encoding: "utf8",
    env: PYTHON,
  });
  expect(status).toBe(1);
  expect(stderr).toContain("bbb-web (stand-in) cannot start");
});

test("makes the TURN credentials of a known vector", () => {
  const program = `import sys; sys.path.insert(0, sys.argv[1]); import bbb_web; print(*bbb_web.turn_credentials("north", "w_abcdefghijkl", 86400, 1700000000))`;
  const { stdout } = spawnSync("/usr/bin/python3", ["-c", program, join(SERVER, "..")], {
    encoding: "utf8",
    env: PYTHON,
  });
  expect(stdout).toBe("1700086400:w_abcdefghijkl pF8GUVJNiZl1LLb/+5/zzUQg4AQ=\n");
  expect(existsSync(join(SERVER, "..", "__pycache__"))).toBe(false);
});
