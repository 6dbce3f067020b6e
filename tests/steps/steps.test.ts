import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as path from "node:path";

import type { Client } from "ssh2";

import { releases } from "../../bigbluebutton/releases";
import { askableServices } from "../../bigbluebutton/services";
import type * as Keep from "../../steps/keep";
import type * as WaitForSsh from "../../steps/waitForSsh";
import {
  idOf,
  runProgram,
  scripts,
  secretOf,
  settings,
  stepsIn,
  turnPeersIn,
  type Registered,
  type Run,
} from "../support/program";

const LIB = "/usr/local/lib/bbb-deploy";

let run: Run;
beforeAll(async () => {
  run = await runProgram();
});

const stepsOf = (of: Run, host: string) => stepsIn(of).filter(({ name }) => name.startsWith(`${host}-`));

/** Words of the command line, split as by the host's shell. */
function words({ inputs }: Registered): string[] {
  const out = execFileSync("bash", ["-c", `printf '%s\\0' ${inputs.create}`], { encoding: "utf8" });
  return out.split("\0").slice(0, -1);
}

/** Words without the hash, which changes with each script. */
function withoutHash(step: Registered): string[] {
  const all = words(step);
  expect(all.slice(-2)).toEqual(["--script-hash", expect.stringMatching(/^[0-9a-f]{12}$/)]);
  return all.slice(0, -2);
}

