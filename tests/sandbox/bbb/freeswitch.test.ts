import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { renderDialplan, renderGateway } from "../../../bigbluebutton/dialIn";
import { packaged } from "./standin";

/** FreeSWITCH's stand-in with the files of dial-in, between a registrar and a caller of the test's own. */

const [OWN, REGISTRAR, CALLER, STRANGER] = ["127.0.0.42", "127.0.0.43", "127.0.0.44", "127.0.0.45"] as const;
const EVENTS = 29431;
const PASSWORD = 'Zq3"v$${T}8mW&';

let directory: string;
let service: ChildProcess;
let said = "";
const sockets: Socket[] = [];

function put(path: string, text: string): void {
  mkdirSync(join(directory, path, ".."), { recursive: true });
  writeFileSync(join(directory, path), text);
}

async function start(line: "3.0" | "4.0", port: number, files = true): Promise<void> {
  directory = mkdtempSync(join(tmpdir(), "freeswitch-"));
  for (const [name, path] of [
    ["bbb-standin", "service.py"],
    ["bbb-standin", "sip.py"],
    ["bbb-freeswitch-core", "freeswitch.py"],
    ["bbb-freeswitch-core", "dialplan.py"],
  ] as const) {
    cpSync(packaged(name, `usr/lib/bbb-standin/${path}`), join(directory, "lib", path));
  }
  put("conf/vars.xml", `<X-PRE-PROCESS cmd="set" data="local_ip_v4=${OWN}"/>`);
  put(
    "conf/autoload_configs/event_socket.conf.xml",
    `<a><param name="listen-ip" value="127.0.0.1"/><param name="listen-port" value="${EVENTS}"/>
    <param name="password" value="events"/></a>`,
  );
  put("conf/sip_profiles/external.xml", "<profile/>");
  mkdirSync(join(directory, "voice"));
  if (files) writeFiles(line, port);
  service = spawn("/usr/bin/python3", [
    ...["-I", join(directory, "lib/freeswitch.py"), "--freeswitch", join(directory, "conf")],
    ...["--voice", join(directory, "voice")],
  ]);
  said = "";
  service.stdout!.on("data", (data) => (said += String(data)));
  service.stderr!.on("data", (data) => (said += String(data)));
  await until(() => said.includes("ports open"));
}

function writeFiles(line: "3.0" | "4.0", port: number, password = PASSWORD): void {
  const gateway = { host: REGISTRAR, port, register: true, user: "4930" };
  put("conf/sip_profiles/external/bbb-deploy.xml", renderGateway(gateway, password));
  const networks = ["192.0.2.0/24", `${CALLER}/32`];
  put("conf/dialplan/public/bbb-deploy.xml", renderDialplan({ line, networks, ipv4: OWN }));
}

afterEach(async () => {
  service.kill();
  await once(service, "exit");
  for (const socket of sockets.splice(0)) socket.close();
  rmSync(directory, { recursive: true });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 12_000; !(await holds()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`never came: ${said}`);
  }
}

/** Answer of the event socket to a command. */
async function ask(command: string): Promise<string> {
  const socket = connect(EVENTS, "127.0.0.1");
  let text = "";
  socket.on("data", (data) => (text += String(data)));
  socket.write(`auth events\n\napi ${command}\n\n`);
  await until(() => /Content-Length: \d+\n\n[^]*\n$/.test(text));
  socket.destroy();
  return text.slice(text.indexOf("\n\n", text.indexOf("Content-Length")) + 2);
}

async function udp(address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  sockets.push(socket);
  socket.bind(0, address);
  await once(socket, "listening");
  return socket;
}

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
const headerOf = (message: string, name: string): string =>
  new RegExp(`^${name}: (.*)\r$`, "im").exec(message)?.[1] ?? "";

