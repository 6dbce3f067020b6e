/**
 * Contract of Scalelite, as it was measured on v1.8.5, which the stand-in keeps. With BBB_SCALELITE_URL,
 * BBB_SCALELITE_SECRET, BBB_SCALELITE_SECRETS (its LOADBALANCER_SECRETS), BBB_SCALELITE_RAKE (e.g. "docker exec -i
 * scalelite-api bin/rake"), BBB_SCALELITE_RECORDINGS (its /var/bigbluebutton, with `publish` and `unpublish` as links to
 * published and unpublished) and BBB_SCALELITE_NODES_HOST (this machine's address for it) the same table is asked of a real
 * one, which must have no servers. What is about recordings was read in its code, not measured.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { parse } from "yaml";

import { FakeNode, get, realScalelite, standIn, type Scalelite } from "./scaleliteWorld";

let scalelite: Scalelite;
let a: FakeNode;
let b: FakeNode;

beforeAll(async () => {
  scalelite = realScalelite() ?? (await standIn());
});
afterAll(() => scalelite.stop());

beforeEach(async () => {
  a = new FakeNode("a");
  b = new FakeNode("b");
  await Promise.all([a.listen(), b.listen()]);
});
afterEach(async () => {
  for (const node of [a, b]) node.silent = node.hangs = node.deaf = false;
  await sync({}, "force");
  a.close();
  b.close();
});

const entry = ({ api, secret }: FakeNode, more: object = {}) => ({ url: api, secret, ...more });
const sync = async (servers: object, mode = "cordon") => {
  const { status, stdout } = await scalelite.rake(`servers:sync[-,${mode}]`, JSON.stringify({ servers }));
  expect(status).toBe(0);
  return stdout;
};
const poll = () => scalelite.rake("poll:all");
const both = async () => {
  await sync({ "a.test": entry(a), "b.test": entry(b) });
  await poll();
};
const servers = async () => {
  const { stdout } = await scalelite.rake("servers:yaml[true]");
  return (
    parse(stdout) as { servers: Record<string, { state: string; load: number | null; online: boolean }> }
  ).servers;
};
const url = (call: string, query: string, secret = scalelite.secret) => {
  const checksum = createHash("sha256").update(`${call}${query}${secret}`).digest("hex");
  return `${scalelite.url}/bigbluebutton/api/${call}?${query}${query ? "&" : ""}checksum=${checksum}`;
};
const ask = async (call: string, query = "") => (await get(url(call, query))).text;
const key = (text: string) => /<messageKey>(\w+)<\/messageKey>/.exec(text)?.[1];
const create = (id: string) => ask("create", `meetingID=${id}`);

test("it is healthy, and its index tells version 2.0 and none of BigBlueButton", async () => {
  expect((await get(`${scalelite.url}/health_check`)).status).toBe(200);
  const { text } = await get(`${scalelite.url}/bigbluebutton/api`);
  expect(text).toContain("<version>2.0</version>");
  expect(text).not.toContain("bbbVersion");
});

test("each of its secrets is taken", async () => {
  expect(scalelite.others.length).toBeGreaterThan(0);
  for (const secret of [scalelite.secret, ...scalelite.others])
    expect((await get(url("getMeetings", "", secret))).text).toContain("<returncode>SUCCESS</returncode>");
});

test("a call with a wrong checksum is refused, and one that it does not know", async () => {
  expect(key((await get(url("getMeetings", "", "another"))).text)).toBe("checksumError");
  expect(key(await ask("sendChatMessage", "meetingID=x"))).toBe("unsupportedRequest");
});

describe("servers:sync", () => {
  test("says what it changes, without secrets, and nothing where nothing changes", async () => {
    const said = await sync({ "a.test": entry(a) });
    expect(said.trim().split("\n").length).toBeGreaterThan(0);
    expect(said).toContain("a.test");
    expect(said).not.toContain(a.secret);
    expect((await sync({ "a.test": entry(a) })).trim()).toBe("");
  });

  test("makes a server that is offline until it was polled", async () => {
    await sync({ "a.test": entry(a) });
    expect(await servers()).toMatchObject({ "a.test": { state: "enabled", online: false } });
    expect(key(await create("early"))).toBe("internalError");
    await poll();
    expect(await servers()).toMatchObject({ "a.test": { online: true } });
  });

  test("removes one that is left out and empty, and cordons one with meetings", async () => {
    await both();
    await create("m");
    const holder = a.meetings.size > 0 ? "a.test" : "b.test";
    const said = await sync({});
    expect(said).toContain("Server not empty. Cordoned for removal");
    expect(await servers()).toEqual({ [holder]: expect.objectContaining({ state: "cordoned" }) as object });
  });

  test("removes none in mode keep, and cordons one that is to be disabled", async () => {
    await both();
    await sync({ "a.test": entry(a, { enabled: false }) }, "keep");
    expect(await servers()).toMatchObject({
      "a.test": { state: "cordoned" },
      "b.test": { state: "enabled" },
    });
    await sync({ "a.test": entry(a) }, "keep");
    expect(await servers()).toMatchObject({ "a.test": { state: "enabled" } });
  });
});

describe("where meetings go", () => {
  test("to the server with the least load; a known one to its own, with a warning", async () => {
    await both();
    for (const id of ["m1", "m2", "m3", "m4"]) {
      await create(id);
      await poll();
    }
    expect([a.meetings.size, b.meetings.size]).toEqual([2, 2]);
    expect(key(await create("m1"))).toBe("duplicateWarning");
    expect(a.meetings.size + b.meetings.size).toBe(4);
  });

  test("a young meeting counts as 15 people, and breakout rooms not at all", async () => {
    await both();
    a.hold("young", { people: 2 });
    a.hold("room", { people: 9, breakout: true });
    b.hold("old", { people: 3, created: Date.now() - 3_600_000 });
    await poll();
    const found = await servers();
    expect([found["a.test"]!.load, found["b.test"]!.load].map(Number)).toEqual([15, 3]);
  });

  test("a join is a redirect to the meeting's server, signed with that one's secret", async () => {
    await both();
    await create("m");
    const holder = a.meetings.size > 0 ? a : b;
    const query = "fullName=x&meetingID=m&password=p";
    const { status, location = "" } = await get(url("join", query));
    expect(status).toBe(302);
    expect(location.startsWith(`${holder.api}/join?`)).toBe(true);
    const [, sent = "", checksum] = /\?(.*?)&?checksum=([0-9a-f]+)/.exec(location) ?? [];
    expect(createHash("sha256").update(`join${sent}${holder.secret}`).digest("hex")).toBe(checksum);
    expect(key(await ask("join", "fullName=x&meetingID=unheard-of"))).toBe("notFound");
  });

  test("a cordoned server takes joins, a disabled one none; it becomes disabled once it is empty", async () => {
    await both();
    await create("m");
    const [name, node] = a.meetings.size > 0 ? (["a.test", a] as const) : (["b.test", b] as const);
    const [other, rest] = node === a ? (["b.test", b] as const) : (["a.test", a] as const);
    await sync({ [name]: entry(node, { enabled: false }), [other]: entry(rest) }, "keep");
    expect((await get(url("join", "fullName=x&meetingID=m"))).status).toBe(302);
    await create("n");
    expect(rest.meetings.has("n")).toBe(true);
    node.meetings.clear();
    await poll();
    expect(await servers()).toMatchObject({ [name]: { state: "disabled" } });
  });

  test("meetings that others opened on a server show up; without any there is a message", async () => {
    await both();
    expect(key(await ask("getMeetings"))).toBe("noMeetings");
    b.hold("of-somebody-else");
    expect(await ask("getMeetings")).toContain("of-somebody-else");
  });
});

describe("recordings", () => {
  const ID = `${"b".repeat(40)}-1700000000000`;
  const here = (...names: string[]) => join(scalelite.recordings, ...names);
  const metadata = (form: string) =>
    `<recording><id>${ID}</id><state>published</state><published>true</published><start_time>1700000000000</start_time>
<end_time>1700000600000</end_time><participants>3</participants><meta><meetingId>m</meetingId><meetingName>A &amp; B</meetingName>
<course>7</course></meta><playback><format>${form}</format><link>https://bbb-2.test/playback/${form}/2.3/${ID}</link>
<duration>600000</duration></playback></recording>`;
  /** Puts a tar with these formats into the spool, whole at once, and waits until it is taken. */
  const arrive = async (forms: Readonly<Record<string, string>>) => {
    const folder = mkdtempSync(join(tmpdir(), "tar-"));
    for (const [form, text] of Object.entries(forms)) {
      mkdirSync(join(folder, form, ID), { recursive: true });
      writeFileSync(join(folder, form, ID, "metadata.xml"), text);
    }
    execFileSync("tar", ["-C", folder, "-cf", here("spool", ".part"), ...Object.keys(forms)]);
    rmSync(folder, { recursive: true });
    renameSync(here("spool", ".part"), here("spool", `${ID}.tar`));
    await vanished(here("spool", `${ID}.tar`));
  };
  const vanished = async (path: string) => {
    for (let i = 0; i < 300 && existsSync(path); i++) await sleep(100);
    expect(existsSync(path)).toBe(false);
  };
  const recordings = () => ask("getRecordings", "meetingID=m");
  const one = `recordID=${ID}`;

  beforeEach(() => arrive({ presentation: metadata("presentation") }));

  test("a tar of the spool is imported and goes; the address is the balancer's, not the server's", async () => {
    const found = await recordings();
    expect(found).toContain(`<recordID>${ID}</recordID>`);
    expect(found).toContain("<name>A &amp; B</name>");
    expect(found).toContain("<course>7</course>");
    expect(found).toMatch(new RegExp(`<url>[^<]*/playback/presentation/2.3/${ID}</url>`));
    expect(found).not.toContain("bbb-2.test");
    expect(existsSync(here("publish/presentation", ID, "metadata.xml"))).toBe(true);
    expect(key(await ask("getRecordings", "meetingID=another"))).toBe("noRecordings");
    expect(await ask("getRecordings", "recordID=bbbb")).toContain(ID);
  });

  test("a second format joins the first; one that can't be read is left out, and the tar goes", async () => {
    await arrive({ video: metadata("video"), podcast: "<recording" });
    const found = await recordings();
    expect([...found.matchAll(/<type>(\w+)<\/type>/g)].map(([, form]) => form)).toEqual([
      "presentation",
      "video",
    ]);
    expect(existsSync(here("publish/podcast", ID))).toBe(false);
  });

  test("a tar that is none stays, and others are imported all the same", async () => {
    writeFileSync(here("spool/a.tar"), "no tar");
    await arrive({ presentation: metadata("presentation") });
    expect(existsSync(here("spool/a.tar"))).toBe(true);
    rmSync(here("spool/a.tar"));
  });

  test("what is not published is not played, and its files are elsewhere", async () => {
    const file = `${scalelite.url}/presentation/${ID}/metadata.xml`;
    expect(await get(file)).toMatchObject({
      status: 200,
      accel: `/static-resource/presentation/${ID}/metadata.xml`,
    });
    expect(await get(`${scalelite.url}/recording/${ID}/presentation`)).toMatchObject({ status: 307 });
    expect(await ask("publishRecordings", `${one}&publish=false`)).toContain("<published>false</published>");
    expect((await get(file)).status).toBe(404);
    expect(existsSync(here("unpublish/presentation", ID))).toBe(true);
    expect(await recordings()).toContain("<state>unpublished</state>");
    await ask("publishRecordings", `${one}&publish=true`);
    expect((await get(file)).status).toBe(200);
  });

  test("a further import publishes what was unpublished, and brings back what was deleted", async () => {
    await ask("publishRecordings", `${one}&publish=false`);
    await arrive({ presentation: metadata("presentation") });
    expect(await recordings()).toContain("<published>true</published>");
    await ask("deleteRecordings", one);
    await arrive({ presentation: metadata("presentation") });
    expect(await recordings()).toContain(ID);
  });

  test("an update changes the metadata, and an empty value removes one", async () => {
    expect(await ask("updateRecordings", `${one}&meta_room=4&meta_course=`)).toContain(
      "<updated>true</updated>",
    );
    const found = await recordings();
    expect(found).toContain("<room>4</room>");
    expect(found).not.toContain("<course>");
    expect(await ask("getRecordings", "meta_room=4")).toContain(ID);
    expect(await ask("updateRecordings", "recordID=unheard-of&meta_a=b")).toContain(
      "<updated>false</updated>",
    );
  });

  test("a deleted one is gone with its files; the state any still tells it", async () => {
    expect(await ask("deleteRecordings", one)).toContain("<deleted>true</deleted>");
    expect(existsSync(here("publish/presentation", ID))).toBe(false);
    expect(key(await recordings())).toBe("noRecordings");
    expect(await ask("getRecordings", `${one}&state=any`)).toContain("<state>deleted</state>");
    expect(key(await ask("deleteRecordings", "recordID=unheard-of"))).toBe("notFound");
    expect(key(await ask("publishRecordings", "publish=true"))).toBe("missingParamRecordID");
  });
});

