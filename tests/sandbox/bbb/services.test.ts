import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket, type SocketType } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { releases } from "../../../bigbluebutton/releases";
import { packaged, rows } from "./standin";

const [FIRST, LAST, TCP] = [29411, 29413, 29414];

describe("a media server's stand-in", () => {
  let service: ChildProcess;
  beforeAll(async () => {
    const script = packaged("bbb-standin", "usr/lib/bbb-standin/service.py");
    service = spawn("/usr/bin/python3", [script, "freeswitch", "--echo", `${FIRST}-${LAST}`, `${TCP}`]);
    await once(service.stdout!, "data");
  });
  afterAll(() => service.kill());

  /** Answer within half a second, and the port that it came from. */
  async function probe(type: SocketType, address: string, port: number, from?: number) {
    const socket = createSocket(type);
    try {
      if (from) socket.bind(from);
      socket.on("error", () => undefined);
      socket.send("hello", port, address);
      const answer = once(socket, "message", { signal: AbortSignal.timeout(500) });
      const [message, sender] = (await answer) as [Buffer, { address: string; port: number }];
      return `${message.toString()} from ${sender.address} ${sender.port}`;
    } catch {
      return undefined;
    } finally {
      socket.close();
    }
  }

  test.each([
    ["udp4", "127.0.0.1"],
    ["udp4", "127.0.0.77"],
    ["udp6", "::1"],
  ] as const)("echoes over %s from %s, on every port of its range and on no other", async (type, address) => {
    expect(await probe(type, address, FIRST)).toBe(`hello from ${address} ${FIRST}`);
    expect(await probe(type, address, LAST)).toBe(`hello from ${address} ${LAST}`);
    expect(await probe(type, address, FIRST - 1)).toBeUndefined();
  });

  test("does not answer another media port", async () => {
    expect(await probe("udp4", "127.0.0.1", FIRST, 29500)).toBeUndefined();
  });

  test("says on its TCP port what it is", async () => {
    const [greeting] = (await once(connect(TCP, "127.0.0.1"), "data")) as [Buffer];
    expect(String(greeting)).toBe("freeswitch: this is a stand-in, not BigBlueButton\r\n");
  });
});

describe("FreeSWITCH's stand-in listens where its configuration says", () => {
  const FILES = {
    "vars.xml": '<X-PRE-PROCESS cmd="set" data="local_ip_v4=127.0.0.2"/>',
    "sip_profiles/external.xml": `<!-- <param name="ws-binding" value="127.0.0.9:29423"/> -->
      <param name="ws-binding"  value="BINDING"/>\n<param name="wss-binding" value=":29424"/>`,
  };
  const script = packaged("bbb-standin", "usr/lib/bbb-standin/service.py");
  let directory: string;
  let service: ChildProcess;
  let said: string;

  async function start(binding: string): Promise<void> {
    directory = mkdtempSync(join(tmpdir(), "freeswitch-"));
    for (const [name, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(directory, name)), { recursive: true });
      writeFileSync(join(directory, name), text.replace("BINDING", binding));
    }
    // Port 5060 is the machine's own: the test needs it on an address that nobody else has.
    service = spawn("/usr/bin/python3", [script, "freeswitch", "--freeswitch", directory]);
    said = "";
    await new Promise<void>((ready) => {
      const hear = (chunk: Buffer): void => {
        if ((said += String(chunk)).includes("ports open")) ready();
      };
      service.stdout!.on("data", hear);
      service.stderr!.on("data", hear);
      service.on("close", ready);
    });
  }
  afterEach(() => {
    service.kill();
    rmSync(directory, { recursive: true });
  });

  const listens = async (address: string, port: number): Promise<boolean> => {
    const socket = connect(port, address);
    try {
      await once(socket, "connect");
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };

  test("SIP on its own address, WebSockets as bound", async () => {
    await start("127.0.0.3:29422");
    expect(said).toContain("3 ports open");
    const asked: [string, number][] = [
      ["127.0.0.2", 5060],
      ["127.0.0.3", 29422],
      ["127.0.0.2", 29424],
      ["127.0.0.2", 29422],
      ["127.0.0.9", 29423],
    ];
    const answers = await Promise.all(asked.map(([address, port]) => listens(address, port)));
    expect(answers).toEqual([true, true, true, false, false]);
  });

  test("an address that the host has not: told, and the rest goes on", async () => {
    await start("192.0.2.77:29422");
    expect(said).toContain("this host has no address 192.0.2.77: nobody listens at port 29422");
    expect(await listens("127.0.0.2", 5060)).toBe(true);
  });
});

test("the media servers' echoes are in the range that the project opens, of which most is free", () => {
  const ranges = rows("units.tsv", /\s+/).flatMap((columns) => {
    const range = columns[columns.indexOf("--echo") + 1];
    return columns.includes("--echo") ? [range!.split("-").map(Number) as [number, number]] : [];
  });
  const media = releases["jammy-30"].ports.bbb.find(({ protocol }) => protocol === "udp")!;
  expect(ranges).toHaveLength(2);
  for (const [first, last] of ranges) {
    expect(media.from).toBeLessThanOrEqual(first);
    expect(last).toBeLessThanOrEqual(media.to);
    expect(last - first).toBeLessThan(32);
  }
});

test("yq sets and reads one path of a YAML file", () => {
  const directory = mkdtempSync(join(tmpdir(), "yq-"));
  const file = join(directory, "a.yml");
  // python3-yaml is of the hosts' own Python.
  const yq = (...args: string[]) =>
    spawnSync("/usr/bin/python3", [packaged("bbb-standin", "usr/lib/bbb-standin/yq.py"), ...args, file], {
      encoding: "utf8",
    });
  try {
    writeFileSync(file, "freeswitch:\n  ip: old\n");
    expect(yq("e", "-i", '.freeswitch.ip = "203.0.113.7"').stderr).toBe("");
    yq("e", "-i", '.mediasoup.webrtc.listenIps[0].ip = "0.0.0.0"');
    expect(yq("e", ".mediasoup.webrtc.listenIps[0].ip").stdout).toBe("0.0.0.0\n");
    expect(yq("e", ".nothing").stdout).toBe("null\n");
    expect(readFileSync(file, "utf8")).toContain("  ip: 203.0.113.7\n");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
