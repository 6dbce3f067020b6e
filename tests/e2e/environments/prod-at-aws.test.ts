import { expectService } from "../support/checks";
import { allInventory, aws } from "../support/clouds";
import { identity } from "../support/hosts";
import { plantRecordings, recordingSums } from "../support/recordings";
import { IN_ROUTE53, must, outputs, update } from "../support/sandbox";

/** Prod at AWS: a short form of side-by-side.test.ts. */

const PROD = ["--stack", "prod"];
const TYPES = { location: "eu-central-1", serverType: "c7a.2xlarge", turnServerType: "c7a.large" };
const AT_AWS = [
  ...PROD,
  ...["--cloud", "aws"],
  ...Object.entries(TYPES).flatMap(([key, value]) => ["--set", `${key}=${value}`]),
];

const boots = () => Promise.all([identity(IN_ROUTE53.bbb), identity(IN_ROUTE53.turn)]);

async function terminationProtection(): Promise<unknown[]> {
  const alive = { Filters: [{ Name: "instance-state-name", Values: ["running"] }] };
  const [answer] = await aws(["ec2", "describe_instances", alive]);
  const instances = (answer?.Reservations ?? []).flatMap(
    ({ Instances }) => Instances as { InstanceId: string }[],
  );
  const Attribute = "disableApiTermination";
  const answers = await aws(
    ...instances.map(
      ({ InstanceId }) => ["ec2", "describe_instance_attribute", { InstanceId, Attribute }] as const,
    ),
  );
  return answers.map((attributes) => attributes.DisableApiTermination);
}

beforeAll(() => must(["reset"]));

test("destroy takes the names and leaves the servers as they are; up takes them over; on purpose nothing is left", async () => {
  await update("up", "embedded", AT_AWS);
  const before = { addresses: (await outputs(PROD)).addresses, boots: await boots() };
  const sums = await plantRecordings(IN_ROUTE53.bbb);
  expect(await terminationProtection()).toEqual([{ Value: true }, { Value: true }]);

  const destroyed = await update("destroy", "embedded", PROD);
  const kept = [...destroyed.stdout.matchAll(/^ *(\S+) is protected and was kept$/gm)].map(
    ([, name]) => name,
  );
  expect(kept.sort()).toEqual(
    ["address", "interface", "ipv4", "server", "volume", "volume-attachment"]
      .flatMap((what) => [`bbb-host-${what}`, ...(what.startsWith("volume") ? [] : [`turn-host-${what}`])])
      .sort(),
  );
  expect(await allInventory()).not.toHaveProperty("Records");

  const { summary } = await update("up", "embedded", AT_AWS);
  expect(Object.keys(summary)).toEqual(["created", "unchanged"]);
  const out = await outputs(PROD);
  expect({ addresses: out.addresses, boots: await boots() }).toEqual(before);
  expect(await recordingSums(IN_ROUTE53.bbb)).toBe(sums);
  await expectService(out, IN_ROUTE53.turn);

  await update("up", "embedded", [...AT_AWS, "--set", "environment=test"]);
  await update("destroy", "embedded", PROD);
  expect(await allInventory()).toEqual({});
});
