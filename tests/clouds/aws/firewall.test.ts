import { dialInPorts } from "../../../bigbluebutton/dialIn";
import { releaseNames, releases } from "../../../bigbluebutton/releases";
import { ingressRules } from "../../../clouds/aws/firewall";

const sshNetworks = ["198.51.100.0/24", "2001:db8:1::/48", "2001:db8::1:0/112"];

test("SSH from each of the operator's networks, ICMP and every row of the port table, by family", () => {
  const ports = [{ protocol: "udp" as const, from: 16384, to: 32768, role: "Media" }];
  const ssh = {
    description: "SSH: networks of the operator only",
    ipProtocol: "tcp",
    fromPort: 22,
    toPort: 22,
  };
  const icmp = { description: "ICMP: path MTU discovery, ping", fromPort: -1, toPort: -1 };
  const media = { description: "Media", ipProtocol: "udp", fromPort: 16384, toPort: 32768 };
  expect(ingressRules({ ports, sshNetworks: sshNetworks.slice(0, 2) })).toEqual([
    { name: "ssh-198.51.100.0-24", ...ssh, cidrIpv4: "198.51.100.0/24" },
    { name: "ssh-2001-db8-1---48", ...ssh, cidrIpv6: "2001:db8:1::/48" },
    { name: "icmp-ipv4", ...icmp, ipProtocol: "icmp", cidrIpv4: "0.0.0.0/0" },
    { name: "icmp-ipv6", ...icmp, ipProtocol: "icmpv6", cidrIpv6: "::/0" },
    { name: "udp-16384-32768-ipv4", ...media, cidrIpv4: "0.0.0.0/0" },
    { name: "udp-16384-32768-ipv6", ...media, cidrIpv6: "::/0" },
  ]);
});

test("a port that some networks alone may reach has a rule for each of them", () => {
  const row = { protocol: "tcp" as const, from: 9100, to: 9100, role: "Metrics" };
  const rules = ingressRules({ ports: [{ ...row, sources: sshNetworks.slice(0, 2) }], sshNetworks: [] });
  const metrics = { description: "Metrics", ipProtocol: "tcp", fromPort: 9100, toPort: 9100 };
  expect(rules.slice(2)).toEqual([
    { name: "tcp-9100-198.51.100.0-24", ...metrics, cidrIpv4: "198.51.100.0/24" },
    { name: "tcp-9100-2001-db8-1---48", ...metrics, cidrIpv6: "2001:db8:1::/48" },
  ]);
});

test("a port for some networks has a rule for each of them, and none for everybody", () => {
  const ports = dialInPorts(["198.51.100.0/24", "192.0.2.7/32"]);
  const sip = { fromPort: 5060, toPort: 5060, ipProtocol: "udp" };
  const description = "SIP: calls from the telephone provider only";
  expect(ingressRules({ ports, sshNetworks: [] }).slice(2)).toEqual([
    { name: "udp-5060-198.51.100.0-24", description, ...sip, cidrIpv4: "198.51.100.0/24" },
    { name: "udp-5060-192.0.2.7-32", description, ...sip, cidrIpv4: "192.0.2.7/32" },
  ]);
});

describe.each(releaseNames)("%s", (name) => {
  const all = Object.values(releases[name].ports).map((ports) => ingressRules({ ports, sshNetworks }));

  test("every rule has a name of its own, which can be part of a URN", () => {
    for (const rules of all) {
      const names = rules.map((rule) => rule.name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.filter((one) => !/^[a-z0-9.-]+$/.test(one))).toEqual([]);
    }
  });

  test("EC2 takes the rules' descriptions", () => {
    const descriptions = all.flat().map(({ description }) => description);
    const taken = /^[a-zA-Z0-9. _:/()#,@[\]+=&;{}!$*-]{1,255}$/;
    expect(descriptions.filter((description) => !taken.test(description))).toEqual([]);
  });

  test("they stay within the 60 rules of a group, of each family", () => {
    for (const rules of all) {
      expect(rules.filter(({ cidrIpv4 }) => cidrIpv4).length).toBeLessThanOrEqual(60);
      expect(rules.filter(({ cidrIpv6 }) => cidrIpv6).length).toBeLessThanOrEqual(60);
    }
  });
});
