import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket, type SocketType } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

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

  /** What comes back within half a second, and from which port. */
  async function probe(type: SocketType, address: string, port: number, from?: number) {
    const socket = createSocket(type);
    try {
      if (from) socket.bind(from);
      socket.on("error", () => undefined);
      socket.send("hello", port, address);
      const answer = once(socket, "message", { signal: AbortSignal.timeout(500) });
      const [message, sender] = (await answer) as [Buffer, { address: string; port: number }];
      return `${message} from ${sender.address} ${sender.port}`;
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

test("the media servers' ranges are together the one that the project opens", () => {
  const ranges = rows("units.tsv", /\s+/).flatMap((columns) => {
    const range = columns[columns.indexOf("--echo") + 1];
    return columns.includes("--echo") ? [range!.split("-").map(Number)] : [];
  });
  const media = releases["jammy-30"].ports.bbb.find(({ protocol }) => protocol === "udp")!;
  expect([ranges[0]![0], ranges[1]![1]]).toEqual([media.from, media.to]);
  expect(ranges[0]![1]! + 1).toBe(ranges[1]![0]);
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
