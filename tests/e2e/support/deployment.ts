import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { signedApiUrl } from "../../../bigbluebutton/api";
import { releases } from "../../../bigbluebutton/releases";
import { watchExecs, watchMissing, type Exec } from "./execWatch";
import { expected, scan } from "./probes";
import {
  BBB,
  engineMissing,
  must,
  onHost,
  outputs,
  outside,
  printed,
  sandbox,
  testUnless,
  tool,
  TURN,
  update,
  type Engine,
  type Outputs,
  type Update,
} from "./sandbox";
import { apiToken, found, foundInHostLogs, hostKeys, outputSecrets, type Secret } from "./secrets";
import { forbiddenPeers, turn, WAYS_IN } from "./turn";

const STATE = "/var/lib/bbb-sandbox";
const ROTATED = ["--set", "rotateTurnSecret=second"];

/** A UDP port of the media range, where the stand-in answers as an echo. */
const MEDIA_PORT = 20000;

/** One deployment of jammy-30 and everything that is asked of it, in order: each test builds on those before. */
export function deploymentTests(engine: Engine): void {
  const missing = engineMissing(engine);
  const test = testUnless(missing);

  describe(`jammy-30 by the ${engine} engine`, () => {
    let first: Update;
    let out: Outputs;
    let watched: Exec[];
    let secrets: Secret[];
    const unwatched = watchMissing();
    const noWatch = missing ?? (unwatched && `the kernel's exec events can't be watched: ${unwatched}`);
    const testWatched = testUnless(noWatch);

    if (missing === undefined) {
      beforeAll(async () => {
        await must(["reset"]);
        const watch = noWatch === undefined ? await watchExecs() : undefined;
        first = await update("up", engine);
        out = await outputs();
        if (watch) {
          await plantSecrets();
          watched = await watch.stop();
        }
        secrets = [...outputSecrets(out), ...(await hostKeys()), apiToken()];
      });
    }

    test("up creates everything and ends with a summary", async () => {
      expect(first.summary.created).toBeGreaterThan(20);
      expect(Object.keys(first.summary)).toEqual(["created"]);
      for (const step of ["[turn 6/6]", "[bbb 7/7]"]) expect(first.stdout).toContain(step);
    });

    test("the outputs are what a front end and an operator need", async () => {
      expect(out).toMatchObject({
        url: `https://${BBB}`,
        apiUrl: `https://${BBB}/bigbluebutton/api`,
        turnUrls: [`turn:${TURN}:3478`, `turns:${TURN}:443?transport=tcp`],
        release: "jammy-30",
        sshCommand: `ssh root@${out.addresses.bbb.ipv4}`,
      });
      expect(out.sharedSecret.length).toBeGreaterThanOrEqual(32);
      expect(out.turnSecret.length).toBeGreaterThanOrEqual(32);
      const plain = await must(["outputs", "--json"]);
      expect(found(outputSecrets(out), plain)).toEqual([]);
      expect(JSON.parse(plain)).toMatchObject({ sharedSecret: "[secret]", url: out.url });
    });

    testWatched("no secret is in any command line during the deployment", async () => {
      const lines = watched.map(({ argv }) => argv.join(" "));
      expect(lines.length).toBeGreaterThan(1000);
      expect(lines.flatMap((line) => found(secrets, line).map((name) => `${name}: ${line}`))).toEqual([]);
    });

    testWatched("a secret planted in short-lived processes is caught every time", async () => {
      for (const place of ["machine", "host"]) {
        const caught = watched.filter(({ argv }) => argv.some((arg) => arg.startsWith(`PLANTED-${place}-`)));
        expect(new Set(caught.map(({ argv }) => argv.at(-1))).size).toBe(PLANTED);
        expect(caught.every(({ argv }) => argv.length === 43 && argv[1]?.length === 8192)).toBe(true);
      }
    });

    test("a second up changes nothing, opens no SSH connection and makes no mutating API call", async () => {
      const before = { ssh: await sshLog(), counts: await counts() };
      const second = await update("up", engine);
      expect(Object.keys(second.summary)).toEqual(["unchanged"]);
      expect(second.summary.unchanged).toBe(first.summary.created);
      expect(await counts()).toEqual(before.counts);
      expect(await sshLog()).toEqual(before.ssh);
    });

    test("HTTPS answers with a valid chain to outside clients, and HTTP leads there", async () => {
      const page = await outside([
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{ssl_verify_result}",
        out.url,
      ]);
      expect([page.code, page.stdout]).toEqual([0, "200 0"]);
      const untrusted = await outside([
        "env",
        "-u",
        "CURL_CA_BUNDLE",
        "-u",
        "SSL_CERT_FILE",
        "curl",
        "-sS",
        out.url,
      ]);
      expect(untrusted.code).toBe(60);
      const plain = await outside([
        "curl",
        "-sS",
        "-o",
        "/dev/null",
        "-w",
        "%{redirect_url}",
        `http://${BBB}/`,
      ]);
      expect(plain.stdout).toBe(`https://${BBB}/`);
    });

    test("the API takes a signed getMeetings and refuses a wrongly signed one", async () => {
      const call = async (secret: string) =>
        (await outside(["curl", "-sS", signedApiUrl(out.apiUrl, "getMeetings", {}, secret)])).stdout;
      expect(await call(out.sharedSecret)).toContain("<returncode>SUCCESS</returncode>");
      const refused = await call(`${out.sharedSecret}x`);
      expect(refused).toContain("<returncode>FAILED</returncode>");
      expect(refused).toContain("checksumError");
    });

    for (const way of WAYS_IN) {
      for (const family of ["ipv4", "ipv6"] as const) {
        test(`TURN over ${way.transport} ${way.port} by ${family} relays both ways to the BBB host`, async () => {
          const peer = out.addresses.bbb.ipv4;
          const result = await turn({ ...way, family, secret: out.turnSecret, echo: [[peer, MEDIA_PORT]] });
          expect(result).toMatchObject({ allocate: "ok", echo: { [`${peer} ${MEDIA_PORT}`]: "ok" } });
          expect(result.relayed?.[0]).toBe(out.addresses.turn.ipv4);
        });
      }

      test(`TURN over ${way.transport} ${way.port} refuses a wrong secret with 401`, async () => {
        expect(await turn({ ...way, secret: `${out.turnSecret}x` })).toEqual({ allocate: 401 });
      });
    }

    test("TURN relays to no other address", async () => {
      const forbidden = forbiddenPeers(out.addresses.turn, out.addresses.bbb.ipv4);
      for (const relayed of ["ipv4", "ipv6"] as const) {
        const peers = forbidden[relayed].map((address) => [address, MEDIA_PORT] as const);
        const allowed = [out.addresses.bbb[relayed], MEDIA_PORT] as const;
        const result = await turn({
          ...WAYS_IN[0],
          relayed,
          secret: out.turnSecret,
          permissions: [...peers, allowed],
          channels: [...peers, allowed],
        });
        expect(result.allocate).toBe("ok");
        const denied = Object.fromEntries(peers.map(([address, port]) => [`${address} ${port}`, 403]));
        expect(result.permissions).toEqual({ ...denied, [allowed.join(" ")]: "ok" });
        expect(result.channels).toEqual({ ...denied, [allowed.join(" ")]: "ok" });
      }
    });

    for (const role of ["bbb", "turn"] as const) {
      test(`a scan of the ${role} host reaches exactly the release's table`, async () => {
        const rules = releases["jammy-30"].ports[role];
        const fqdn = role === "bbb" ? BBB : TURN;
        for (const [client, extra] of [
          ["internet", []],
          ["operator", ["tcp 22"]],
        ] as const) {
          const reached = await scan(fqdn, out.addresses[role], rules, client);
          const table = expected(rules, extra);
          expect({ client, ...reached }).toEqual({ client, ipv4: table, ipv6: table });
        }
      });
    }

    test("SSH answers to the operator, with the generated key and the pinned host key, and to nobody else", async () => {
      const address = out.addresses.bbb.ipv4;
      const connect = ["bash", "-c", 'timeout 5 bash -c "exec 3<>/dev/tcp/$0/22 && head -c 4 <&3"', address];
      expect((await outside(connect)).code).not.toBe(0);
      expect((await outside(connect, { as: "operator" })).stdout).toBe("SSH-");
      const key = await onHost(BBB, ["cat", "/etc/ssh/ssh_host_ed25519_key.pub"]);
      const login = await outside(["bash", "-c", LOGIN, address, key.trim()], {
        as: "operator",
        input: out.privateKey,
      });
      expect(login).toMatchObject({ code: 0, stdout: `${BBB}\n` });
    });

    test("user data holds the SSH host key and no other secret", async () => {
      for (const fqdn of [BBB, TURN]) {
        const userData = await onHost(fqdn, ["cat", "/var/lib/cloud/instance/user-data.txt"]);
        const names = found(secrets, userData);
        expect(names.length).toBeGreaterThan(0);
        expect(names.filter((name) => !name.startsWith(`SSH host key of ${fqdn}`))).toEqual([]);
      }
    });

    test("only root reaches the metadata service", async () => {
      const fetch = [
        "curl",
        "-sS",
        "-m",
        "5",
        "-o",
        "/dev/null",
        "http://169.254.169.254/hetzner/v1/metadata",
      ];
      for (const fqdn of [BBB, TURN]) {
        await onHost(fqdn, fetch);
        const other = await sandbox([
          "exec",
          "--at",
          fqdn,
          "--",
          "setpriv",
          "--reuid=65534",
          "--clear-groups",
          ...fetch,
        ]);
        expect(other.code).not.toBe(0);
      }
    });

    test("no secret is in any log", async () => {
      const planted: Secret = ["planted", `PLANTED${Date.now()}`];
      expect(found(secrets, printed.join("\n"))).toEqual([]);
      for (const fqdn of [BBB, TURN]) {
        await onHost(fqdn, ["logger", planted[1]]);
        const places = await foundInHostLogs(fqdn, [...secrets, planted]);
        expect(places).toContain(`planted in the journal of ${fqdn}`);
        expect(places.filter((place) => !place.startsWith("planted"))).toEqual([]);
      }
      const logs = filesUnder(STATE, (path) => /log|\.jsonl$/.test(path));
      expect(logs.length).toBeGreaterThan(0);
      expect(
        logs.flatMap((path) => found(secrets, readFileSync(path, "latin1")).map((n) => `${n} in ${path}`)),
      ).toEqual([]);
    });

    test("no secret is in the plain checkpoint", async () => {
      const kept = filesUnder(join(STATE, "stacks"), () => true);
      expect(kept.length).toBeGreaterThan(0);
      const all = kept.map((path) => readFileSync(path, "latin1"));
      expect(all.join("")).toContain(out.addresses.bbb.ipv4);
      expect(found(secrets, all.join("\n"))).toEqual([]);
    });

    test("exec passes input, output, exit code and arguments untouched", async () => {
      const args = [
        "",
        " ",
        "a b",
        "*",
        "$HOME",
        'say "no"',
        "it's",
        "--help",
        "--",
        "-x",
        "a\nb",
        "\\",
        "é",
      ];
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * 7) % 256));
      for (const place of [["--at", TURN], ["--as", "operator"], []]) {
        const shown = await sandbox(["exec", ...place, "--", "printf", "<%s>", ...args]);
        expect(shown).toMatchObject({ code: 0, stdout: args.map((arg) => `<${arg}>`).join("") });
        const sum = await sandbox(["exec", ...place, "--", "od", "-An", "-v", "-tu1"], { input: bytes });
        expect(sum.stdout.trim().split(/\s+/).map(Number)).toEqual([...bytes]);
        const failed = await sandbox([
          "exec",
          ...place,
          "--",
          "bash",
          "-c",
          "echo out; echo err >&2; exit 42",
        ]);
        expect(failed).toEqual({ code: 42, stdout: "out\n", stderr: "err\n" });
      }
    });

    test("the outside clients see the machine's files, and the hosts are not the machine", async () => {
      expect((await outside(["cat", __filename])).stdout).toBe(readFileSync(__filename, "utf8"));
      const os = await onHost(BBB, [
        "bash",
        "-c",
        ". /etc/os-release && echo $ID $VERSION_ID && hostname -f && nproc --all",
      ]);
      expect(os.split("\n").slice(0, 3)).toEqual(["ubuntu 22.04", BBB, "4"]);
      expect(await onHost(TURN, ["hostname", "-f"])).toBe(`${TURN}\n`);
    });

    test("nothing inside has a way out of the machine", async () => {
      for (const place of [["--at", TURN], ["--as", "operator"], []]) {
        const route = await sandbox([
          "exec",
          ...place,
          "--",
          "bash",
          "-c",
          "timeout 3 bash -c 'exec 3<>/dev/tcp/9.9.9.9/53'",
        ]);
        expect(route.code).not.toBe(0);
      }
    });

    test("rotating the TURN secret rewrites both files, restarts their services and replaces no server", async () => {
      const before = await identities();
      const files = await turnFiles();
      const services = await serviceStarts();
      const rotated = await update("up", engine, ROTATED);
      expect(rotated.summary.updated ?? 0).toBeGreaterThan(0);
      const after = await outputs();
      expect(after.turnSecret).not.toBe(out.turnSecret);
      expect(after.sharedSecret).toBe(out.sharedSecret);
      expect(await identities()).toEqual(before);
      const filesNow = await turnFiles();
      for (const [index, text] of filesNow.entries()) {
        expect(files[index]).toContain(out.turnSecret);
        expect(text).toContain(after.turnSecret);
        expect(text).not.toContain(out.turnSecret);
      }
      const servicesNow = await serviceStarts();
      for (const name of Object.keys(services))
        expect([name, servicesNow[name]]).not.toEqual([name, services[name]]);
      for (const way of WAYS_IN) {
        expect(await turn({ ...way, secret: out.turnSecret })).toEqual({ allocate: 401 });
        expect(await turn({ ...way, secret: after.turnSecret })).toMatchObject({ allocate: "ok" });
      }
      const calls = await update("up", engine, ROTATED);
      expect(Object.keys(calls.summary)).toEqual(["unchanged"]);
      secrets = [...secrets, ...outputSecrets(after)];
      expect(found(secrets, printed.join("\n"))).toEqual([]);
    });

    test("destroy leaves nothing", async () => {
      const destroyed = await update("destroy", engine);
      expect(destroyed.summary.deleted).toBeGreaterThan(20);
      expect(await inventory()).toEqual({});
      expect((await outside(["curl", "-sS", "-m", "5", out.url])).code).not.toBe(0);
    });
  });
}

