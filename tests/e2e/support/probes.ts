import type { PortRule } from "../../../bigbluebutton/ports";
import { TOOLS, killGroup, start, tool, type Addresses } from "./sandbox";
import { readFileSync } from "node:fs";

/** Addresses of the outside clients (sandbox/README.md). */
const CLIENTS = {
  internet: { ipv4: "192.0.2.20", ipv6: "2001:db8:fffe:2::20" },
  operator: { ipv4: "192.0.2.10", ipv6: "2001:db8:fffe:1::10" },
} as const;

/** UDP ports worth probing: both sides of every range's edges, and the ends of the number space. */
function udpEdges(rules: readonly PortRule[]): number[] {
  const edges = rules
    .filter(({ protocol }) => protocol === "udp")
    .flatMap(({ from, to }) => [from - 1, from, to, to + 1]);
  return [...new Set([1, 53, 22, 80, 443, 65535, ...edges])].filter((port) => port >= 1 && port <= 65535);
}

/** Probes that the table allows, as "tcp 443" lines. */
export function expected(rules: readonly PortRule[], extra: readonly string[] = []): string[] {
  const tcp = rules
    .filter(({ protocol }) => protocol === "tcp")
    .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => `tcp ${from + n}`));
  const udp = udpEdges(rules)
    .filter((port) => rules.some((r) => r.protocol === "udp" && r.from <= port && port <= r.to))
    .map((port) => `udp ${port}`);
  return [...new Set([...tcp, ...udp, ...extra])].sort();
}

/** Sends all TCP ports and the UDP edges to a host; returns those that arrived on its interface, by address family. */
export async function scan(
  fqdn: string,
  address: Addresses,
  rules: readonly PortRule[],
  client: "internet" | "operator",
): Promise<Record<"ipv4" | "ipv6", string[]>> {
  const from = CLIENTS[client];
  const recorder = await record(fqdn, [from.ipv4, from.ipv6]);
  const udp = udpEdges(rules).join(",");
  const probes = [address.ipv4, address.ipv6].flatMap((target) => [
    { address: target, protocol: "tcp", ports: "1-65535" },
    // Twice, as nobody sends a lost datagram again.
    { address: target, protocol: "udp", ports: `${udp},${udp}` },
  ]);
  await tool<number>("send_probes", probes, { as: client });
  const arrived = await recorder.stop();
  const of = (source: string) =>
    arrived
      .filter(([sender]) => sender === source)
      .map(([, protocol, port]) => `${protocol} ${port}`)
      .sort();
  return { ipv4: of(from.ipv4), ipv6: of(from.ipv6) };
}

type Arrival = [source: string, protocol: string, port: number];

async function record(fqdn: string, sources: readonly string[]): Promise<{ stop(): Promise<Arrival[]> }> {
  const script = readFileSync(`${TOOLS}/record_probes.py`, "utf8");
  const child = start(["exec", "--at", fqdn, "--", "python3", "-c", script, "120", ...sources]);
  let output = "";
  let errors = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  const deadline = Date.now() + 30_000;
  while (!output.includes("recording\n")) {
    if (Date.now() > deadline || child.exitCode !== null) {
      killGroup(child);
      throw new Error(`the recorder on ${fqdn} did not start: ${errors}`);
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  return {
    async stop() {
      await new Promise((done) => setTimeout(done, 1000)); // what is still on the wire
      child.stdin?.end();
      await ended;
      const result = JSON.parse(output.split("\n")[1] ?? "") as { arrived: Arrival[]; dropped: number };
      if (result.dropped > 0) throw new Error(`the recorder on ${fqdn} lost ${result.dropped} packets`);
      return result.arrived;
    },
  };
}
