import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";

import { reasonOf, Wrong } from "./finding";

const MAGIC_COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const XOR_MAPPED_ADDRESS = 0x0020;
const TRIES = 4;
const PAUSE_MS = 1000;
const EXCHANGES = 3;
const PATIENCE_MS = 15_000;

/** Makes a STUN binding request (RFC 8489 §5) and its transaction id. */
export function bindingRequest(transaction: Buffer = randomBytes(12)): {
  packet: Buffer;
  transaction: Buffer;
} {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(BINDING_REQUEST, 0);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  return { packet: Buffer.concat([header, transaction]), transaction };
}

/**
 * IPv4 address and port that a STUN server saw: "" when it tells none; undefined for a packet that is not the answer to
 * this request.
 */
export function bindingAnswer(packet: Buffer, transaction: Buffer): string | undefined {
  if (packet.length < 20 || packet.readUInt16BE(0) !== BINDING_SUCCESS) return undefined;
  if (!packet.subarray(8, 20).equals(transaction)) return undefined;
  for (let at = 20; at + 4 <= packet.length;) {
    const [type, length] = [packet.readUInt16BE(at), packet.readUInt16BE(at + 2)];
    if (type === XOR_MAPPED_ADDRESS && length === 8 && at + 12 <= packet.length) {
      const port = packet.readUInt16BE(at + 6) ^ (MAGIC_COOKIE >>> 16);
      const address = (packet.readUInt32BE(at + 8) ^ MAGIC_COOKIE) >>> 0;
      return `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")}:${port}`;
    }
    at += 4 + Math.ceil(length / 4) * 4;
  }
  return "";
}

/** Checks the TURN server's answer over UDP and its delay; BigBlueButton's clients try UDP first. */
export async function checkStunOverUdp(host: string, port: number): Promise<string> {
  const { address } = await lookup(host, { family: 4 });
  const socket = createSocket("udp4");
  try {
    return await fastest(() => askOverUdp(socket, address, port, host));
  } finally {
    socket.close();
  }
}

/** Fastest of several exchanges: other work of this machine must not count as delay. */
async function fastest(exchange: () => Promise<void>): Promise<string> {
  let least = Infinity;
  for (let done = 0; done < EXCHANGES; done++) {
    const began = performance.now();
    await exchange();
    least = Math.min(least, performance.now() - began);
  }
  return `answers in ${Math.round(least)} ms`;
}

function askOverUdp(socket: Socket, address: string, port: number, host: string): Promise<void> {
  const { packet, transaction } = bindingRequest();
  return new Promise((resolve, reject) => {
    let sent = 0;
    let timer: NodeJS.Timeout | undefined;
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.off("message", hear).off("error", fail);
      settle();
    };
    const fail = (error: Error) => end(() => reject(error));
    const hear = (answer: Buffer) => {
      if (bindingAnswer(answer, transaction) !== undefined) end(resolve);
    };
    const send = () => {
      if (++sent > TRIES) {
        const remedy = `systemctl status coturn on ${host}, and where it runs, systemctl restart coturn; its firewall must let ${port}/udp in, and your own network out`;
        return fail(new Wrong("no answer", remedy));
      }
      socket.send(packet, port, address);
      timer = setTimeout(send, PAUSE_MS);
    };
    socket.on("message", hear).on("error", fail);
    send();
  });
}

/** Checks the answer over TLS, without a look at the certificate: that is another check's. */
export async function checkStunOverTls(host: string, port: number): Promise<string> {
  const socket = connectTls({
    host,
    port,
    servername: host,
    rejectUnauthorized: false,
    timeout: PATIENCE_MS,
  });
  socket.on("error", () => undefined); // an exchange hears of it, too
  try {
    return await fastest(() => askOverTls(socket));
  } catch (error) {
    throw new Wrong(
      reasonOf(error),
      `systemctl status coturn on ${host}, and where it runs, systemctl restart coturn; its firewall must let ${port}/tcp in`,
    );
  } finally {
    socket.destroy();
  }
}

function askOverTls(socket: TLSSocket): Promise<void> {
  const { packet, transaction } = bindingRequest();
  return new Promise((resolve, reject) => {
    let heard = Buffer.alloc(0);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.off("data", hear).off("timeout", late).off("close", closed).off("error", fail);
      settle();
    };
    const fail = (error: Error) => end(() => reject(error));
    const late = () => fail(new Error("no answer"));
    const closed = () => fail(new Error("the connection was closed"));
    const hear = (data: Buffer) => {
      heard = Buffer.concat([heard, data]);
      if (bindingAnswer(heard, transaction) !== undefined) end(resolve);
    };
    // One that hangs takes the connection, and no more.
    const timer = setTimeout(late, PATIENCE_MS);
    socket.on("data", hear).on("timeout", late).on("close", closed).on("error", fail);
    socket.write(packet);
  });
}