/** All that there is in the cloud, as Hetzner's own client sees it: {} when there is nothing. */
export async function inventory(): Promise<Record<string, string[]>> {
  return tool(
    "hetzner_inventory",
    { endpoint: "http://api.sandbox.test/v1", token: apiToken()[1] },
    { as: "operator" },
  );
}

const PLANTED = 200;

/** Short-lived processes, on this machine and on a host, with a secret behind many and long arguments. */
async function plantSecrets(): Promise<void> {
  const script = (place: string) => `
    printf -v long '%8192s' ''
    mapfile -t many < <(seq 1 40)
    for n in {1..${PLANTED}}; do /bin/true "\${long// /x}" "\${many[@]}" "PLANTED-${place}-$n"; done`;
  await outside(["bash", "-c", script("machine")]);
  await onHost(TURN, ["bash", "-c", script("host")]);
}

/** Every line that both hosts' SSH servers have logged. */
async function sshLog(): Promise<string[]> {
  const logs = await Promise.all(
    [BBB, TURN].map((fqdn) => onHost(fqdn, ["journalctl", "-q", "-t", "sshd", "-o", "cat"])),
  );
  expect(logs.every((log) => log.includes("Accepted publickey"))).toBe(true);
  return logs;
}

/** What the sandbox has counted: SSH connections to each host, and API calls that changed something. */
async function counts(): Promise<Record<string, number>> {
  const status = JSON.parse(await must(["status", "--json"])) as {
    hosts: { name: string; sshConnections: number }[];
    mutatingApiCalls: number;
  };
  const ssh = Object.fromEntries(status.hosts.map(({ name, sshConnections }) => [name, sshConnections]));
  const all = { ...ssh, mutatingApiCalls: status.mutatingApiCalls };
  expect(Object.keys(all)).toHaveLength(3);
  for (const [what, count] of Object.entries(all)) expect([what, count > 0]).toEqual([what, true]);
  return all;
}

