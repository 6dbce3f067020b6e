import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { releases } from "../../../bigbluebutton/releases";
import { ask } from "../../../operator/check/finding";
import { checkPorts, portsOfOther, tcpPorts, type PortState } from "../../../operator/check/ports";

const { ports } = releases["jammy-30"];

const checked = (role: "bbb" | "turn", states: Readonly<Record<number, PortState>>) =>
  ask("ports", "", () =>
    checkPorts(role, "203.0.113.1", ports[role], (_, port) => Promise.resolve(states[port] ?? "silent")),
  );

const BBB_OPEN = { 80: "open", 443: "open" } as const;
const TURN_OPEN = { 80: "refused", 443: "open", 3478: "open" } as const;

test("single TCP ports only can be tried from outside", () => {
  expect(tcpPorts(ports.bbb)).toEqual([80, 443]);
  expect(tcpPorts(ports.turn)).toEqual([80, 443, 3478]);
});

test.each([
  ["bbb", BBB_OPEN, "ok", "80, 443 let in, 8021, 5060, 5066, 7880 not"],
  ["turn", TURN_OPEN, "ok", "80, 443, 3478 let in, 5766 not"],
  ["bbb", { 80: "open" }, "FAIL", "no answer at 443"],
  ["bbb", { ...BBB_OPEN, 443: "refused" }, "FAIL", "nobody listens at 443"],
  ["turn", { 80: "refused", 443: "refused", 3478: "refused" }, "FAIL", "nobody listens at 443, 3478"],
  ["turn", { 443: "open", 3478: "open" }, "FAIL", "no answer at 80"],
  ["bbb", { ...BBB_OPEN, 8021: "open" }, "FAIL", "open to outside: 8021"],
  [
    "bbb",
    { ...BBB_OPEN, 8021: "refused", 7880: "refused" },
    "warn",
    "8021, 7880 get to the host, which refuses them itself: is the firewall gone?",
  ],
] as const)("%s with %j: %s", async (role, states, verdict, answer) => {
  const finding = await checked(role, states);
  expect(finding).toMatchObject({ verdict, answer });
  expect(finding.remedy === undefined).toBe(verdict === "ok");
});

describe("what a host tries of the other", () => {
  const of = (sshNetworks: readonly string[], name: "jammy-30" | "xenial-22" = "jammy-30") =>
    portsOfOther({
      ...{ role: "bbb", host: "bbb.example.org", from: "203.0.113.2", sshNetworks },
      rules: releases[name].ports.bbb,
    });

  test("is what the release's table says, and SSH, which must be closed to it", () => {
    expect(of(["198.51.100.7/32", "2001:db8::/32"])).toEqual({
      host: "bbb.example.org",
      open: [80, 443],
      quiet: [],
      closed: [22, 8021, 5060, 5066, 7880],
    });
    expect(of([], "xenial-22").open).toEqual([80, 443, 1935, 5066, 7443]);
  });

  test.each(["0.0.0.0/0", "203.0.113.0/24"])("is no SSH where %s may use it", (network) => {
    expect(of(["198.51.100.7/32", network]).closed).toEqual([8021, 5060, 5066, 7880]);
  });
});

test("a port is tried for real", async () => {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const rule = { protocol: "tcp" as const, from: port, to: port, role: "" };
  // Nobody listens on the ports that must be closed; there is no firewall in front of this machine.
  const found = await ask("ports", "", () => checkPorts("turn", "127.0.0.1", [rule]));
  expect(found).toMatchObject({
    verdict: "warn",
    answer: expect.stringMatching(/^5766 get to the host/) as string,
  });
  await new Promise((resolve) => server.close(resolve));
  expect(await ask("ports", "", () => checkPorts("turn", "127.0.0.1", [rule]))).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining(`nobody listens at ${port}`) as string,
  });
});
