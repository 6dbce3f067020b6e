import { ROUTER } from "./addresses";
import { runIn, tryRun } from "./run";

/**
 * A recorder of what arrives on a host's interface, whatever the host itself then does with it: packets are
 * noted on the wire, behind the cloud firewall and out of reach of the host's own nftables.
 */

/** One packet, or many alike, that was put on a host's wire. */
export interface Probe {
  readonly source: string;
  readonly destination: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

const TABLE = "inet probes";

/** The recorder's table: one set an address family, filled by the kernel. */
export function renderRecorder(): string {
  const set = (family: 4 | 6): string => `
  set seen${family} {
    type ipv${family}_addr . ipv${family}_addr . inet_proto . inet_service
    size 2000000
    flags dynamic
  }`;
  return `table ${TABLE} {${set(4)}${set(6)}
  chain wire {
    type filter hook postrouting priority 400; policy accept;
    oifname != "h*" accept
    ct state established,related accept
    meta nfproto ipv4 meta l4proto { tcp, udp } add @seen4 { ip saddr . ip daddr . meta l4proto . th dport }
    meta nfproto ipv6 meta l4proto { tcp, udp } add @seen6 { ip6 saddr . ip6 daddr . meta l4proto . th dport }
  }
}
`;
}

/** Begin to record, with nothing recorded yet. */
export async function startProbes(): Promise<void> {
  await stopProbes();
  await runIn(ROUTER, ["nft", "-f", "-"], { input: renderRecorder() });
}

/** What has arrived since startProbes. */
export async function readProbes(): Promise<Probe[]> {
  const lists = await Promise.all(
    ["seen4", "seen6"].map((set) => runIn(ROUTER, ["nft", "-j", "list", "set", ...TABLE.split(" "), set])),
  );
  return lists.flatMap(parseProbes);
}

/** The probes in the answer of `nft -j list set`. */
export function parseProbes(json: string): Probe[] {
  type Element = { concat: [string, string, string, number] };
  type Entry = { set?: { elem?: (Element | { elem: { val: Element } })[] } };
  const { nftables } = JSON.parse(json) as { nftables: Entry[] };
  return nftables.flatMap(({ set }) =>
    (set?.elem ?? []).map((element) => {
      const { concat } = "elem" in element ? element.elem.val : element;
      const [source, destination, protocol, port] = concat;
      return { source, destination, protocol: protocol as Probe["protocol"], port: Number(port) };
    }),
  );
}

/** End the recording. */
export async function stopProbes(): Promise<void> {
  await tryRun("nsenter", [`--net=/run/netns/${ROUTER}`, "--", "nft", "delete", "table", ...TABLE.split(" ")]);
}

