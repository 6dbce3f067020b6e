import { sshNetworkProblems } from "../../settings/sshNetworks";

const many = (count: number) => Array.from({ length: count }, (_, i) => `198.51.100.${i}/32`);
const reasons = (values: Parameters<typeof sshNetworkProblems>[0]) =>
  sshNetworkProblems(values).map(({ key, reason }) => `${key} ${reason}`);

test("the deployment's own connection is over IPv4, which some network must let in", () => {
  const [problem, ...others] = sshNetworkProblems({ cloud: "hetzner", sshNetworks: ["2001:db8::/32"] });
  expect(others).toEqual([]);
  expect(problem).toMatchObject({
    key: "sshNetworks",
    reason: expect.stringContaining("has IPv6 networks only") as string,
    remedy: expect.stringContaining("pulumi config set --path 'sshNetworks[1]' YOUR-ADDRESS/32") as string,
  });
  expect(reasons({ cloud: "hetzner", sshNetworks: ["2001:db8::/32", "198.51.100.7/32"] })).toEqual([]);
});

test("as many as a cloud's firewall takes, and no more", () => {
  expect(reasons({ cloud: "hetzner", sshNetworks: many(100) })).toEqual([]);
  expect(reasons({ cloud: "hetzner", sshNetworks: many(101) })).toEqual([
    "sshNetworks has 101; a firewall's rule at Hetzner Cloud takes 100",
  ]);
  // 60 rules, less five of the port table and ICMP.
  const aws = { cloud: "aws", release: "jammy-30" } as const;
  expect(reasons({ ...aws, sshNetworks: many(54) })).toEqual([]);
  expect(reasons({ ...aws, sshNetworks: [...many(54), ...ipv6(54)] })).toEqual([]);
  expect(reasons({ ...aws, sshNetworks: many(55) })).toEqual([
    "sshNetworks has 55 of IPv4; a security group at AWS has room for 54 beside the other rules",
  ]);
});

test("of both clouds where the TURN server is at the other one", () => {
  expect(reasons({ cloud: "hetzner", turnCloud: "aws", sshNetworks: many(101) })).toEqual([
    expect.stringContaining("at Hetzner Cloud"),
    expect.stringContaining("at AWS"),
  ]);
  const elsewhere = { turnCloud: "aws", turnStack: "prod" } as const;
  expect(reasons({ cloud: "hetzner", ...elsewhere, sshNetworks: many(60) })).toEqual([]);
});

function ipv6(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `2001:db8:${i.toString(16)}::/48`);
}
