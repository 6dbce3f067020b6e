import * as pulumi from "@pulumi/pulumi";

import { releases } from "../../bigbluebutton/releases";
import type { Settings } from "../../settings";
import {
  atAws,
  changed,
  idOf,
  type Registered,
  reveal,
  type Run,
  runProgram,
  scripts,
  type Variation,
} from "../support/program";

const networks = ["198.51.100.0/24", "192.0.2.7/32"];
const gateway = { host: "sip.provider.example", port: 5060, register: true, user: "4930" };
const withDialIn = (more: Partial<NonNullable<Settings["dialIn"]>> = {}): Partial<Settings> => ({
  dialIn: { networks, gateway, password: pulumi.secret("Zq3vT8mW"), ...more },
  groups: { dialIn: { number: "+49 30 123456", livekit: false } },
});

let without: Run;
let run: Run;
beforeAll(async () => {
  without = await runProgram();
  run = await runProgram({ settings: withDialIn() });
});

const texts = ({ inputs }: Registered) => JSON.stringify(inputs);
const again = (variation: Variation) => runProgram(variation);

test("the setting adds a step and a rule of the firewall, and runs again what its keys are wired by", () => {
  expect(changed(without, run)).toEqual([
    "bbb-dial-in",
    "bbb-host-firewall",
    // It reruns with the wiring, which has the keys.
    "bbb-verify",
    "bbb-wire",
    "turn-verify",
  ]);
  expect(run.get("bbb-dial-in").dependsOn).toEqual(expect.arrayContaining(["bbb-wire"]));
});

test("the firewall lets in the provider's networks alone at the port of SIP", () => {
  const rules = run.get("bbb-host-firewall").inputs.rules as object[];
  expect(rules).toContainEqual({
    ...{ direction: "in", protocol: "udp", port: "5060", sourceIps: networks },
    description: "SIP: calls from the telephone provider only",
  });
  expect(texts(run.get("turn-host-firewall"))).toBe(texts(without.get("turn-host-firewall")));
});

test("at AWS each network has a rule of its own", async () => {
  const aws = await again({ settings: { ...atAws, dns: "manual", ...withDialIn() } });
  const rules = aws
    .ofType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    .filter(({ inputs }) => inputs.fromPort === 5060);
  expect(rules.map(({ name, inputs }) => [name, inputs.cidrIpv4])).toEqual([
    ["bbb-host-firewall-udp-5060-198.51.100.0-24", "198.51.100.0/24"],
    ["bbb-host-firewall-udp-5060-192.0.2.7-32", "192.0.2.7/32"],
  ]);
});

test("the password goes by standard input, secret, and into nothing else", () => {
  const { inputs, secretInputs, deletedWith } = run.get("bbb-dial-in");
  expect(secretInputs).toContain("stdin");
  const request = JSON.parse(String(inputs.stdin)) as { files: { path: string; text: string }[] };
  expect(request).toMatchObject({ gateway: "bbb-deploy", register: true, networks });
  expect(request.files.map(({ path }) => path)).toEqual([
    "/opt/freeswitch/etc/freeswitch/sip_profiles/external/bbb-deploy.xml",
    "/opt/freeswitch/etc/freeswitch/dialplan/public/bbb-deploy.xml",
  ]);
  expect(request.files[0]!.text).toContain("Zq3vT8mW");
  expect(JSON.stringify([inputs.create, inputs.delete])).not.toContain("Zq3vT8mW");
  for (const one of run.resources.filter(({ name }) => name !== "bbb-dial-in")) {
    expect([one.name, texts(one).includes("Zq3vT8mW")]).toEqual([one.name, false]);
  }
  expect(deletedWith).toBe("bbb-host-server");
});

test("the removal takes it from this server only, and no change of a script runs it", async () => {
  const { inputs } = run.get("bbb-dial-in");
  expect(inputs.delete).toBe(
    "/usr/local/lib/bbb-deploy/step --time-limit 300 bbb 'Undo: Set up dial-in' dial-in.sh " +
      `--server ${idOf("bbb-host-server")} --remove`,
  );
  const edited = scripts.map((file) =>
    file.name === "dial_in.py" ? { ...file, content: `${file.content}pass\n` } : file,
  );
  const other = await again({ settings: withDialIn(), scripts: edited });
  expect(other.get("bbb-dial-in").inputs.delete).toBe(inputs.delete);
  expect(other.get("bbb-dial-in").inputs.create).not.toBe(inputs.create);
});

test("it runs again after the installer, and for another password; the wiring does not for that", async () => {
  const upgraded = await again({ settings: { ...withDialIn(), upgrade: "2026-12-01" } });
  expect(changed(run, upgraded)).toContain("bbb-dial-in");
  const other = await again({ settings: withDialIn({ password: pulumi.secret("other") }) });
  expect(changed(run, other)).toEqual(["bbb-dial-in", "bbb-verify", "turn-verify"]);
});

test("4.0 has livekit-sip in its dialplan, at the server's address", async () => {
  const noble = await again({
    settings: {
      ...withDialIn({ gateway: { host: "10.0.0.5", port: 5060, register: false }, password: undefined }),
      release: releases["noble-40"],
    },
  });
  const stdin = String(noble.get("bbb-dial-in").inputs.stdin);
  expect(stdin).toContain("sofia/external/${pin}@203.0.113.1:5062");
  expect(String(run.get("bbb-dial-in").inputs.stdin)).not.toContain(":5062");
});

test("the check asks for it, and knows no password", async () => {
  const check = (await reveal(run.outputs.check)).value as Record<string, { request: { dialIn?: string } }>;
  expect(JSON.parse(check.bbb!.request.dialIn!)).toMatchObject({
    ...{ gateway: "bbb-deploy", host: "sip.provider.example", register: true, networks, livekit: false },
  });
  expect(check.bbb!.request.dialIn).not.toContain("Zq3vT8mW");
  const before = (await reveal(without.outputs.check)).value as typeof check;
  expect(before.bbb!.request.dialIn).toBeUndefined();
});
