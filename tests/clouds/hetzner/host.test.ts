import { portRange } from "../../../bigbluebutton/ports";
import { releaseNames, releases } from "../../../bigbluebutton/releases";
import { idOf, runProgram, secretOf, type Run } from "../../support/program";

const labels = { project: "bigbluebutton", stack: "staging" };
const SERVER = "hcloud:index/server:Server";

let staging: Run;
beforeAll(async () => {
  staging = await runProgram();
});

describe("addresses", () => {
  test.each([
    ["bbb-host-ipv4", "ipv4", "bbb.example.org-ipv4-fsn1"],
    ["bbb-host-ipv6", "ipv6", "bbb.example.org-ipv6-fsn1"],
    ["turn-host-ipv4", "ipv4", "turn.example.org-ipv4-fsn1"],
    ["turn-host-ipv6", "ipv6", "turn.example.org-ipv6-fsn1"],
  ])("%s is a resource of its own that waits for nothing", (resource, type, name) => {
    const { inputs, dependsOn, deleteBeforeReplace } = staging.get(resource);
    expect(inputs).toMatchObject({ type, name, location: "fsn1", autoDelete: false });
    expect(dependsOn).toEqual([]);
    // In another location it has another name, and is made before anything is deleted.
    expect(deleteBeforeReplace).toBe(false);
  });

  test.each([
    ["bbb-host-rdns-ipv4", "bbb-host-ipv4", "203.0.113.1", "bbb.example.org"],
    ["bbb-host-rdns-ipv6", "bbb-host-ipv6", "2001:db8:0:1::1", "bbb.example.org"],
    ["turn-host-rdns-ipv4", "turn-host-ipv4", "203.0.113.2", "turn.example.org"],
    ["turn-host-rdns-ipv6", "turn-host-ipv6", "2001:db8:0:2::1", "turn.example.org"],
  ])("%s belongs to the address, not to the server", (resource, primaryIp, ipAddress, dnsPtr) => {
    const { inputs, dependsOn } = staging.get(resource);
    expect(inputs).toEqual({ primaryIpId: idOf(primaryIp), ipAddress, dnsPtr });
    expect(dependsOn).toEqual([primaryIp]);
  });
});

describe("firewall", () => {
  const anywhere = ["0.0.0.0/0", "::/0"];

  test("BigBlueButton's is the release's table, SSH for the operator's networks, and ICMP", () => {
    expect(staging.get("bbb-host-firewall").inputs).toEqual({
      name: "bbb.example.org",
      labels: { ...labels, role: "bbb" },
      rules: [
        {
          direction: "in",
          protocol: "tcp",
          port: "22",
          sourceIps: ["198.51.100.0/24", "2001:db8:1::/48"],
          description: "SSH: the operator's networks only",
        },
        {
          direction: "in",
          protocol: "icmp",
          sourceIps: anywhere,
          description: "ICMP: path MTU discovery, ping",
        },
        {
          direction: "in",
          protocol: "tcp",
          port: "80",
          sourceIps: anywhere,
          description: "HTTP: certificate challenges and the redirect to HTTPS",
        },
        {
          direction: "in",
          protocol: "tcp",
          port: "443",
          sourceIps: anywhere,
          description: "HTTPS: client, API and WebSockets",
        },
        {
          direction: "in",
          protocol: "udp",
          port: "16384-32768",
          sourceIps: anywhere,
          description: "Media: audio, camera and screen over WebRTC",
        },
      ],
    });
  });

  test("the TURN host's opens 3478 over UDP and TCP, 443 over TCP only, and the relay range", () => {
    const rules: { protocol: string; port?: string }[] = staging.get("turn-host-firewall").inputs.rules;
    expect(rules.map(({ protocol, port }) => `${protocol} ${port ?? ""}`.trim())).toEqual([
      "tcp 22",
      "icmp",
      "tcp 80",
      "tcp 443",
      "tcp 3478",
      "udp 3478",
      "udp 32769-65535",
    ]);
  });

  test.each(["xenial-22", "noble-40"] as const)("%s gets the table of its own row", async (name) => {
    const run = await runProgram({ settings: { release: releases[name] } });
    const rules: { protocol: string; port: string }[] = run.get("bbb-host-firewall").inputs.rules;
    expect(rules.slice(2).map(({ protocol, port }) => `${protocol} ${port}`)).toEqual(
      releases[name].ports.bbb.map((rule) => `${rule.protocol} ${portRange(rule)}`),
    );
  });

  test.each(releaseNames)("%s: Hetzner takes its rules' descriptions and their number", (name) => {
    for (const rules of Object.values(releases[name].ports)) {
      expect(rules.length).toBeLessThanOrEqual(48);
      expect(rules.filter(({ role }) => role.length > 255)).toEqual([]);
    }
  });
});

