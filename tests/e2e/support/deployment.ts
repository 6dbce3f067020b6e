import { readFileSync } from "node:fs";
import { join } from "node:path";

import { releases } from "../../../bigbluebutton/releases";
import { getMeetings, MEDIA_PORT, page } from "./checks";
import { foundInExecs, watchExecs, watchMissing, type Exec } from "./execWatch";
import { counts, filesUnder, identity, serviceStarts, sshLog, STATE, turnFiles } from "./hosts";
import { expectOnlyRoot } from "./metadata";
import { expected, scan } from "./probes";
import {
  engineMissing,
  must,
  onHost,
  outputs,
  outside,
  printed,
  sandbox,
  testUnless,
  update,
  type Engine,
  type Outputs,
  type Update,
} from "./sandbox";
import type { Scenario } from "./scenarios";
import { found, foundInHostLogs, hostKeys, outputSecrets, type Secret } from "./secrets";
import { forbiddenPeers, turn, WAYS_IN } from "./turn";

const ROTATED = ["--set", "rotateTurnSecret=second"];

/** Tests of one deployment of jammy-30, in order: each builds on those before. */
export function deploymentTests(engine: Engine, scenario: Scenario): void {
  const missing = engineMissing(engine);
  const test = testUnless(missing);
  const { names } = scenario;
  const both = [names.bbb, names.turn];

  describe(`jammy-30 ${scenario.name} by the ${engine} engine`, () => {
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
        first = await update("up", engine, scenario.first);
        out = await outputs();
        if (watch) {
          await plantSecrets(names.turn);
          watched = await watch.stop();
        }
        secrets = [
          ...outputSecrets(out),
          ...(await hostKeys(names)),
          ...scenario.credentials(),
          ["passphrase", readFileSync(join(STATE, "stacks/passphrase"), "utf8")],
        ];
      });
    }

    test("up creates everything and ends with a summary", async () => {
      expect(first.summary.created).toBeGreaterThan(20);
      expect(Object.keys(first.summary)).toEqual(["created"]);
      for (const step of ["[turn 7/7]", "[bbb 7/7]"]) expect(first.stdout).toContain(step);
    });

    test("the outputs are what a front end and an operator need", async () => {
      expect(out).toMatchObject({
        url: `https://${names.bbb}`,
        apiUrl: `https://${names.bbb}/bigbluebutton/api`,
        turnUrls: [`turn:${names.turn}:3478`, `turns:${names.turn}:443?transport=tcp`],
        release: "jammy-30",
        sshCommand: `ssh ${scenario.login}@${out.addresses.bbb.ipv4}`,
      });
      expect(out.sharedSecret.length).toBeGreaterThanOrEqual(32);
      expect(out.turnSecret.length).toBeGreaterThanOrEqual(32);
      const plain = await must(["outputs", "--json"]);
      expect(found(outputSecrets(out), plain)).toEqual([]);
      expect(JSON.parse(plain)).toMatchObject({ sharedSecret: "[secret]", url: out.url });
    });

    testWatched("no secret is in any command line or environment during the deployment", async () => {
      expect(watched.length).toBeGreaterThan(1000);
      // Program, CLI and plugins take the clouds' credentials from their environment, and from nowhere better.
      const allowed = scenario.credentials().map(([name]) => `${name} in the environment of`);
      const places = foundInExecs(secrets, watched);
      expect(places.filter((place) => !allowed.some((start) => place.startsWith(start)))).toEqual([]);
    });

    testWatched("a secret planted in short-lived processes is caught every time", async () => {
      const planted = ["machine", "host"].flatMap((place) =>
        Array.from({ length: PLANTED }, (_, n) => `of ${place} ${n};`),
      );
      const wanted = ["arguments", "environment"].flatMap((where) =>
        planted.map((text): Secret => [text, `PLANTED in ${where} ${text}`]),
      );
      const short = watched.filter(({ argv }) => argv[0] === "true");
      const caught = foundInExecs(wanted, short).map((place) => place.split(" of true ")[0]);
      expect(caught.sort()).toEqual(
        planted.flatMap((text) => [`${text} in the arguments`, `${text} in the environment`]).sort(),
      );
    });

    test("a second up changes nothing, opens no SSH connection and makes no mutating API call", async () => {
      const before = { ssh: await sshLog(names), counts: await counts() };
      const second = await update("up", engine);
      expect(Object.keys(second.summary)).toEqual(["unchanged"]);
      expect(second.summary.unchanged).toBe(first.summary.created);
      expect(await counts()).toEqual(before.counts);
      expect(await sshLog(names)).toEqual(before.ssh);
    });

    test("HTTPS answers with a valid chain to outside clients, and HTTP leads there", async () => {
      expect(await page(out.url)).toMatchObject({ code: 0, status: "200 0" });
      const trusting = ["env", "-u", "CURL_CA_BUNDLE", "-u", "SSL_CERT_FILE"];
      expect((await outside([...trusting, "curl", "-sS", out.url])).code).toBe(60);
      expect((await page(`http://${names.bbb}/`)).redirect).toBe(`https://${names.bbb}/`);
    });

    test("the API takes a signed getMeetings and refuses a wrongly signed one", async () => {
      expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("<returncode>SUCCESS</returncode>");
      const refused = await getMeetings(out.apiUrl, `${out.sharedSecret}x`);
      expect(refused).toContain("<returncode>FAILED</returncode>");
      expect(refused).toContain("checksumError");
    });

    for (const way of WAYS_IN) {
      for (const family of ["ipv4", "ipv6"] as const) {
        test(`TURN over ${way.transport} ${way.port} by ${family} relays both ways to the BBB host`, async () => {
          const peer = out.addresses.bbb.ipv4;
          const wish = { server: names.turn, ...way, family, secret: out.turnSecret };
          const result = await turn({ ...wish, echo: [[peer, MEDIA_PORT]] });
          expect(result).toMatchObject({ allocate: "ok", echo: { [`${peer} ${MEDIA_PORT}`]: "ok" } });
          expect(result.relayed?.[0]).toBe(out.addresses.turn.ipv4);
        });
      }

      test(`TURN over ${way.transport} ${way.port} refuses a wrong secret with 401`, async () => {
        expect(await turn({ server: names.turn, ...way, secret: `${out.turnSecret}x` })).toEqual({
          allocate: 401,
        });
      });
    }

    test("TURN relays to no other address", async () => {
      const forbidden = forbiddenPeers(out.addresses.turn, out.addresses.bbb.ipv4);
      for (const relayed of ["ipv4", "ipv6"] as const) {
        const peers = forbidden[relayed]
          .filter((address) => !scenario.behindNat || address !== out.addresses.turn.ipv4)
          .map((address) => [address, MEDIA_PORT] as const);
        const allowed = [out.addresses.bbb[relayed], MEDIA_PORT] as const;
        const result = await turn({
          server: names.turn,
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
        for (const [client, extra] of [
          ["internet", []],
          ["operator", ["tcp 22"]],
        ] as const) {
          const reached = await scan(names[role], out.addresses[role], rules, client);
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
      const key = (await onHost(names.bbb, ["cat", "/etc/ssh/ssh_host_ed25519_key.pub"])).trim();
      const login = (user: string) =>
        outside(["bash", "-c", LOGIN, address, key, user], { as: "operator", input: out.privateKey });
      expect(await login(scenario.login)).toMatchObject({ code: 0, stdout: `${names.bbb} 0\n` });
      if (scenario.login !== "root") expect((await login("root")).stdout).not.toContain(names.bbb);
    });

    test("user data holds the SSH host key and no other secret", async () => {
      for (const fqdn of both) {
        const userData = await onHost(fqdn, ["cat", "/var/lib/cloud/instance/user-data.txt"]);
        const names = found(secrets, userData);
        expect(names.length).toBeGreaterThan(0);
        expect(names.filter((name) => !name.startsWith(`SSH host key of ${fqdn}`))).toEqual([]);
      }
    });

    test("only root reaches the metadata service: no other user, and no container", async () => {
      for (const fqdn of both) await expectOnlyRoot(fqdn, scenario.metadata);
    });

    test("no secret is in any log", async () => {
      const planted: Secret = ["planted", `PLANTED${Date.now()}`];
      expect(found(secrets, printed.join("\n"))).toEqual([]);
      for (const fqdn of both) {
        await onHost(fqdn, ["logger", planted[1]]);
        const places = await foundInHostLogs(fqdn, [...secrets, planted]);
        expect(places).toContain(`planted in the journal of ${fqdn}`);
        expect(places.filter((place) => !place.startsWith("planted"))).toEqual([]);
      }
      const logs = filesUnder(STATE, (path) => /log|\.jsonl$/.test(path));
      expect(logs.length).toBeGreaterThan(0);
      // What the emulated AWS account was asked for and so holds, user data included.
      const isUserData = (path: string, name: string) =>
        path.endsWith("/aws/journal.jsonl") && name.startsWith("SSH host key of");
      const places = logs.flatMap((path) =>
        found(secrets, readFileSync(path, "latin1"))
          .filter((name) => !isUserData(path, name))
          .map((name) => `${name} in ${path}`),
      );
      expect(places).toEqual([]);
    });

    test("no secret is in the plain checkpoint", async () => {
      const kept = filesUnder(join(STATE, "stacks"), (path) => !path.endsWith("/passphrase"));
      expect(kept.length).toBeGreaterThan(0);
      const all = kept.map((path) => readFileSync(path, "latin1"));
      expect(all.join("")).toContain(out.addresses.bbb.ipv4);
      expect(found(secrets, all.join("\n"))).toEqual([]);
    });

    test("nothing inside has a way out of the machine", async () => {
      const connect = ["--", "bash", "-c", "timeout 3 bash -c 'exec 3<>/dev/tcp/9.9.9.9/53'"];
      const places = [["--at", names.turn], ["--as", "operator"], []];
      const routes = await Promise.all(places.map((place) => sandbox(["exec", ...place, ...connect])));
      for (const { code } of routes) expect(code).not.toBe(0);
    });

    scenario.ownTests?.(test, () => ({ out, engine }));

    test("rotating the TURN secret gives both hosts the new one, and coturn takes the former beside it, without a restart", async () => {
      const before = await Promise.all(both.map(identity));
      const [, xml, conf] = await turnFiles(names);
      const services = await serviceStarts(names);
      const rotated = await update("up", engine, ROTATED);
      expect(rotated.summary.updated ?? 0).toBeGreaterThan(0);
      const after = await outputs();
      expect(after.turnSecret).not.toBe(out.turnSecret);
      expect(after.sharedSecret).toBe(out.sharedSecret);
      expect(await Promise.all(both.map(identity))).toEqual(before);
      const [taken, xmlNow, confNow] = await turnFiles(names);
      expect(taken).toBe(`${out.turnSecret}\n${after.turnSecret}`);
      expect(xml).toContain(out.turnSecret);
      expect(xmlNow).toContain(after.turnSecret);
      expect(xmlNow).not.toContain(out.turnSecret);
      expect(confNow).toBe(conf);
      const servicesNow = await serviceStarts(names);
      expect(servicesNow.coturn).toBe(services.coturn);
      expect(servicesNow["bbb-web"]).not.toBe(services["bbb-web"]);
      const answers = async (secrets: readonly string[]) =>
        Promise.all(
          secrets.flatMap((secret) =>
            WAYS_IN.map(async (way) => (await turn({ server: names.turn, ...way, secret })).allocate),
          ),
        );
      expect(await answers([out.turnSecret, after.turnSecret])).toEqual(["ok", "ok", "ok", "ok"]);
      await onHost(names.turn, [
        "sqlite3",
        "/var/lib/turn/turndb",
        "UPDATE bbb_deploy_secret SET until = 1 WHERE until IS NOT NULL",
      ]);
      await onHost(names.turn, ["systemctl", "start", "bbb-deploy-turn-secret.service"]);
      expect(await answers([out.turnSecret, after.turnSecret])).toEqual([401, 401, "ok", "ok"]);
      const calls = await update("up", engine, ROTATED);
      expect(Object.keys(calls.summary)).toEqual(["unchanged"]);
      secrets = [...secrets, ...outputSecrets(after)];
      expect(found(secrets, printed.join("\n"))).toEqual([]);
    });

    test("destroy leaves nothing", async () => {
      const destroyed = await update("destroy", engine);
      expect(destroyed.summary.deleted).toBeGreaterThan(20);
      expect(await scenario.inventory()).toEqual({});
      expect((await outside(["curl", "-sS", "-m", "5", out.url])).code).not.toBe(0);
    });
  });
}

const PLANTED = 200;

/**
 * Starts short-lived processes, on this machine and on a host, with secrets after many long arguments and variables.
 */
async function plantSecrets(host: string): Promise<void> {
  const script = (place: string) => `
import os
many = ["x" * 8192, *map(str, range(40))]
for n in range(${PLANTED}):
    secret = f"PLANTED in {{}} of ${place} {n};"
    env = {**{f"V{n}": text for n, text in enumerate(many)}, "SECRET": secret.format("environment")}
    os.waitpid(os.posix_spawn("/bin/true", ["true", *many, secret.format("arguments")], env), 0)`;
  await outside(["python3", "-c", script("machine")]);
  await onHost(host, ["python3", "-c", script("host")]);
}

/** Script that logs in with a pinned host key; the account may become root. */
const LOGIN = `
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
(umask 077 && cat >"$directory/key")
printf '%s %s\\n' "$0" "$1" >"$directory/known_hosts"
ssh -F none -i "$directory/key" -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=yes \\
  -o UserKnownHostsFile="$directory/known_hosts" "$2@$0" 'echo "$(hostname -f) $(sudo -n id -u)"' </dev/null
`;
