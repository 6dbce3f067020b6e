import { spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";

import { SANDBOX_CACHE } from "../../../sandbox/paths";
import { SCRIPTS } from "./scripts";

/** Python with aioice, which scripts/test installs there. */
const PYTHON = join(SANDBOX_CACHE, "venv/bin/python");

const ALLOCATE = `
import asyncio, socket, sys
sys.path.insert(0, "${SCRIPTS}")
import turn_check
from aioice import stun
way = turn_check.Way("UDP", "127.0.0.1", int(sys.argv[1]), "udp", False)
try:
    asyncio.run(way.allocate("secret"))
except stun.TransactionFailed as error:
    print(turn_check.code(error)[0])
`;

const REMEDY = `
import asyncio, sys
sys.path.insert(0, "${SCRIPTS}")
import checks, turn_check
from aioice import stun
async def refused(*_):
    response = stun.Message(stun.Method.CHANNEL_BIND, stun.Class.ERROR)
    response.attributes["ERROR-CODE"] = (403, "Forbidden IP")
    raise stun.TransactionFailed(response)
turn_check.client_of = lambda _: type("Client", (), {"channel_bind": staticmethod(refused)})
way = turn_check.Way("UDP", "turn.test", 3478, "udp", False)
try:
    asyncio.run(turn_check.send(way, None, None, ("203.0.113.7", 20000), False, *sys.argv[1:] or [None]))
except checks.Wrong as wrong:
    print(wrong, "|", wrong.remedy)
`;

let server: Socket | undefined;

/** Starts a TURN server that answers each request with the next of these error codes; returns the senders' ports. */
async function answering(codes: readonly number[]): Promise<{ port: number; from: number[] }> {
  const from: number[] = [];
  const made = createSocket("udp4", (request, { port, address }) => {
    made.send(allocateError(request, codes[from.push(port) - 1] ?? 500), port, address);
  });
  server = made;
  made.bind(0, "127.0.0.1");
  await once(made, "listening");
  return { port: made.address().port, from };
}

/** Error response to an Allocate request by RFC 8489, with its ERROR-CODE and nothing else. */
function allocateError(request: Buffer, code: number): Buffer {
  const attribute = Buffer.from([0, 9, 0, 4, 0, 0, Math.floor(code / 100), code % 100]);
  return Buffer.concat([Buffer.from([0x01, 0x13, 0, attribute.length]), request.subarray(4, 20), attribute]);
}

const allocate = (port: number) => python(ALLOCATE, String(port));

async function python(script: string, ...args: readonly string[]): Promise<string> {
  const child = spawn(PYTHON, ["-c", script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await once(child, "close");
  return output.trim();
}

afterEach(() => {
  server?.close();
  server = undefined;
});

test.each([
  [
    [],
    "it is none of the peers in coturn's database on turn.test: give the setting rotateTurnSecret a new value, then pulumi up",
  ],
  [["prod"], "add 203.0.113.7 to the setting turnPeers of stack prod, run pulumi up there, then here"],
])("a TURN server that does not relay here: where to say so, %p", async (stack, remedy) => {
  expect(await python(REMEDY, ...stack)).toBe(`no channel to 203.0.113.7: (403, 'Forbidden IP') | ${remedy}`);
});

test.each([
  ["a port that another client had before is left for another one", [437, 437, 403], "403", 3],
  ["three are tried", [437, 437, 437, 403], "437", 3],
  ["any other refusal is one of this client, from whichever port", [403, 400], "403", 1],
])("%s", async (_case, codes, told, tried) => {
  const { port, from } = await answering(codes);
  expect(await allocate(port)).toBe(told);
  expect(new Set(from).size).toBe(tried);
  expect(from).toHaveLength(tried);
});
