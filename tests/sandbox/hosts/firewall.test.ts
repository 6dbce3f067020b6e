import { renderHost, renderHostRemoval, renderRules, renderTable } from "../../../sandbox/network/firewall";

const everyone = ["0.0.0.0/0", "::/0"];

test("without a firewall everything passes", () => {
  expect(renderRules("7", undefined)).toBe("flush chain inet cloud fw_h7\n");
});

test("with a firewall only answers, neighbour discovery and what is allowed pass", () => {
  expect(renderRules("7", [])).toBe(
    [
      "flush chain inet cloud fw_h7",
      "add rule inet cloud fw_h7 ct state established,related accept",
      "add rule inet cloud fw_h7 icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, nd-router-advert } accept",
      "add rule inet cloud fw_h7 drop",
      "",
    ].join("\n"),
  );
});

test.each([
  [
    { protocol: "tcp", ports: "443", sources: everyone },
    ["meta nfproto ipv4 tcp dport 443", "meta nfproto ipv6 tcp dport 443"],
  ],
  [
    { protocol: "udp", ports: "16384-32768", sources: ["0.0.0.0/0"] },
    ["meta nfproto ipv4 udp dport 16384-32768"],
  ],
  [{ protocol: "tcp", ports: "any", sources: ["::/0"] }, ["meta nfproto ipv6 meta l4proto tcp"]],
  [
    { protocol: "icmp", sources: everyone },
    ["meta nfproto ipv4 meta l4proto icmp", "meta nfproto ipv6 meta l4proto icmpv6"],
  ],
  [
    // One contains the other, which one set of nft would refuse.
    { protocol: "tcp", ports: "22", sources: ["192.0.2.0/24", "192.0.2.10/32", "2001:db8::/32"] },
    [
      "ip saddr 192.0.2.0/24 tcp dport 22",
      "ip saddr 192.0.2.10/32 tcp dport 22",
      "ip6 saddr 2001:db8::/32 tcp dport 22",
    ],
  ],
  [{ protocol: "gre", sources: ["192.0.2.1/32"] }, ["ip saddr 192.0.2.1/32 meta l4proto gre"]],
] as const)("%j becomes nftables", (rule, matches) => {
  const lines = renderRules("7", [rule]).trim().split("\n").slice(3, -1);
  expect(lines).toEqual(matches.map((match) => `add rule inet cloud fw_h7 ${match} accept`));
});

test("a host's removal takes away all that its making added", () => {
  const made = [...renderHost("42").matchAll(/^ {2}(chain|counter) (\S+)/gm)].map(
    ([, kind, name]) => `${kind} inet cloud ${name}`,
  );
  expect(made).toHaveLength(3);
  for (const thing of made) expect(renderHostRemoval("42")).toContain(`delete ${thing}\n`);
  expect(renderHostRemoval("42").match(/delete element/g)).toHaveLength(2);
});

test("SSH connections are counted by client, behind the firewall", () => {
  const table = renderTable();
  expect(table).toContain("ip saddr 192.0.2.10 tcp dport 22");
  expect(table).toContain("ip6 saddr 2001:db8:fffe:1::10 tcp dport 22");
  const priority = (chain: string): number =>
    Number(new RegExp(`chain ${chain} \\{\\s+type filter hook postrouting priority (\\d+)`).exec(table)?.[1]);
  expect(priority("count")).toBeGreaterThan(priority("firewall"));
});
