import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { killGroup, outside, start, type Result } from "./sandbox";

/** Telephones outside, by SIPp: a provider's registrar, a trunk, and callers. */

const COPIED = "[last_Via:]\n[last_From:]\n[last_To:];tag=[call_number]\n[last_Call-ID:]\n[last_CSeq:]";

const scenario = (name: string, steps: readonly string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="${name}">\n${steps.join("\n")}\n</scenario>\n`;
const send = (text: string, attributes = "") =>
  `<send${attributes}><![CDATA[\n\n${text}\nContent-Length: [len]\n\n]]></send>`;

/** Provider that registers one account, if it knows the password, and refuses it otherwise. */
export function registrar(user: string, password: string): string {
  const challenge = `WWW-Authenticate: Digest realm="school", nonce="n0nce-of-the-registrar", algorithm=MD5, qop="auth"`;
  return scenario("registrar", [
    `<recv request="REGISTER"/>`,
    send(`SIP/2.0 401 Unauthorized\n${COPIED}\n${challenge}`),
    `<recv request="REGISTER"><action><verifyauth assign_to="good" username="${user}" password="${password}"/></action></recv>`,
    `<nop hide="true" test="good" next="1"/>`,
    send(`SIP/2.0 403 Forbidden\n${COPIED}`, ` next="2"`),
    `<label id="1"/>`,
    send(`SIP/2.0 200 OK\n${COPIED}\n[last_Contact:]\nExpires: 3600`),
    `<label id="2"/>`,
  ]);
}

/** Telephone system that answers whether it is there, and registers nobody. */
export const trunk = scenario("trunk", [`<recv request="OPTIONS"/>`, send(`SIP/2.0 200 OK\n${COPIED}`)]);

const REQUEST = (method: string, number: number, more = "") =>
  `${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:01711233121@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>${number > 1 ? "[peer_tag_param]" : ""}
Call-ID: [call_id]
CSeq: ${number} ${method}
Contact: <sip:01711233121@[local_ip]:[local_port]>
Max-Forwards: 70${more}`;

const SOUND = `
Content-Type: application/sdp

v=0
o=caller 1 1 IN IP4 [local_ip]
s=call
c=IN IP4 [local_ip]
t=0 0
m=audio 30000 RTP/AVP 0
a=rtpmap:0 PCMU/8000`;

/** Body of a request: the length is its own, not that of the headers. */
function sending(text: string): string {
  const [headers = "", ...body] = text.split("\n\n");
  return `<send><![CDATA[\n\n${headers}\nContent-Length: [len]\n\n${body.join("\n\n")}\n]]></send>`;
}

/**
 * Caller who is answered, and enters numbers one after the other.
 *
 * @param ends Who hangs up: the caller, some seconds after the last number, or the server.
 */
export function caller(numbers: readonly string[], ends: "caller" | "server"): string {
  let sequence = 2;
  const press = (digit: string) => [
    sending(
      `${REQUEST("INFO", sequence++, "\nContent-Type: application/dtmf-relay")}\n\nSignal=${digit}\nDuration=160`,
    ),
    `<recv response="200"/>`,
  ];
  return scenario("caller", [
    sending(REQUEST("INVITE", 1, SOUND)),
    `<recv response="200"/>`,
    sending(REQUEST("ACK", 1).replace(/^To: .*$/m, (to) => `${to}[peer_tag_param]`)),
    ...numbers.flatMap((digits) => [`<pause milliseconds="1500"/>`, ...[...digits].flatMap(press)]),
    ...(ends === "caller"
      ? [`<pause milliseconds="8000"/>`, sending(REQUEST("BYE", sequence)), `<recv response="200"/>`]
      : [
          `<recv request="BYE" timeout="20000"/>`,
          send("SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"),
        ]),
  ]);
}

export interface Answering {
  /** Ends it. @returns what it printed */
  stop(): string;
}

/** Starts a scenario that answers, as the outside client `internet` with its address. */
export async function answering(xml: string, address: string): Promise<Answering> {
  const directory = mkdtempSync(join(tmpdir(), "sip-"));
  const file = join(directory, "scenario.xml");
  writeFileSync(file, xml);
  const child = start(["exec", "--", "sipp", "-sf", file, ...options(address, 5060, directory)]);
  let output = "";
  child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
  child.stderr?.on("data", (data: Buffer) => (output += data.toString()));
  await sleep(2000);
  if (child.exitCode !== null) throw new Error(`sipp did not start: ${output}`);
  return {
    stop() {
      killGroup(child);
      rmSync(directory, { recursive: true, force: true });
      return output;
    },
  };
}

/**
 * Makes one call from an outside client to a number at a server; exit code 0 for one that went as the scenario says.
 *
 * @param seconds Longest time of it.
 */
export async function call(
  xml: string,
  from: { readonly as: "internet" | "operator"; readonly address: string },
  to: { readonly number: string; readonly address: string },
  seconds = 40,
): Promise<Result & { readonly messages: string }> {
  const directory = mkdtempSync(join(tmpdir(), "sip-"));
  const file = join(directory, "scenario.xml");
  const messages = join(directory, "messages");
  writeFileSync(file, xml);
  writeFileSync(messages, "");
  try {
    const traced = [
      "-trace_msg",
      "-message_file",
      messages,
      "-m",
      "1",
      "-timeout",
      `${seconds}s`,
      "-timeout_error",
    ];
    const result = await outside(
      [
        "sipp",
        "-sf",
        file,
        ...options(from.address, 5099, directory),
        ...traced,
        "-s",
        to.number,
        to.address,
      ],
      { as: from.as },
    );
    return { ...result, messages: readFileSync(messages, "utf8") };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function options(address: string, port: number, directory: string): string[] {
  return [
    ...["-i", address, "-p", String(port), "-nostdin", "-deadcall_wait", "0"],
    ...["-trace_err", "-error_file", join(directory, "errors"), "-nd"],
  ];
}