describe("commands", () => {
  test.each([
    ["bbb-connect", "bash -s -- bbb 'Connect and install the step scripts' root"],
    ["turn-connect", "bash -s -- turn 'Connect and install the step scripts' root"],
  ])("%s", (name, create) => {
    expect(run.get(name).inputs.create).toBe(create);
  });

  test.each([
    [
      "bbb-preflight",
      ...[
        "--time-limit",
        "5400",
        "--read-only",
        "bbb",
        "Check the host",
        "preflight.sh",
        "--role",
        "bbb",
        "--ubuntu",
        "22.04",
      ],
      ...["--hostname", "bbb.example.org", "--ipv4", "203.0.113.1", "--zone", "example.org"],
      ...["--min-memory-kb", "3940000", "--min-cores", "4", "--min-disk-gb", "20", "--dns-wait", "600"],
    ],
    [
      "bbb-prepare",
      ...[
        "--time-limit",
        "1800",
        "bbb",
        "Prepare the system",
        "prepare.sh",
        "--role",
        "bbb",
        "--hostname",
        "bbb.example.org",
      ],
      ...["--ipv4", "203.0.113.1", "--swap-mb", "4096", "--acme-server", "https://acme.example.org/dir"],
      ...["--email", "admin@example.org"],
    ],
    [
      "bbb-recordings",
      ...["--time-limit", "900", "bbb", "Mount the recordings volume", "recordings.sh"],
      ...["--device", `/dev/disk/by-id/scsi-0HC_Volume_${idOf("bbb-host-volume")}`, "--size-gb", "50"],
    ],
    [
      "bbb-install",
      ...["--unit", "--time-limit", "4200", "bbb", "Install BigBlueButton 3.0", "install-bbb.sh"],
      ...["--installer-url", "https://example.org/bbb-install.sh", "--installer-arguments"],
      "-v jammy-300 -s bbb.example.org -e EMAIL -c turn.example.org:THROW-AWAY",
      ...["--hostname", "bbb.example.org", "--ipv4", "203.0.113.1"],
    ],
    [
      "bbb-wire",
      ...["--time-limit", "900", "bbb", "Wire the TURN server and the shared secret", "wire.sh"],
      ...["--xml-path", "/etc/bigbluebutton/turn-stun-servers.xml"],
    ],
    ["bbb-verify", "--time-limit", "1800", "--read-only", "bbb", "Verify the deployment", "verify.sh"],
    [
      "turn-preflight",
      ...[
        "--time-limit",
        "5400",
        "--read-only",
        "turn",
        "Check the host",
        "preflight.sh",
        "--role",
        "turn",
        "--ubuntu",
        "24.04",
      ],
      ...["--hostname", "turn.example.org", "--ipv4", "203.0.113.2", "--ipv6", "2001:db8:0:2::1"],
      ...["--zone", "example.org", "--min-memory-kb", "450000", "--min-cores", "1", "--min-disk-gb", "2"],
      ...["--dns-wait", "600"],
    ],
    [
      "turn-prepare",
      ...[
        "--time-limit",
        "1800",
        "turn",
        "Prepare the system",
        "prepare.sh",
        "--role",
        "turn",
        "--hostname",
        "turn.example.org",
      ],
      ...["--ipv4", "203.0.113.2", "--swap-mb", "1024", "--acme-server", "https://acme.example.org/dir"],
      ...["--email", "admin@example.org"],
    ],
    [
      "turn-install",
      ...["--unit", "--time-limit", "3000", "turn", "Install coturn and its certificate", "install-turn.sh"],
      ...["--hostname", "turn.example.org"],
    ],
    [
      "turn-access",
      ...["--time-limit", "300", "turn", "Tell coturn its peers and its secret", "turn-access.sh"],
      ...["--server", String(idOf("turn-host-server"))],
    ],
    ["turn-configure", "--time-limit", "300", "turn", "Configure coturn", "configure-turn.sh"],
    [
      "turn-verify",
      "--time-limit",
      "1800",
      "--read-only",
      "turn",
      "Verify BigBlueButton from here",
      "verify.sh",
    ],
  ])("%s", (name, ...expected) => {
    expect(withoutHash(run.get(name))).toEqual([`${LIB}/step`, ...expected]);
  });

  test.each(["bbb-install", "turn-install"])("%s is seen to its end after a restart of the host", (name) => {
    const resumed = words(run.get(`${name}-resumed`));
    expect(resumed).toEqual(words(run.get(name)).map((word) => (word === "--unit" ? "--resume" : word)));
    expect(run.get(`${name}-resumed`).dependsOn).toContain(name);
  });

  test("what may end meetings is told the settings that ask for it, whose values duringMeetings may name", async () => {
    const other = await runProgram({
      settings: {
        ...{ upgrade: "a", rotateSharedSecret: "b", duringMeetings: "d" },
        turn: { ...settings.turn, rotateSecret: "c" },
      },
    });
    expect(withoutHash(other.get("bbb-install")).slice(-2)).toEqual(["--upgrade", "a"]);
    expect(withoutHash(other.get("bbb-wire")).slice(-6)).toEqual([
      "--rotate-shared-secret",
      "b",
      "--rotate-turn-secret",
      "c",
      "--upgrade",
      "a",
    ]);
  });

  test("settings for an installation's details arrive as flags", async () => {
    const other = await runProgram({
      settings: {
        bbb: { ...settings.bbb, certificate: { kind: "authority", trustedByBrowsers: false } },
        installer: { url: "https://mirror.test/x.sh", sha256: "ab".repeat(32), version: "jammy-300" },
        greenlight: {},
        upgrade: "2026-12-24; it's `time`",
        acme: {
          server: "https://ca.test/dir",
          ca: "-----BEGIN CERTIFICATE-----\n",
          caUrls: ["https://ca.test/1.pem", "https://ca.test/2.pem"],
          trustedByBrowsers: false,
        },
      },
    });
    const install = withoutHash(other.get("bbb-install"));
    expect(install).toEqual(expect.arrayContaining(["--installer-sha256", "ab".repeat(32)]));
    expect(install[install.indexOf("--installer-arguments") + 1]).toMatch(/:THROW-AWAY -g$/);
    expect(install.slice(-2)).toEqual(["--upgrade", "2026-12-24; it's `time`"]);
    expect(withoutHash(other.get("bbb-prepare"))).toEqual(
      expect.arrayContaining(["--acme-ca-urls", "https://ca.test/1.pem,https://ca.test/2.pem"]),
    );
    expect(other.get("turn-prepare").inputs.stdin).toBe("-----BEGIN CERTIFICATE-----\n");
    for (const name of ["bbb-verify", "turn-verify"]) {
      expect(JSON.parse(other.get(name).inputs.stdin as string)).toMatchObject({ untrustedCa: true });
    }
  });

  test.each([
    ...["bbb-preflight", "bbb-prepare", "bbb-recordings", "bbb-install", "bbb-wire", "bbb-verify"],
    ...["turn-preflight", "turn-prepare", "turn-install", "turn-access", "turn-configure", "turn-verify"],
  ])("%s: its script on the host knows the flags and misses none", (name) => {
    const all = withoutHash(run.get(name));
    const at = all.findIndex((word) => word.endsWith(".sh"));
    const given = all.slice(at + 1);
    const text = readFileSync(path.join(__dirname, "..", "..", "scripts", "host", all[at]!), "utf8");
    const known = /^parse_flags "([^"]*)"/m.exec(text)?.[1]?.split(" ") ?? [];
    const flags = given.filter((word) => word.startsWith("--")).map((word) => word.slice(2));
    expect(flags.filter((flag) => !known.some((word) => word.replace(/=!?$/, "") === flag))).toEqual([]);
    const required = known.filter((word) => word.endsWith("=!")).map((word) => word.slice(0, -2));
    expect(required.filter((flag) => !flags.includes(flag))).toEqual([]);
  });
});

