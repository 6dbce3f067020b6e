import { MEDIA_PORT } from "./checks";
import { privateIpv4 } from "./hosts";
import type { Outputs } from "./sandbox";
import type { Scenario } from "./scenarios";
import { ALL_WAYS_IN, forbiddenPeers, tryPeers } from "./turn";

/**
 * Tests for each way in and each family of relayed addresses: nothing is relayed to any address but BigBlueButton's.
 */
export function refusalTests(
  scenario: Scenario,
  families: readonly ("ipv4" | "ipv6")[],
  deployed: () => Outputs,
): void {
  const { turn: server, bbb } = scenario.names;
  for (const way of ALL_WAYS_IN) {
    for (const relayed of families) {
      test(`over ${way.transport} ${way.port}, ${relayed} peers: the BigBlueButton host is relayed to, and no other address`, async () => {
        const { addresses, turnSecret: secret } = deployed();
        const forbidden = new Set(forbiddenPeers(addresses.turn, addresses.bbb.ipv4)[relayed]);
        const allowed = [addresses.bbb[relayed]];
        // coturn takes its own addresses for peers behind NAT; the host itself lets nothing through to them.
        const own = scenario.behindNat ? [addresses.turn.ipv4, (await privateIpv4(server))!] : [];
        if (scenario.behindNat) allowed.push((await privateIpv4(bbb))!);
        own.forEach((address) => forbidden.delete(address));

        const tried = [...allowed, ...own, ...forbidden];
        const { answers, relayed: to } = await tryPeers(
          { server, ...way, relayed, secret },
          tried,
          MEDIA_PORT,
        );
        expect(tried.length).toBeGreaterThan(20);
        expect(answers).toEqual({
          ...Object.fromEntries([...allowed, ...own].map((address) => [address, ["ok", "ok", "ok"]])),
          ...Object.fromEntries([...forbidden].map((address) => [address, ["ok", 403, 403]])),
        });
        expect(to).toEqual(expect.arrayContaining([addresses.bbb[relayed]]));
        expect(to.filter((address) => !allowed.includes(address))).toEqual([]);
      });
    }
  }
}
