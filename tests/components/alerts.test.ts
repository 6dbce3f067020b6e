import * as pulumi from "@pulumi/pulumi";

import { renderAlerts } from "../../bigbluebutton/alerts";
import type { HostRequest } from "../../bigbluebutton/verification";
import {
  changed,
  idOf,
  type Registered,
  reveal,
  type Run,
  runProgram,
  scripts,
  settings,
  stepsIn,
} from "../support/program";

const ways = {
  ...{ webhook: { url: "https://hooks.school.eu/secret", form: "slack" as const } },
  ...{ healthcheckUrl: "https://hc.eu/bbb", turnHealthcheckUrl: "https://hc.eu/turn" },
};

let without: Run;
let run: Run;
beforeAll(async () => {
  without = await runProgram();
  run = await runProgram({ settings: { alerts: pulumi.secret(ways) } });
});

const names = (resources: readonly Registered[]) => resources.map(({ name }) => name).sort();

test("the setting adds a last step to each host, and runs no other again", () => {
  expect(changed(without, run)).toEqual(["bbb-alerts", "turn-alerts"]);
  expect(run.get("bbb-alerts").dependsOn).toContain("bbb-verify");
  expect(run.get("turn-alerts").dependsOn).toContain("turn-verify");
});

test("settings go by standard input, secret, and each host has its own switch", () => {
  for (const [role, url] of [
    ["bbb", "https://hc.eu/bbb"],
    ["turn", "https://hc.eu/turn"],
  ] as const) {
    const { inputs, secretInputs, deletedWith } = run.get(`${role}-alerts`);
    expect(secretInputs).toContain("stdin");
    expect(JSON.parse(String(inputs.stdin))).toMatchObject({
      ...{ role, host: `${role}.example.org` },
      alerts: { webhook: ways.webhook, healthcheckUrl: url },
      request: { role, turnSecret: expect.any(String) as string },
    });
    expect(JSON.stringify([inputs.create, inputs.delete])).not.toMatch(/hooks|hc\.eu/);
    expect(deletedWith).toBe(`${role}-host-server`);
  }
});

test("the removal takes the alerts from this server only, and no change of a script runs it", async () => {
  const { inputs } = run.get("bbb-alerts");
  expect(inputs.delete).toBe(
    "/usr/local/lib/bbb-deploy/step --time-limit 300 bbb 'Undo: Set up the alerts' alerts.sh " +
      `--server ${idOf("bbb-host-server")} --remove`,
  );
  const edited = scripts.map((file) =>
    file.name === "alerts.sh" ? { ...file, content: `${file.content}true\n` } : file,
  );
  const other = await runProgram({ settings: { alerts: pulumi.secret(ways) }, scripts: edited });
  expect(other.get("bbb-alerts").inputs.delete).toBe(inputs.delete);
  expect(other.get("bbb-alerts").inputs.create).not.toBe(inputs.create);
});

test("they run again after whatever the hosts are verified for, and scripts/check looks after them", async () => {
  const other = await runProgram({
    settings: { alerts: pulumi.secret(ways), rotateSharedSecret: "1" },
  });
  expect(changed(run, other)).toEqual(
    expect.arrayContaining(["bbb-alerts", "bbb-verify", "turn-alerts", "turn-verify"]),
  );
  const check = async ({ outputs }: Run) =>
    (await reveal(outputs.check)).value as Record<string, { request: { alerts?: boolean } }>;
  expect((await check(run)).turn?.request.alerts).toBe(true);
  expect((await check(without)).turn?.request.alerts).toBeUndefined();
  expect(String(run.get("bbb-verify").inputs.stdin)).toBe(String(without.get("bbb-verify").inputs.stdin));
});

test("another stack's TURN server gets none from here", async () => {
  const shared = await runProgram({
    settings: { alerts: pulumi.secret(ways), turn: { kind: "shared", stack: "prod" } },
    stacks: { "organization/bigbluebutton/prod": { turnHost: "turn.example.net", turnSecret: "x" } },
  });
  expect(names(stepsIn(shared)).filter((name) => name.endsWith("-alerts"))).toEqual(["bbb-alerts"]);
});

test("a host without a way of its own has none of the other's", () => {
  const request = { role: "turn", bbbHost: "bbb.school.eu", turnHost: "turn.school.eu" } as HostRequest;
  expect(JSON.parse(renderAlerts(request, { healthcheckUrl: "https://hc.eu/bbb" }))).toEqual({
    ...{ role: "turn", host: "turn.school.eu", alerts: {}, request },
  });
});

test("ordinary settings have no alerts", () => expect(settings.alerts).toBeUndefined());
