import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect as connectTls } from "node:tls";

import { reasonOf, Wrong } from "./finding";

const MAGIC_COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const XOR_MAPPED_ADDRESS = 0x0020;
const TRIES = 4;
const PAUSE_MS = 1000;

/** A STUN binding request (RFC 8489 §5) and its transaction id. */
export function bindingRequest(transaction: Buffer = randomBytes(12)): {
  packet: Buffer;
  transaction: Buffer;
} {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(BINDING_REQUEST, 0);
  header.writeUInt32BE(MAGIC_COOKIE, 4);
  return { packet: Buffer.concat([header, transaction]), transaction };
}

/** The IPv4 address and port that a STUN server saw, "" where it tells none; undefined where this is no answer to ours. */
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

/** Whether a TURN server answers here over UDP; BigBlueButton's clients try that first. */
export async function checkStunOverUdp(host: string, port: number): Promise<string> {
  const { packet, transaction } = bindingRequest();
  const { address } = await lookup(host, { family: 4 });
  const socket = createSocket("udp4");
  const began = performance.now();
  try {
    return await new Promise<string>((resolve, reject) => {
      let sent = 0;
      const send = () => {
        if (++sent > TRIES) {
          const remedy = `systemctl status coturn on ${host}; its firewall must let ${port}/udp in, and your own network out`;
          return reject(new Wrong("no answer", remedy));
        }
        socket.send(packet, port, address);
        timer = setTimeout(send, PAUSE_MS);
      };
      let timer = setTimeout(send, 0);
      socket.on("error", reject);
      socket.on("message", (answer) => {
        if (bindingAnswer(answer, transaction) === undefined) return;
        clearTimeout(timer);
        resolve(`answered in ${Math.round(performance.now() - began)} ms`);
      });
    });
  } finally {
    socket.close();
  }
}

/** The same over TLS, for which the certificate is not looked at: that is another check's. */
export function checkStunOverTls(host: string, port: number): Promise<string> {
  const { packet, transaction } = bindingRequest();
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host, port, servername: host, rejectUnauthorized: false, timeout: 15_000 });
    const remedy = `systemctl status coturn on ${host}; its firewall must let ${port}/tcp in`;
    let heard = Buffer.alloc(0);
    const fail = (text: string) => {
      socket.destroy();
      reject(new Wrong(text, remedy));
    };
    socket.once("secureConnect", () => socket.write(packet));
    socket.on("data", (data: Buffer) => {
      heard = Buffer.concat([heard, data]);
      if (bindingAnswer(heard, transaction) === undefined) return;
      socket.destroy();
      resolve(`answered in ${Math.round(performance.now() - began)} ms`);
    });
    socket.once("timeout", () => fail("no answer"));
    socket.once("close", () => fail("the connection was closed"));
    socket.once("error", (error: Error) => fail(reasonOf(error)));
  });
}