describe("server", () => {
  test("has its host's name, both addresses, the firewall and the operator's key from birth", () => {
    expect(staging.get("bbb-host-server").inputs).toMatchObject({
      name: "bbb.example.org",
      serverType: "ccx23",
      image: "ubuntu-22.04",
      location: "fsn1",
      publicNets: [
        {
          ipv4Enabled: true,
          ipv4: idOf("bbb-host-ipv4"),
          ipv6Enabled: true,
          ipv6: idOf("bbb-host-ipv6"),
        },
      ],
      firewallIds: [idOf("bbb-host-firewall")],
      sshKeys: [String(idOf("operator"))],
      keepDisk: true,
    });
    expect(staging.get("turn-host-server").inputs).toMatchObject({
      name: "turn.example.org",
      serverType: "cpx22",
      image: "ubuntu-24.04",
    });
  });

  test.each(["bbb-host-server", "turn-host-server"])(
    "%s is not replaced for what steps can change",
    (name) => {
      const { ignoreChanges, deleteBeforeReplace } = staging.get(name);
      expect([...ignoreChanges].sort()).toEqual(["image", "sshKeys", "userData"]);
      expect(deleteBeforeReplace).toBe(true);
    },
  );

  test("is replaced for its location alone, not for that of its addresses, whose creation may still be refused", () => {
    for (const name of ["bbb-host-server", "turn-host-server"])
      expect(staging.get(name).replaceWith).toEqual([]);
  });

  test("is shut down before it is deleted where a volume is mounted", () => {
    expect(staging.get("bbb-host-server").inputs.shutdownBeforeDeletion).toBe(true);
    expect(staging.get("turn-host-server").inputs.shutdownBeforeDeletion).toBeUndefined();
  });

  test("carries one secret in its user data, the SSH host key, and keeps the whole of it secret", () => {
    const { inputs, secretInputs } = staging.get("bbb-host-server");
    expect(secretInputs).toContain("userData");
    expect(inputs.userData).toContain(secretOf("bbb-host-key"));
    for (const other of ["operator-key", "turn-host-key", "turn-secret", "bbb-shared-secret"]) {
      expect(inputs.userData).not.toContain(secretOf(other));
    }
  });

  test("hosts don't wait for each other", () => {
    for (const server of staging.ofType(SERVER)) {
      const other = server.name.startsWith("bbb") ? "turn" : "bbb";
      expect(server.dependsOn.filter((name) => name.startsWith(other))).toEqual([]);
    }
  });

  test("the operator's key is registered once, replaced in place", () => {
    const [sshKey, ...others] = staging.ofType("hcloud:index/sshKey:SshKey");
    expect(others).toEqual([]);
    expect(sshKey!.inputs.name).toBe("bigbluebutton-staging");
    expect(sshKey!.inputs.publicKey).toBe("ssh-ed25519 AAAAoperator-key");
    expect(sshKey!.deleteBeforeReplace).toBe(true);
  });
});

describe("labels", () => {
  test("are on everything that can have them", () => {
    const labelled = staging.resources.filter(
      ({ type }) => type.startsWith("hcloud:") && !/:(Rdns|VolumeAttachment)$/.test(type),
    );
    expect(labelled).toHaveLength(13);
    for (const { name, inputs } of labelled) {
      const role = name === "operator" ? "operator" : name.split("-")[0];
      expect({ name, labels: inputs.labels }).toEqual({ name, labels: { ...labels, role } });
    }
  });

  test("have the expiry of a deployment that has one, all of them", async () => {
    const { resources } = await runProgram({ settings: { labels: { ...labels, expires: "1795000000" } } });
    const labelled = resources.filter(({ inputs }) => inputs.labels !== undefined);
    expect(labelled).toHaveLength(13);
    for (const { inputs } of labelled) expect(inputs.labels).toMatchObject({ expires: "1795000000" });
  });
});