/** Registrar of one account; `registered` has the contacts of good registrations. */
async function registrar(password: string, qop: string): Promise<{ port: number; registered: string[] }> {
  const socket = await udp(REGISTRAR);
  const registered: string[] = [];
  socket.on("message", (data, { port, address }) => {
    const request = String(data);
    const given = Object.fromEntries(
      [...headerOf(request, "Authorization").matchAll(/(\w+)=(?:"([^"]*)"|([^\s,]+))/g)].map(
        ([, name, quoted, plain]) => [name, quoted ?? plain ?? ""],
      ),
    );
    const ha1 = md5(`4930:school:${password}`);
    const ha2 = md5(`REGISTER:${given.uri}`);
    const middle = qop ? `n0nce:${given.nc}:${given.cnonce}:auth` : "n0nce";
    const good = given.response === md5(`${ha1}:${middle}:${ha2}`);
    if (good) registered.push(headerOf(request, "Contact"));
    const copied = ["Via", "From", "To", "Call-Id", "Cseq"]
      .map((name) => `${name}: ${headerOf(request, name)}\r\n`)
      .join("");
    const status = good
      ? "200 OK"
      : given.response
        ? "403 Forbidden"
        : `401 Unauthorized\r\nWWW-Authenticate: Digest realm="school", nonce="n0nce"${qop}`;
    socket.send(`SIP/2.0 ${status}\r\n${copied}\r\n`, port, address);
  });
  return { port: socket.address().port, registered };
}

