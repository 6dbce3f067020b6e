import { readFileSync } from "node:fs";
import { join } from "node:path";

import { AWS_METADATA_LOG, AWS_REQUEST_LOG } from "../../../sandbox/paths";
import { expectService, MEDIA_PORT } from "./checks";
import { aws } from "./clouds";
import { echoed, startEcho } from "./echo";
import { identity, privateIpv4 } from "./hosts";
import { runFrom } from "./metadata";
import { plantRecordings, recordingSums } from "./recordings";
import { onHost, outputs, PROJECT, update, type Names } from "./sandbox";
import type { OwnTests } from "./scenarios";
import { turn, turnPeers, WAYS_IN } from "./turn";

const IMDS_V1 =
  "curl -sS -m 5 -o /dev/null -w %{http_code} http://169.254.169.254/latest/meta-data/instance-id";

/** Port of the relay's range, which the firewall allows. */
const SELF_PORT = 40001;

/** Tests for EC2 alone: two addresses, IMDSv2, and instances that can be exchanged. */
export function awsTests(names: Names): OwnTests {
  const both = [names.bbb, names.turn];
  return (test, deployment) => {
    test("BigBlueButton and TURN are told the public and the private address", async () => {
      const { out } = deployment();
      const own = { bbb: await privateIpv4(names.bbb), turn: await privateIpv4(names.turn) };
      expect(own.bbb).toMatch(/^172\.31\./);
      expect((await onHost(names.bbb, ["hostname", "-I"])).split(/\s+/)).toContain(own.bbb);
      expect(await onHost(names.bbb, ["cat", "/opt/freeswitch/etc/freeswitch/vars.xml"])).toContain(
        `external_rtp_ip=${out.addresses.bbb.ipv4}"`,
      );
      expect(await onHost(names.bbb, ["getent", "ahostsv4", names.bbb])).toContain(own.bbb);
      const coturn = (await onHost(names.turn, ["cat", "/etc/turnserver.conf"])).split("\n");
      expect(coturn).toEqual(
        expect.arrayContaining([
          `external-ip=${out.addresses.turn.ipv4}/${own.turn}`,
          `relay-ip=${own.turn}`,
        ]),
      );
      expect(await turnPeers(names.turn)).toEqual(expect.arrayContaining([out.addresses.bbb.ipv4, own.bbb]));
    });

    test("TURN relays to the private address of BigBlueButton, and to no other of its network", async () => {
      const { out } = deployment();
      const own = (await privateIpv4(names.bbb)) ?? "";
      const forbidden = ["172.31.0.1", "172.31.0.2", "172.31.255.254", "169.254.169.254", "169.254.169.123"];
      const result = await turn({
        server: names.turn,
        ...WAYS_IN[0],
        secret: out.turnSecret,
        echo: [[own, MEDIA_PORT]],
        permissions: forbidden.map((address) => [address, MEDIA_PORT]),
      });
      expect(result.echo).toEqual({ [`${own} ${MEDIA_PORT}`]: "ok" });
      expect(result.permissions).toEqual(
        Object.fromEntries(forbidden.map((address) => [`${address} ${MEDIA_PORT}`, 403])),
      );
    });

    test("TURN relays nothing to its own host, by neither of its addresses", async () => {
      const { out } = deployment();
      const echo = await startEcho(names.turn, SELF_PORT);
      try {
        expect(await echoed(out.addresses.turn.ipv4, SELF_PORT)).toBe(true);
        const own = (await privateIpv4(names.turn)) ?? "";
        const results = await Promise.all(
          [out.addresses.turn.ipv4, own].map((address) =>
            turn({ server: names.turn, ...WAYS_IN[0], secret: out.turnSecret, echo: [[address, SELF_PORT]] }),
          ),
        );
        const answers = results.flatMap(({ echo: got = {} }) => Object.values(got));
        expect(answers).toHaveLength(2);
        for (const answer of answers) expect([403, "timeout"]).toContain(answer);
      } finally {
        await echo.stop();
      }
    });

    test("no request without a token is answered, by the hosts' own programs neither", async () => {
      for (const fqdn of both) {
        expect((await runFrom("root", fqdn, IMDS_V1)).stdout).toBe("401");
        for (const from of ["nobody", "container"] as const) {
          const { stdout } = await runFrom(from, fqdn, IMDS_V1);
          expect({ from, stdout }).toEqual({ from, stdout: "000" });
        }
      }
      const asked = imdsLog().filter(({ version }) => version === 1);
      expect(asked.length).toBeGreaterThanOrEqual(both.length);
      expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([401]));
    });

    test("docs/aws-policy.json permits every call that a deployment makes", async () => {
      expectPermitted("ec2:RunInstances", "iam:CreateRole");
    });

    test("another instance in place of the server keeps address, records and recordings", async () => {
      const { out, engine } = deployment();
      const sums = await plantRecordings(names.bbb);
      const before = { bbb: await identity(names.bbb), turn: await identity(names.turn) };
      const records = await zoneRecords();
      const instances = await instanceIds();

      const replaced = await update("up", engine, ["--replace", "bbb-host-server"]);
      expect(replaced.summary.replaced).toBeGreaterThan(1);
      expect(replaced.summary.created ?? 0).toBe(0);

      expect(await recordingSums(names.bbb)).toBe(sums);
      expect({ ...(await outputs()), certificates: out.certificates }).toEqual(out);
      expect(await zoneRecords()).toEqual(records);
      expect(await identity(names.bbb)).not.toBe(before.bbb);
      expect(await identity(names.turn)).toBe(before.turn);
      const now = await instanceIds();
      expect(now).toHaveLength(2);
      expect(now.filter((id) => instances.includes(id))).toHaveLength(1);
      await expectService(out, names.turn);
    });
  };
}

