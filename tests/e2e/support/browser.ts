import { createHmac } from "node:crypto";
import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import { chromium, type Page } from "playwright-core";

import { asClient, clientEnvironment } from "../../../sandbox/commands/client";
import { findHost } from "../../../sandbox/commands/exec";
import {
  clientNamespace,
  CLIENTS,
  hostNamespace,
  SERVICES,
  serviceIpv6,
} from "../../../sandbox/network/addresses";
import { INTERFACE, renderInnerEnd } from "../../../sandbox/network/namespaces";
import { inNamespace, run, runIn } from "../../../sandbox/network/run";
import { CA_BUNDLE } from "../../../sandbox/paths";
import { TOOLS } from "./sandbox";

/** Chromium as a user on the internet, its network, and a WebRTC peer on the BigBlueButton host. */

const PEER_PYTHON = process.env.BBB_BROWSER_PYTHON ?? "/var/cache/bbb-sandbox/browser/bin/python";
const INTERNET = clientNamespace("internet");

export interface IceServer {
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
}

/** ICE server that BigBlueButton hands to a client: credentials made from the secret, valid for a day. */
export function iceServer(urls: readonly string[], secret: string, user = "w_pupil"): IceServer {
  const username = `${Math.floor(Date.now() / 1000) + 86400}:${user}`;
  return { urls, username, credential: createHmac("sha1", secret).update(username).digest("base64") };
}

/** Result of page.html's `attempt`. */
export interface Attempt {
  readonly works: boolean;
  /** Number of the browser's own candidates; with relays only, of its relays. */
  readonly candidates: number;
  /** URL and error code of each ICE server that failed. */
  readonly errors: readonly (readonly [string, number])[];
  readonly echoed: number;
  readonly heard: number;
  readonly type?: string;
  readonly url?: string;
  readonly relayProtocol?: string;
  readonly peer?: string;
}

export interface Way {
  readonly title: string;
  readonly explanation?: string;
  /** TURN server; without one every way is tried. */
  readonly server?: IceServer;
  /** Seconds to wait for sound and data. @default 30 */
  readonly seconds?: number;
}

export interface Peer {
  answerTo(offer: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts the peer on this machine, in the network of the BigBlueButton host, whose own Python need not know WebRTC. */
export async function startPeer(fqdn: string): Promise<Peer> {
  const command = inNamespace(hostNamespace(findHost(fqdn).id), [PEER_PYTHON, `${TOOLS}/webrtc_peer.py`]);
  const child = spawn(command[0]!, command.slice(1), { stdio: "pipe" });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the WebRTC peer has ended: ${errors}`);
    return value;
  };
  await line();
  return {
    async answerTo(offer) {
      child.stdin.write(`${JSON.stringify({ offer })}\n`);
      return (JSON.parse(await line()) as { answer: string }).answer;
    },
    async stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await ended;
      clearTimeout(timer);
    },
  };
}

export interface Browser {
  readonly page: Page;
  attempt(way: Way): Promise<Attempt>;
  close(): Promise<void>;
}

export interface BrowserOptions {
  /** Trusts the sandbox's authorities. @default true */
  readonly trusting?: boolean;
  /** Peer of the page's attempts. */
  readonly peer?: Peer;
}

/** Opens Chromium with the page of tests/e2e/browser. */
export async function openBrowser({ trusting = true, peer }: BrowserOptions = {}): Promise<Browser> {
  const home = mkdtempSync(join(tmpdir(), "browser-"));
  const database = join(home, ".pki", "nssdb");
  mkdirSync(database, { recursive: true });
  await run("certutil", ["-d", `sql:${database}`, "-N", "--empty-password"]);
  if (trusting) await trust(database);
  const context = await chromium
    .launchPersistentContext(join(home, "profile"), {
      executablePath: outsideProgram(home, "chromium"),
      env: { ...definite(clientEnvironment(process.env)), HOME: home },
      viewport: { width: 960, height: 400 },
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--autoplay-policy=no-user-gesture-required",
      ],
    })
    .catch((error: unknown) => {
      rmSync(home, { recursive: true, force: true });
      throw error;
    });
  const page = context.pages()[0] ?? (await context.newPage());
  if (peer) await page.exposeFunction("answerTo", (offer: string) => peer.answerTo(offer));
  await page.goto(`file://${resolve(__dirname, "../browser/page.html")}`);
  return {
    page,
    attempt: ({ title, explanation = "", server, seconds = 30 }) =>
      inPage<Attempt>(page, "attempt", { title, explanation, seconds, configuration: configuration(server) }),
    async close() {
      await context.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Opens so many connections with one TURN server; returns the number of relays of each, and its failures. */
export function openMany(
  { page }: Browser,
  count: number,
  server: IceServer,
): Promise<Pick<Attempt, "candidates" | "errors">[]> {
  return inPage(page, "many", count, configuration(server));
}

function configuration(server: IceServer | undefined) {
  return server ? { iceServers: [server], iceTransportPolicy: "relay" } : {};
}

/** Calls a function of page.html. */
async function inPage<T>(page: Page, name: string, ...args: readonly unknown[]): Promise<T> {
  return await page.evaluate(`${name}(...${JSON.stringify(args)})`);
}

function definite(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => !!entry[1]),
  );
}

async function trust(database: string): Promise<void> {
  const certificates =
    readFileSync(CA_BUNDLE, "utf8").match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? [];
  for (const [index, certificate] of certificates.entries()) {
    const args = ["-d", `sql:${database}`, "-A", "-n", `sandbox ${index}`, "-t", "C,,", "-a"];
    await run("certutil", args, { input: `${certificate}\n` });
  }
}

/** Path of a program that runs another as the client on the internet. */
function outsideProgram(directory: string, program: string): string {
  const path = join(directory, program);
  // An IPv6-only network has its own name server.
  const resolver = join(directory, "resolv.conf");
  const quoted = (words: readonly string[]) =>
    words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const here = 'if [ -e "$0" ]; then mount --bind "$0" /etc/resolv.conf; fi; exec "$@"';
  if (ipv6Alone) writeFileSync(resolver, `nameserver ${serviceIpv6(SERVICES.resolver)}\n`);
  writeFileSync(
    path,
    `#!/bin/sh\nexec ${quoted(asClient("internet", ["sh", "-euc", here, resolver, program]))} "$@"\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

/** Runs the work behind a firewall that allows only HTTPS and DNS outwards. */
export async function behindFirewall<T>(work: () => Promise<T>): Promise<T> {
  await runIn(INTERNET, ["nft", "-f", "-"], {
    input: `table inet browser {
  chain output {
    type filter hook output priority 0; policy drop;
    oifname lo accept
    meta l4proto ipv6-icmp accept
    tcp dport { 53, 443 } accept
    udp dport 53 accept
  }
}
`,
  });
  try {
    return await work();
  } finally {
    await runIn(INTERNET, ["nft", "delete", "table", "inet", "browser"]);
  }
}

let ipv6Alone = false;

/** Runs the work without IPv4. */
export async function withIpv6Alone<T>(work: () => Promise<T>): Promise<T> {
  const { ipv4 } = CLIENTS.internet;
  await run("ip", ["-n", INTERNET, "-4", "route", "flush", "dev", INTERFACE]);
  await run("ip", ["-n", INTERNET, "address", "delete", `${ipv4}/32`, "dev", INTERFACE]);
  ipv6Alone = true;
  try {
    return await work();
  } finally {
    ipv6Alone = false;
    const lines = renderInnerEnd(ipv4, undefined);
    await run("ip", ["-n", INTERNET, "-batch", "-"], { input: `${lines.join("\n")}\n` });
  }
}
