import { createSocket } from "node:dgram";
import type { AddressInfo } from "node:net";
import { execFileSync } from "node:child_process";
import { createServer } from "node:tls";

import { ask } from "../../../operator/check/finding";
import {
  bindingAnswer,
  bindingRequest,
  checkStunOverTls,
  checkStunOverUdp,
} from "../../../operator/check/stun";

const TRANSACTION = Buffer.from("b7e7a701bc34d686fa87dfae", "hex");

/** Success answer of RFC 5769 §2.2, with the mapped address 192.0.2.1:32853. */
const SAMPLE = Buffer.from(
  "0101003c2112a442b7e7a701bc34d686fa87dfae" +
    "8022000b7465737420766563746f7220" +
    "002000080001a147e112a643" +
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7" +
    "80280004c07d4c96",
  "hex",
);

test("the sample answer of RFC 5769 is read", () => {
  expect(bindingAnswer(SAMPLE, TRANSACTION)).toBe("192.0.2.1:32853");
});

test.each([
  ["of another transaction", SAMPLE, Buffer.alloc(12)],
  ["cut off", SAMPLE.subarray(0, 19), TRANSACTION],
  ["that is an error", Buffer.concat([Buffer.from("0111", "hex"), SAMPLE.subarray(2)]), TRANSACTION],
])("an answer %s is none", (_, packet, transaction) => {
  expect(bindingAnswer(packet, transaction)).toBeUndefined();
});

test("an answer without an address, or with a broken attribute, is one all the same", () => {
  expect(bindingAnswer(SAMPLE.subarray(0, 20), TRANSACTION)).toBe("");
  expect(bindingAnswer(SAMPLE.subarray(0, 45), TRANSACTION)).toBe("");
});

test("a request has the magic cookie and its transaction", () => {
  const { packet, transaction } = bindingRequest();
  expect(packet.toString("hex")).toBe(`000100002112a442${transaction.toString("hex")}`);
  expect(bindingRequest().transaction.equals(transaction)).toBe(false);
});

test("a server that is silent fails with what to do", async () => {
  const server = createSocket("udp4");
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  const { port } = server.address();
  expect(await ask("STUN", "", () => checkStunOverUdp("127.0.0.1", port))).toMatchObject({
    verdict: "FAIL",
    answer: "no answer",
    remedy: expect.stringContaining(`${port}/udp`) as string,
  });
  server.close();
});

test("a server over TLS is asked on one connection; without one it fails", async () => {
  const { private: key, certificate: cert } = selfSigned();
  const server = createServer({ key, cert }, (socket) =>
    socket.on("data", (request) =>
      socket.write(Buffer.concat([Buffer.from("010100002112a442", "hex"), request.subarray(8, 20)])),
    ),
  );
  let connections = 0;
  server.on("secureConnection", () => connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const asked = () => ask("STUN", "", () => checkStunOverTls("localhost", port));
  expect(await asked()).toMatchObject({
    verdict: "ok",
    answer: expect.stringMatching(/^answers in \d+ ms$/) as string,
  });
  expect(connections).toBe(1);
  await new Promise((resolve) => server.close(resolve));
  expect(await asked()).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("ECONNREFUSED") as string,
  });
});

test("a server is asked again when a datagram is lost, and others' datagrams are no answer", async () => {
  const server = createSocket("udp4");
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  let asked = 0;
  server.on("message", (request, { port, address }) => {
    if (++asked === 1) return;
    server.send(SAMPLE, port, address);
    const answer = Buffer.concat([Buffer.from("010100002112a442", "hex"), request.subarray(8, 20)]);
    server.send(answer, port, address);
  });
  const finding = await ask("STUN", "", () => checkStunOverUdp("127.0.0.1", server.address().port));
  server.close();
  expect(finding).toMatchObject({
    verdict: "ok",
    answer: expect.stringMatching(/^answers in \d+ ms$/) as string,
  });
  expect(asked).toBe(4);
});

function selfSigned(): { private: string; certificate: string } {
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
  const pem = execFileSync("openssl", ["req", "-x509", ...options, "-keyout", "-", "-out", "-"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const end = pem.indexOf("-----BEGIN CERTIFICATE");
  return { private: pem.slice(0, end), certificate: pem.slice(end) };
}