describe("standard input", () => {
  test("coturn is told the secret and BigBlueButton's addresses only, its configuration neither", () => {
    expect(JSON.parse(run.get("turn-access").inputs.stdin as string)).toMatchObject({
      realm: "turn.example.org",
      secret: secretOf("turn-secret"),
      peers: ["203.0.113.1", "2001:db8:0:1::1"],
    });
    const lines = (run.get("turn-configure").inputs.stdin as string).split("\n");
    expect(lines.filter((line) => /^(allowed-peer|static|listening|relay|external)-ip/.test(line))).toEqual([
      "listening-ip=203.0.113.2",
      "listening-ip=2001:db8:0:2::1",
      "relay-ip=203.0.113.2",
      "relay-ip=2001:db8:0:2::1",
    ]);
  });

  test("the wiring has the shared secret in its first line and the TURN beans below", () => {
    const [first, ...xml] = (run.get("bbb-wire").inputs.stdin as string).split("\n");
    expect(first).toBe(secretOf("bbb-shared-secret"));
    expect(xml[0]).toBe('<?xml version="1.0" encoding="UTF-8"?>');
    expect(xml.join("\n")).toContain(`value="${secretOf("turn-secret")}"`);
    expect(xml.join("\n")).toContain('value="turns:turn.example.org:443?transport=tcp"');
  });

  test("each verification is asked with the secrets and files of its host, in one line", () => {
    const [shared, turn] = [secretOf("bbb-shared-secret"), secretOf("turn-secret")];
    const names = { zone: "example.org", bbbHost: "bbb.example.org", turnHost: "turn.example.org" };
    const [wired, conf] = [run.get("bbb-wire"), run.get("turn-configure")].map(
      ({ inputs }) => inputs.stdin as string,
    );
    const request = (name: string) => {
      const [line, ...rest] = (run.get(name).inputs.stdin as string).split("\n");
      expect(rest).toEqual([""]);
      return JSON.parse(line!) as unknown;
    };
    const ports = (role: "bbb" | "turn") =>
      releases["jammy-30"].ports[role].map(({ protocol, from, to }) => ({ protocol, from, to }));
    expect(request("bbb-verify")).toEqual({
      ...{ role: "bbb", ...names, untrustedCa: false, ipv4: "203.0.113.1", recordings: true },
      ...{ untrustedTurnCa: false, ownCertificates: [] },
      ...{ certificateDays: { fail: 7, warn: 21 }, mediaPorts: { from: 16384, to: 32768 } },
      services: askableServices(releases["jammy-30"]),
      ...{ release: "jammy-30", version: "3.0", sharedSecret: shared, turnSecret: turn },
      ...{ greenlight: false, turnIpv4: "203.0.113.2", openPorts: ports("bbb") },
      turnXml: {
        path: "/etc/bigbluebutton/turn-stun-servers.xml",
        text: wired!.slice(wired!.indexOf("\n") + 1),
      },
    });
    expect(request("turn-verify")).toEqual({
      ...{ role: "turn", ...names, untrustedCa: false, ipv4: "203.0.113.2", ipv6: "2001:db8:0:2::1" },
      ...{ untrustedTurnCa: false, ownCertificates: [] },
      ...{ certificateDays: { fail: 7, warn: 21 }, mediaPorts: { from: 16384, to: 32768 } },
      ...{ bbbIpv4: "203.0.113.1", turnSecret: turn, greenlight: false, openPorts: ports("turn") },
      turnServerConf: { path: "/etc/turnserver.conf", text: conf },
      turnPeers: ["203.0.113.1", "2001:db8:0:1::1"],
    });
  });
});