describe("when things go wrong", () => {
  test("an end that the server refuses makes it forget the meeting all the same", async () => {
    await both();
    await create("m");
    const holder = a.meetings.size > 0 ? a : b;
    holder.keepsMeetings = true;
    await ask("end", "meetingID=m&password=wrong");
    expect(holder.meetings.has("m")).toBe(true);
    expect(key(await ask("join", "fullName=x&meetingID=m"))).toBe("notFound");
  });

  test("one failed poll loses nothing; getMeetings fails meanwhile", async () => {
    await both();
    await create("m");
    const holder = a.meetings.size > 0 ? a : b;
    holder.silent = true;
    await poll();
    expect(key(await ask("getMeetings"))).toBe("internalError");
    holder.silent = false;
    await poll();
    expect((await get(url("join", "fullName=x&meetingID=m"))).status).toBe(302);
  });

  test("joins meanwhile keep it from no poll that fails", async () => {
    await both();
    await create("m");
    const [name, holder] = a.meetings.size > 0 ? (["a.test", a] as const) : (["b.test", b] as const);
    holder.silent = true;
    let joining = true;
    const joins = (async () => {
      while (joining) await get(url("join", "fullName=x&meetingID=m"));
    })();
    await poll();
    await poll();
    joining = false;
    await joins;
    expect(await servers()).toMatchObject({ [name]: { online: false } });
  });

  test("a join leads to a server that is away until its meeting is forgotten, and a create that meets it fails", async () => {
    await both();
    await create("m");
    const [name, holder] = a.meetings.size > 0 ? (["a.test", a] as const) : (["b.test", b] as const);
    const rest = holder === a ? b : a;
    rest.hold("busy", { people: 50 });
    await poll();
    holder.silent = true;
    await poll();
    expect((await get(url("join", "fullName=x&meetingID=m"))).location).toContain(`${holder.api}/join?`);
    expect(key(await create("new"))).toBe("internalError");
    // It is a meeting of that server from then on.
    expect(key(await create("new"))).toBe("internalError");
    await poll();
    expect(await servers()).toMatchObject({ [name]: { online: false } });
    expect(await create("new")).toContain("SUCCESS");
    expect(rest.meetings.has("new")).toBe(true);
  });

  test("one that takes calls and answers none is online until its meetings are forgotten, some at each poll", async () => {
    await both();
    for (const id of ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"]) {
      await create(id);
      await poll();
    }
    expect(b.meetings.size).toBe(4);
    b.hangs = true;
    await poll();
    await poll();
    const joins = async () =>
      (
        await Promise.all([...b.meetings.keys()].map((id) => get(url("join", `fullName=x&meetingID=${id}`))))
      ).filter(({ status }) => status === 302).length;
    const left = await joins();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(4);
    expect(await servers()).toMatchObject({ "b.test": { online: true } });
    expect(key(await ask("getMeetings"))).toBe("internalError");
    for (let i = 0; i < left && (await servers())["b.test"]!.online; i++) await poll();
    expect(await joins()).toBe(0);
    expect(await servers()).toMatchObject({ "b.test": { online: false } });
    expect(await ask("getMeetings")).toContain("SUCCESS");
  }, 60_000);

  test("the end that it sends for each is by the moderators' password: one that hears it ends the meeting", async () => {
    await both();
    await create("m");
    const holder = a.meetings.size > 0 ? a : b;
    holder.deaf = true;
    await poll();
    expect(holder.meetings.has("m")).toBe(true);
    await poll();
    expect(holder.meetings.has("m")).toBe(false);
  });

  test("back after that, what runs on is not known: a join does not find it, and a create opens it where it likes", async () => {
    await both();
    await create("m");
    const [name, holder] = a.meetings.size > 0 ? (["a.test", a] as const) : (["b.test", b] as const);
    const rest = holder === a ? b : a;
    holder.silent = true;
    await poll();
    await poll();
    holder.silent = false;
    await poll();
    expect(await servers()).toMatchObject({ [name]: { online: true } });
    expect(holder.meetings.has("m")).toBe(true);
    expect(key(await ask("join", "fullName=x&meetingID=m"))).toBe("notFound");
    expect(await ask("getMeetings")).toContain("<meetingID>m</meetingID>");
    expect(await create("m")).toContain("SUCCESS");
    expect([...holder.meetings.keys(), ...rest.meetings.keys()]).toEqual(["m", "m"]);
  });

  test("after the second, its meetings are forgotten and it is offline", async () => {
    await both();
    await create("m");
    const [name, holder] = a.meetings.size > 0 ? (["a.test", a] as const) : (["b.test", b] as const);
    holder.silent = true;
    await poll();
    await poll();
    expect(await servers()).toMatchObject({ [name]: { online: false } });
    expect(key(await ask("join", "fullName=x&meetingID=m"))).toBe("notFound");
    expect(key(await ask("getMeetings"))).toBe("noMeetings");
  });
});