/** Expects that docs/aws-policy.json permits every call that was made since the reset, among which are these. */
export function expectPermitted(...made: readonly string[]): void {
  const allowed = policyPatterns();
  const calls = engineCalls();
  expect(calls).toEqual(expect.arrayContaining([...made]));
  expect(calls.filter((call) => !allowed.some((pattern) => pattern.test(call)))).toEqual([]);
}

/** Actions of docs/aws-policy.json, in which * stands for anything. */
function policyPatterns(): RegExp[] {
  const file = join(PROJECT, "docs/aws-policy.json");
  const policy = JSON.parse(readFileSync(file, "utf8")) as { Statement: { Action: string[] }[] };
  const actions = policy.Statement.flatMap(({ Action }) => Action);
  return actions.map((action) => new RegExp(`^${action.replaceAll("*", ".*")}$`));
}

/** Calls of the engine, without those of these tests' own client. */
function engineCalls(): string[] {
  const lines = readFileSync(AWS_REQUEST_LOG, "utf8").split("\n").filter(Boolean);
  const requests = lines.map((line) => JSON.parse(line) as { path?: string; userAgent?: string });
  const own = requests.filter(({ path, userAgent }) => path && !userAgent?.startsWith("Boto3"));
  return [...new Set(own.map(({ path }) => path ?? ""))];
}

/** Requests to the metadata service in the sandbox's log. */
function imdsLog(): { version: 1 | 2; status: number }[] {
  const lines = readFileSync(AWS_METADATA_LOG, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as { version: 1 | 2; status: number });
}

async function zoneRecords(): Promise<unknown[]> {
  const [zones] = await aws(["route53", "list_hosted_zones", {}]);
  const HostedZoneId = String(zones?.HostedZones?.[0]?.Id).split("/").at(-1);
  const [records] = await aws(["route53", "list_resource_record_sets", { HostedZoneId }]);
  return records?.ResourceRecordSets ?? [];
}

async function instanceIds(): Promise<string[]> {
  const alive = { Filters: [{ Name: "instance-state-name", Values: ["running"] }] };
  const [answer] = await aws(["ec2", "describe_instances", alive]);
  const reservations = (answer?.Reservations ?? []) as { Instances: { InstanceId: string }[] }[];
  return reservations.flatMap(({ Instances }) => Instances.map(({ InstanceId }) => InstanceId));
}