describe("secrets", () => {
  const secrets = ["operator-key", "bbb-host-key", "turn-host-key", "turn-secret", "bbb-shared-secret"].map(
    (name) => secretOf(name),
  );

  test("are in no input of any resource that isn't itself secret", () => {
    for (const { name, inputs, secretInputs } of run.resources) {
      const open = Object.entries(inputs).filter(([key]) => !secretInputs.includes(key));
      const text = JSON.stringify(open);
      expect({ name, leaked: secrets.filter((secret) => text.includes(secret)) }).toEqual({
        name,
        leaked: [],
      });
    }
  });

  test("each was handed out, so that the test above looked for the right thing", () => {
    const everything = JSON.stringify(run.resources.map(({ inputs }) => inputs));
    expect(secrets.filter((secret) => !everything.includes(secret))).toEqual([]);
  });

  test("components keep no arguments in the state", () => {
    const components = run.resources.filter(({ type }) => type.startsWith("bbb:"));
    expect(components.map(({ type }) => type).sort()).toEqual([
      "bbb:index:BbbServer",
      "bbb:index:HetznerHost",
      "bbb:index:HetznerHost",
      "bbb:index:TurnServer",
      "bbb:index:Verification",
    ]);
    expect(components.filter(({ inputs }) => Object.keys(inputs).length > 0)).toEqual([]);
  });

  test("what a step prints is kept closed in the state, in case it ever prints one", () => {
    for (const { additionalSecretOutputs } of stepsIn(run)) {
      expect(additionalSecretOutputs).toEqual(expect.arrayContaining(["stdout", "stderr"]));
    }
  });
});

/** Limit of a step's connection tries: a restart of the host takes longer than any other wait of a step. */
function dialErrorLimit(step: string): number {
  if (step.endsWith("-connect")) return -1;
  return step.endsWith("-resumed") ? 80 : 20;
}

describe("connection", () => {
  test("goes to the address, with the operator's key, and pins the host's", () => {
    for (const { name, inputs } of stepsIn(run)) {
      const host = name.startsWith("bbb") ? "bbb" : "turn";
      expect(inputs.connection).toEqual({
        host: host === "bbb" ? "203.0.113.1" : "203.0.113.2",
        port: 22,
        user: "root",
        privateKey: `-----BEGIN ${secretOf("operator-key")}-----\n`,
        hostKey: `ssh-ed25519 AAAA${host}-host-key`,
        perDialTimeout: 15,
        dialErrorLimit: dialErrorLimit(name),
      });
    }
  });

  test("waits for a new machine, but not for ever", () => {
    for (const { name, createTimeout } of stepsIn(run)) {
      expect({ name, createTimeout }).toEqual({
        name,
        createTimeout: name.endsWith("-connect") ? "10m" : "",
      });
    }
  });
});

