/** DNS answers to a fake host about the zone example.test. */
export interface Dns {
  /** Name servers that the parent refers to. */
  readonly delegation: readonly string[];
  /** Records of "name type" per name server. One that is absent does not answer. */
  readonly servers: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  /** DS records that the parent has of the zone. @default none */
  readonly ds?: readonly string[];
}

export const GOOD: Dns = {
  delegation: ["ns1.example.net.", "ns2.example.net."],
  servers: {
    "192.0.2.1": { "bbb.example.test A": ["203.0.113.10"], ...turnRecords() },
    "192.0.2.2": { "bbb.example.test A": ["203.0.113.10"], ...turnRecords() },
  },
};

function turnRecords() {
  return { "turn.example.test A": ["203.0.113.11"], "turn.example.test AAAA": ["2001:DB8:2:0::1"] };
}

/** Stand-in for dig: it asks a parent `test` at 192.0.2.9 and the zone's servers at 192.0.2.1 and .2. */
export function dig(dns: Dns): string {
  const answer = (name: string, type: string, values: readonly string[]) =>
    values
      .map((value) => `${name}. 60 IN ${value.startsWith("CNAME ") ? value : `${type} ${value}`}`)
      .join("\n");
  const cases = [
    ["- test NS", answer("test", "NS", ["a.nic.test."])],
    ["- a.nic.test A", answer("a.nic.test", "A", ["192.0.2.9"])],
    ["- ns1.example.net A", answer("ns1.example.net", "A", ["192.0.2.1"])],
    ["- ns2.example.net A", answer("ns2.example.net", "A", ["192.0.2.2"])],
    ["@192.0.2.9 example.test NS", answer("example.test", "NS", dns.delegation)],
    ["@192.0.2.9 example.test DS", answer("example.test", "DS", dns.ds ?? [])],
    ...Object.entries(dns.servers).flatMap(([server, records]) =>
      Object.entries(records).map(([query, values]) => {
        const [name, type] = query.split(" ");
        return [`@${server} ${query}`, answer(name!, type!, values)];
      }),
    ),
  ];
  const silent = ["192.0.2.1", "192.0.2.2"].filter((server) => !(server in dns.servers));
  return [
    'server=-; for arg in "$@"; do case $arg in @*) server=$arg ;; esac; done',
    'query="$server ${*: -2:1} ${*: -1}"',
    ...silent.map(
      (server) => `[[ $server != @${server} ]] || { echo ";; no servers could be reached"; exit 9; }`,
    ),
    'echo ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 1"',
    'case "$query" in',
    ...cases.map(([query, text]) => `  "${query}") cat <<'HERE'\n${text}\nHERE\n  ;;`),
    "esac",
  ].join("\n");
}