/** Call from an address; `heard` has the statuses and requests that came back. */
async function call(from: string, number = "7700") {
  const socket = await udp(from);
  const heard: string[] = [];
  const id = `${Math.random()}@test`;
  socket.on("message", (data: Buffer, _: RemoteInfo) => {
    heard.push(String(data).split("\r\n", 1)[0]!);
  });
  let sequence = 0;
  const send = (method: string, body = "", to = "") =>
    socket.send(
      `${method} sip:${number}@${OWN} SIP/2.0\r\nVia: SIP/2.0/UDP ${from}:${socket.address().port};branch=z9hG4bK${Math.random()}\r\n` +
        `From: <sip:0171@${from}>;tag=1\r\nTo: <sip:${number}@${OWN}>${to}\r\nCall-ID: ${id}\r\nCSeq: ${++sequence} ${method}\r\n` +
        `Contact: <sip:0171@${from}>\r\nContent-Type: application/dtmf-relay\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      5060,
      OWN,
    );
  const press = async (digits: string) => {
    for (const digit of digits) {
      send("INFO", `Signal=${digit}\r\nDuration=160\r\n`);
      await sleep(10);
    }
  };
  send("INVITE");
  return { heard, press, send };
}

test.each(["", ', qop="auth"'])(
  "registers with a digest, and its password arrives as it is%s",
  async (qop) => {
    const { port, registered } = await registrar(PASSWORD, qop);
    await start("3.0", port);
    await until(async () => /State *\tREGED/.test(await ask("sofia status gateway bbb-deploy")));
    expect(registered).toEqual([`<sip:gw+bbb-deploy@${OWN}:5060>`]);
  },
);

test("a wrong password fails; a new file counts once the old gateway is gone, and reloadxml has read it", async () => {
  const { port } = await registrar("right", "");
  await start("3.0", port);
  const state = () => ask("sofia status gateway bbb-deploy");
  await until(async () => (await state()).includes("FAIL_WAIT"));
  writeFiles("3.0", port, "right");
  await ask("sofia profile external killgw bbb-deploy");
  expect(await state()).toBe("Invalid Gateway!\n");
  await ask("sofia profile external rescan");
  await until(async () => (await state()).includes("FAIL_WAIT"));
  await ask("reloadxml");
  await ask("sofia profile external rescan");
  expect(said).toContain("gateway bbb-deploy is there already: its file is ignored");
  await ask("sofia profile external killgw bbb-deploy");
  await ask("sofia profile external rescan");
  await until(async () => (await state()).includes("REGED"));
});

test("without files there is no gateway, and nobody answers", async () => {
  await start("3.0", 9, false);
  expect(await ask("sofia status gateway bbb-deploy")).toBe("Invalid Gateway!\n");
  const { heard } = await call(CALLER);
  await until(() => heard.length > 0);
  expect(heard).toEqual(["SIP/2.0 404 Not Found"]);
});

test("a caller is asked for a number, and is in the conference of it", async () => {
  await start("3.0", 9);
  writeFileSync(join(directory, "voice/12345"), "freeswitch\n");
  const { heard, press, send } = await call(CALLER);
  await until(() => said.includes("hears conference/conf-pin.wav"));
  expect(heard).toEqual(["SIP/2.0 200 OK"]);
  await press("12345#");
  await until(() => said.includes("is in the conference 12345"));
  expect(await ask("conference 12345 list")).toContain(`sofia/external/${CALLER}`);
  send("BYE");
  await until(() => said.includes(`call from ${CALLER}: ended`));
  expect(await ask("conference 12345 list")).not.toContain(CALLER);
});

test("three wrong numbers end a call", async () => {
  await start("3.0", 9);
  const { heard, press } = await call(CALLER);
  await until(() => said.includes("hears conference/conf-pin.wav"));
  await press("54321#");
  await until(() => said.includes("hears conference/conf-bad-pin.wav"));
  await press("54322#");
  await until(() => said.split("conf-bad-pin.wav").length === 3);
  await press("54323#");
  await until(() => heard.some((one) => one.startsWith("BYE ")));
  expect(said).not.toContain("is in the conference");
});

test("another address than the provider's is answered by nobody, though no firewall stopped it", async () => {
  await start("3.0", 9);
  const { heard } = await call(STRANGER);
  await until(() => heard.length > 0);
  expect(heard).toEqual(["SIP/2.0 404 Not Found"]);
});

describe("4.0", () => {
  let livekit: ChildProcess;
  let told = "";
  const startLivekit = (settings: string) => {
    const lib = join(directory, "livekit");
    for (const [name, path] of [
      ["bbb-standin", "sip.py"],
      ["bbb-livekit", "livekit_sip.py"],
    ] as const) {
      cpSync(packaged(name, `usr/lib/bbb-standin/${path}`), join(lib, path));
    }
    put("root/etc/bigbluebutton/bbb-webrtc-sfu/production.yml", settings);
    livekit = spawn("/usr/bin/python3", [
      ...["-I", join(lib, "livekit_sip.py"), "--root", join(directory, "root")],
      ...["--voice", join(directory, "voice")],
    ]);
    told = "";
    livekit.stdout!.on("data", (data) => (told += String(data)));
    livekit.stderr!.on("data", (data) => (told += String(data)));
    return until(() => told.includes("listens"));
  };
  afterEach(() => livekit.kill());

  test("a meeting whose sound LiveKit has is reached by livekit-sip, one of FreeSWITCH's as before", async () => {
    await start("4.0", 9);
    await startLivekit("livekit: {sip: {enabled: true}}\n");
    writeFileSync(join(directory, "voice/12345"), "livekit\n");
    writeFileSync(join(directory, "voice/67890"), "bbb-webrtc-sfu\n");
    const first = await call(CALLER);
    await until(() => said.includes("hears conference/conf-pin.wav"));
    await first.press("12345#");
    await until(() => told.includes("call to 12345: taken"));
    await until(() => said.includes(`is handed on to sofia/external/12345@${OWN}:5062: SIP/2.0 200 OK`));
    first.send("BYE");
    const second = await call(CALLER);
    await until(() => said.split("hears conference/conf-pin.wav").length === 3);
    await second.press("67890#");
    await until(() => said.includes("is in the conference 67890"));
  });

  test("a number that livekit-sip refuses is asked for again", async () => {
    await start("4.0", 9);
    await startLivekit("{}\n");
    writeFileSync(join(directory, "voice/12345"), "livekit\n");
    const { press } = await call(CALLER);
    await until(() => said.includes("hears conference/conf-pin.wav"));
    await press("12345#");
    await until(() => told.includes("call to 12345: no such number"));
    await until(() => said.includes("hears conference/conf-bad-pin.wav"));
  });
});