describe("order", () => {
  test.each(["bbb", "turn"])("%s: each step waits for the one before", (host) => {
    const steps = stepsOf(run, host);
    // What runs only before a change stands among them.
    const after = (name: string): string[] =>
      run
        .get(name)
        .dependsOn.flatMap((other) => (other.endsWith("-release") ? [other, ...after(other)] : [other]));
    steps.slice(1).forEach((step, i) => {
      expect({ step: step.name, after: after(step.name) }).toEqual({
        step: step.name,
        after: expect.arrayContaining([steps[i]!.name]),
      });
    });
  });

  test("BigBlueButton waits for the TURN host at the wiring, not before", () => {
    const hosts = (name: string) => run.get(name).dependsOn.filter((other) => other.startsWith("turn"));
    for (const name of ["bbb-connect", "bbb-preflight", "bbb-prepare", "bbb-recordings", "bbb-install"]) {
      expect({ name, waits: hosts(name) }).toEqual({ name, waits: [] });
    }
    expect(hosts("bbb-wire")).toEqual(expect.arrayContaining(["turn-configure"]));
  });

  test("the TURN host waits for BigBlueButton at the verification; before that, for its addresses only", () => {
    for (const step of stepsOf(run, "turn").slice(0, -1)) {
      const other = step.dependsOn.filter((name) => name.startsWith("bbb"));
      expect(other.filter((name) => !/^bbb-host-ipv[46]$/.test(name))).toEqual([]);
    }
    expect(run.get("turn-verify").dependsOn).toContain("bbb-wire");
    expect(run.get("bbb-verify").dependsOn).toContain("turn-configure");
  });
});

describe("on a cloud with NAT and another login", () => {
  let nat: Run;
  beforeAll(async () => {
    nat = await runProgram({
      host: ({ role }, sdk) => ({
        user: "ubuntu",
        privateIpv4: sdk.output(role === "bbb" ? "10.0.0.1" : "10.0.0.2"),
      }),
    });
  });

  test("every step runs as root", () => {
    for (const step of stepsIn(nat)) expect(words(step)[0]).toBe("sudo");
    expect(nat.get("bbb-connect").inputs.create).toMatch(/^sudo bash -s -- bbb .* ubuntu$/);
  });

  test("the hosts know their private address, BigBlueButton its public one too", () => {
    expect(withoutHash(nat.get("bbb-prepare"))).toEqual(
      expect.arrayContaining(["--private-ipv4", "10.0.0.1"]),
    );
    expect(withoutHash(nat.get("bbb-install"))).toEqual(
      expect.arrayContaining(["--ipv4", "203.0.113.1", "--private-ipv4", "10.0.0.1"]),
    );
  });

  test("coturn listens on its private address and relays to both of BigBlueButton's", () => {
    const lines = (nat.get("turn-configure").inputs.stdin as string).split("\n");
    expect(lines.filter((line) => /^(listening|external)-ip/.test(line))).toEqual([
      "listening-ip=10.0.0.2",
      "listening-ip=2001:db8:0:2::1",
      "external-ip=203.0.113.2/10.0.0.2",
    ]);
    expect(turnPeersIn(nat)).toEqual(["203.0.113.1", "2001:db8:0:1::1", "10.0.0.1"]);
  });
});

