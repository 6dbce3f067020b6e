import {
  renderHops,
  renderHopsRemoval,
  renderTranslations,
  renderTranslationTable,
} from "../../../sandbox/network/translation";
import { renderTable } from "../../../sandbox/network/firewall";

const table = renderTranslationTable();

test("public and private address are translated both ways, each pair once", () => {
  expect(
    renderTranslations([
      { ipv4: "203.0.113.11", privateIpv4: "172.31.5.5", ipv6: "2001:db8:7::5" },
      { privateIpv4: "172.31.20.10" },
      { ipv4: "203.0.113.20", ipv6Network: "2001:db8:9::/64" },
    ]),
  ).toBe(`flush map ip translation to_private
add element ip translation to_private { 203.0.113.11 : 172.31.5.5 }
flush map ip translation to_public
add element ip translation to_public { 172.31.5.5 : 203.0.113.11 }
flush set ip translation public
add element ip translation public { 203.0.113.11 }
flush set ip translation private
add element ip translation private { 172.31.5.5, 172.31.20.10 }
flush set ip translation unreachable
add element ip translation unreachable { 172.31.20.10 }
`);
});

test("without such hosts nothing is left of those that were", () => {
  const lines = renderTranslations([{ ipv4: "203.0.113.20" }])
    .trim()
    .split("\n");
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line).toMatch(/^flush (map|set) ip translation [a-z_]+$/);
});

test("while one host replaces another of the same addresses, nft gets no element twice", () => {
  const old = { ipv4: "203.0.113.11", privateIpv4: "172.31.5.5" };
  expect(renderTranslations([old, old])).toBe(renderTranslations([old]));
  const moved = renderTranslations([old, { ipv4: "203.0.113.11", privateIpv4: "172.31.5.6" }]);
  expect(moved).toContain("to_private { 203.0.113.11 : 172.31.5.6 }");
  expect(moved).toContain("to_public { 172.31.5.6 : 203.0.113.11 }");
  expect(moved).toContain("unreachable { 172.31.5.5 }");
});

test("every set and map that is filled is one of the table's", () => {
  const filled = renderTranslations([]).match(/(?<=flush )(map|set) ip translation \w+/g) ?? [];
  expect(filled).toHaveLength(5);
  for (const name of filled) expect(table).toContain(`  ${name.replace("ip translation ", "")} {\n`);
});

test("the cloud's firewall sees an inbound packet translated, and its sender as the host will", () => {
  const priority = (text: string, chain: string): number =>
    Number(new RegExp(`chain ${chain} \\{\\s+type \\w+ hook postrouting priority (\\d+)`).exec(text)?.[1]);
  expect(priority(renderTable(), "firewall")).toBeGreaterThan(priority(table, "outbound"));
  expect(table).toMatch(/chain inbound \{\s+type nat hook prerouting/);
});

test("the metadata service sees the private address, by which it knows a host", () => {
  expect(table).toMatch(/ip daddr != \{[^}]*169\.254\.169\.254[^}]*\} snat to ip saddr map @to_public/);
});

test("answers of the metadata service live for as many hops as asked for, until the host's end", () => {
  expect(renderHops("7", 1)).toContain("chain hops_h7 {\n    ip ttl set 1\n");
  expect(renderHops("7", 2)).toContain("ip ttl set 2\n");
  expect(renderHops("7", 1)).toContain('hops { "h7" : goto hops_h7 }');
  expect(renderHopsRemoval("7")).toContain('delete element ip translation hops { "h7" }\n');
  expect(renderHopsRemoval("7")).toContain("delete chain ip translation hops_h7\n");
});
