import { CERTIFICATE_DAYS } from "../../bigbluebutton/certificateDays";
import { releases } from "../../bigbluebutton/releases";
import type { AlertsArgument } from "../../package";
import { changed, type Run, runComponents, secretOf, stepsIn, turnPeersIn } from "../support/program";

const common = { domain: "example.org", email: "a@school.org", sshNetworks: ["198.51.100.7/32"] };
const webhook = { url: "https://hooks.school.eu/secret", form: "slack" };

const made = (alerts?: AlertsArgument): Promise<Run> =>
  runComponents(({ BigBlueButton, SharedTurnServer }) => {
    const turn = new SharedTurnServer("relay", { ...common, alerts });
    new BigBlueButton("school", { ...common, turn });
    return {};
  });

test("a shared TURN server checks itself after each change of it, and asks nothing of BigBlueButton", async () => {
  const run = await made({ webhook, healthcheckUrl: "https://hc.eu/relay" });
  const { inputs, secretInputs, dependsOn } = run.get("relay-turn-alerts");
  expect(dependsOn).toContain("relay-turn-configure");
  expect(secretInputs).toContain("stdin");
  expect(JSON.parse(String(inputs.stdin))).toEqual({
    ...{ role: "turn", host: "turn.example.org" },
    alerts: { webhook, healthcheckUrl: "https://hc.eu/relay" },
    request: {
      ...{ role: "turn", zone: "example.org", turnHost: "turn.example.org" },
      ...{ ipv4: expect.any(String) as string, ipv6: expect.any(String) as string },
      ...{ untrustedCa: false, untrustedTurnCa: false, ownCertificates: [] },
      turnSecret: secretOf("relay-turn-secret"),
      certificateDays: CERTIFICATE_DAYS,
      openPorts: releases["jammy-30"].ports.turn.map(({ protocol, from, to }) => ({ protocol, from, to })),
      turnServerConf: {
        path: "/etc/turnserver.conf",
        text: String(run.get("relay-turn-configure").inputs.stdin),
      },
      turnPeers: turnPeersIn(run, "relay-turn"),
    },
  });
  const [component] = run.ofType("bbb:index:SharedTurnServer");
  expect(component!.secretInputs).toContain("alerts");
});

test("without the argument it has no such step, and with it no other step is another", async () => {
  const [bare, run] = [await made(), await made({ webhook })];
  expect(stepsIn(bare).filter(({ name }) => name.endsWith("-alerts"))).toEqual([]);
  expect(changed(bare, run)).toEqual(["relay", "relay-turn-alerts"]);
});