describe("recordings volume", () => {
  test("is of its own, unformatted, and attached to the server without mounting", () => {
    expect(staging.get("bbb-host-volume").inputs).toEqual({
      name: "bbb.example.org-recordings",
      size: 50,
      location: "fsn1",
      deleteProtection: true,
      labels: { ...labels, role: "bbb" },
    });
    const attachment = staging.get("bbb-host-volume-attachment");
    expect(attachment.inputs).toEqual({
      volumeId: idOf("bbb-host-volume"),
      serverId: idOf("bbb-host-server"),
      automount: false,
    });
    expect(attachment.deleteBeforeReplace).toBe(true);
    // With a server that is deleted it goes by itself, once that is shut down.
    expect(attachment.ignoreChanges).toEqual(["serverId"]);
    expect(attachment.replacementTrigger).toBe(String(idOf("bbb-host-server")));
    expect(staging.get("bbb-recordings").dependsOn).toContain("bbb-host-volume-attachment");
  });

  test("where it may be replaced, waits for the server's end; where it is protected, keeps no server from a destroy", async () => {
    const run = await runProgram({
      settings: { recordings: { kind: "new" as const, sizeGb: 50, protected: false } },
    });
    expect(run.get("bbb-host-volume").dependsOn).toEqual(["bbb-host-server"]);
    expect(staging.get("bbb-host-volume")).toMatchObject({ protect: true, dependsOn: [] });
  });

  test("is unmounted before it is taken from a server that stays, and whatever is deleted no host is asked", () => {
    const { inputs, dependsOn, ignoreChanges } = staging.get("bbb-recordings-release");
    expect(inputs.update).toMatch(
      / bbb .* unmount-recordings\.sh --detach --device \/dev\/disk\/by-id\/scsi-0HC_Volume_\d+$/,
    );
    expect(inputs.create).toBeUndefined();
    expect(inputs.triggers).toBeUndefined();
    // By its replacement the script of former revisions would run, on a server that may be gone.
    expect(ignoreChanges).toEqual(["triggers"]);
    // One step at a time: on the host a later one ends one that only looks.
    expect(dependsOn).toContain("bbb-connect");
    expect(staging.get("bbb-preflight").dependsOn).toContain("bbb-recordings-release");
    expect(staging.get("bbb-host-volume-attachment").dependsOn).toContain("bbb-recordings-release");
    // A step that undoes itself is skipped where its server goes.
    const asking = staging
      .ofType("command:remote:Command")
      .filter(({ inputs }) => inputs.delete !== undefined);
    expect(asking.map(({ deletedWith }) => deletedWith)).toEqual(["turn-host-server"]);
  });

  test("is attached without waiting for a name: one that is protected would keep the name at a destroy", () => {
    const needs = new Set<string>(["bbb-host-volume-attachment"]);
    for (const name of needs) for (const need of staging.get(name).dependsOn) needs.add(need);
    expect([...needs]).toContain("bbb-connect");
    expect([...needs].filter((name) => staging.get(name).type.includes("ZoneRrset"))).toEqual([]);
    expect(staging.resources.filter(({ type }) => type.includes("ZoneRrset"))).not.toEqual([]);
  });

  test("an adopted one is attached by its id and stays outside the stack", async () => {
    const run = await runProgram({
      settings: { recordings: { kind: "adopted" as const, id: "4711" } },
    });
    expect(run.ofType("hcloud:index/volume:Volume")).toEqual([]);
    expect(run.get("bbb-host-volume-attachment").inputs.volumeId).toBe(4711);
    expect(run.get("bbb-recordings").inputs.create).toContain("/dev/disk/by-id/scsi-0HC_Volume_4711 ");
  });

  test("there is none where the settings want none", async () => {
    const run = await runProgram({ settings: { recordings: undefined } });
    expect(
      run.resources.filter(({ name }) => /volume|recordings/.test(name)).map(({ name }) => name),
    ).toEqual(["bbb-recordings-release"]);
    expect(run.get("bbb-preflight").dependsOn).toContain("bbb-recordings-release");
    // One that the server has from before is unmounted.
    expect(run.get("bbb-recordings-release").inputs.update).toMatch(/ unmount-recordings\.sh --detach$/);
  });
});

describe("protection", () => {
  const protectedOnes = (run: Run) =>
    run.resources
      .filter(({ protect }) => protect)
      .map(({ name }) => name)
      .sort();

  test("the recordings only", () => {
    expect(protectedOnes(staging)).toEqual(["bbb-host-volume"]);
    expect(staging.get("bbb-host-server").inputs).toMatchObject({
      backups: false,
      deleteProtection: false,
      rebuildProtection: false,
    });
  });

  test("no attachment of a volume that is not the stack's own, so that another can be taken", async () => {
    const run = await runProgram({
      settings: { protected: true, recordings: { kind: "adopted" as const, id: "4711" } },
    });
    expect(protectedOnes(run)).toContain("bbb-host-server");
    expect(protectedOnes(run).filter((name) => name.includes("volume"))).toEqual([]);
  });

  test("nothing, as in a deployment to throw away", async () => {
    const run = await runProgram({
      settings: { recordings: { kind: "new" as const, sizeGb: 50, protected: false } },
    });
    expect(protectedOnes(run)).toEqual([]);
    expect(run.get("bbb-host-volume").inputs.deleteProtection).toBe(false);
  });

  test("servers, addresses and recordings, in Pulumi and at the cloud; and backups", async () => {
    const run = await runProgram({ settings: { protected: true, backups: true } });
    const expected = [
      "bbb-host-ipv4",
      "bbb-host-ipv6",
      "bbb-host-server",
      "bbb-host-volume",
      "turn-host-ipv4",
      "turn-host-ipv6",
      "turn-host-server",
    ];
    expect(protectedOnes(run)).toEqual([...expected, "bbb-host-volume-attachment"].sort());
    expect(expected.filter((name) => run.get(name).inputs.deleteProtection !== true)).toEqual([]);
    expect(run.get("bbb-host-server").inputs).toMatchObject({ backups: true, rebuildProtection: true });
    expect(run.get("turn-host-server").inputs).toMatchObject({ backups: false, rebuildProtection: true });
  });
});