/** What changes when a host is replaced or booted anew. */
function identities(): Promise<string[]> {
  const script = "cat /var/lib/cloud/data/instance-id; stat -c %Y /proc/1";
  return Promise.all([BBB, TURN].map((fqdn) => onHost(fqdn, ["bash", "-c", script])));
}

function turnFiles(): Promise<string[]> {
  return Promise.all([
    onHost(TURN, ["cat", "/etc/turnserver.conf"]),
    onHost(BBB, ["cat", releases["jammy-30"].turnXml.path]),
  ]);
}

/** When the services that read the TURN secret were started. */
async function serviceStarts(): Promise<Record<string, string>> {
  const started = (fqdn: string, unit: string) =>
    onHost(fqdn, ["systemctl", "show", "-P", "InvocationID", unit]).then((id) => id.trim());
  return { coturn: await started(TURN, "coturn"), "bbb-web": await started(BBB, "bbb-web") };
}

function filesUnder(directory: string, wanted: (path: string) => boolean): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    // The hosts' own file systems are searched from inside.
    if (entry.isDirectory()) return path === join(STATE, "hosts") ? [] : filesUnder(path, wanted);
    return entry.isFile() && statSync(path).size < 64 << 20 && wanted(path) ? [path] : [];
  });
}

const LOGIN = `
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
(umask 077 && cat >"$directory/key")
printf '%s %s\\n' "$0" "$1" >"$directory/known_hosts"
ssh -F none -i "$directory/key" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \\
  -o UserKnownHostsFile="$directory/known_hosts" "root@$0" hostname -f </dev/null
`;