describe("before its first step", () => {
  /** Files left on the hosts, by role. */
  async function leftBy(changes: Partial<typeof settings>, first = "preflight") {
    const onReached = new Map<string, Parameters<typeof WaitForSsh.waitForSsh>[3]>();
    const keep = jest.fn();
    jest.doMock("../../steps/keep", () => ({ keep }));
    jest.doMock("../../steps/waitForSsh", () => {
      const { waitForSsh } = jest.requireActual<typeof WaitForSsh>("../../steps/waitForSsh");
      return {
        waitForSsh(...args: Parameters<typeof waitForSsh>) {
          onReached.set(args[0], args[3]);
          return waitForSsh(...args);
        },
      };
    });
    await runProgram({ settings: changes });
    jest.dontMock("../../steps/waitForSsh").dontMock("../../steps/keep");
    const client = {} as Client;
    for (const role of ["bbb", "turn"]) await onReached.get(role)!(client, `${role}-${first}`);
    return keep.mock.calls as Parameters<typeof Keep.keep>[];
  }

  test("a host is left the numbers of its steps, and BigBlueButton's alone duringMeetings", async () => {
    const [[, bbb, onBbb], [, turn, onTurn]] = (await leftBy({ duringMeetings: "2026-11-21" })) as any; // eslint-disable-line @typescript-eslint/no-explicit-any
    expect([bbb, turn]).toEqual([
      expect.objectContaining({ fqdn: "bbb.example.org", user: "root" }),
      expect.objectContaining({ fqdn: "turn.example.org", user: "root" }),
    ]);
    expect(onBbb).toEqual({
      duringMeetings: "2026-11-21",
      numbers:
        "connect.sh 1/7\npreflight.sh 2/7\nprepare.sh 3/7\nrecordings.sh 4/7\ninstall-bbb.sh 5/7\nwire.sh 6/7\nverify.sh 7/7\n",
    });
    expect(onTurn).toEqual({
      duringMeetings: undefined,
      numbers:
        "connect.sh 1/7\npreflight.sh 2/7\nprepare.sh 3/7\ninstall-turn.sh 4/7\nturn-access.sh 5/7\nconfigure-turn.sh 6/7\nverify.sh 7/7\n",
    });
  });

  test("a host that is about to install its scripts is left them, and no other: the state has but their digest", async () => {
    const installations = async (first: string) =>
      (await leftBy({}, first)).map(([, , { installation }]) => installation);
    const [bbb, turn] = await installations("connect");
    for (const { name } of scripts) expect(bbb).toContain(`install_script ${name} `);
    expect(turn).toBe(bbb);
    expect(await installations("preflight")).toEqual([undefined, undefined]);
    const digest = createHash("sha256").update(bbb!).digest("hex");
    for (const role of ["bbb", "turn"])
      expect(run.get(`${role}-connect`).inputs.stdin).toContain(`\ninstall_scripts ${digest}\n`);
  });

  test("without a recordings volume there is one step fewer, and the numbers follow", async () => {
    const [[, , { numbers }]] = (await leftBy({ recordings: undefined })) as any; // eslint-disable-line @typescript-eslint/no-explicit-any
    expect(numbers).toBe(
      "connect.sh 1/6\npreflight.sh 2/6\nprepare.sh 3/6\ninstall-bbb.sh 4/6\nwire.sh 5/6\nverify.sh 6/6\n",
    );
  });
});

test("every step first sees that its host can be reached, and refuses what it has to before that", () => {
  for (const { name, beforeCreate, beforeUpdate } of stepsIn(run)) {
    const reached = `ssh-reaches-${name.split("-")[0]}`;
    const refusing = name === "turn-configure" ? ["no-meetings-while-coturn-restarts"] : [];
    const verifies: Readonly<Record<string, string>> = {
      "bbb-verify": "begins-to-verify-the-deployment",
      "turn-verify": "begins-to-verify-bigbluebutton-from-here",
    };
    const begins = name in verifies ? [verifies[name]] : [];
    expect({ name, beforeCreate, beforeUpdate }).toEqual({
      name,
      beforeCreate: [reached, ...begins],
      beforeUpdate: [...refusing, reached, ...begins],
    });
  }
});

test("the check of BigBlueButton's host knows which line its own installer upgrades, that of TURN's none", async () => {
  const release = releases["focal-27"];
  const installer = { url: release.installer!.url, version: "focal-270" };
  const upgraded = await runProgram({ settings: { release, installer } });
  const flags = "--ubuntu 20.04 --line 2.7 --previous-line 2.6 --previous-release focal-26 --hostname";
  expect(upgraded.get("bbb-preflight").inputs.create).toContain(flags);
  expect(upgraded.get("turn-preflight").inputs.create).not.toContain("line");
  const first = await runProgram({
    settings: { installer: { ...installer, url: releases["jammy-30"].installer!.url } },
  });
  expect(first.get("bbb-preflight").inputs.create).toContain("--ubuntu 22.04 --line 3.0 --hostname");
});
