import { CreateTagsCommand } from "@aws-sdk/client-ec2";

import { awsServers } from "../../../operator/servers/aws";
import { REGION } from "../../../sandbox/aws";
import { credentials, useAccount } from "../../sandbox/aws/harness";
import { makeInstance } from "../../sandbox/aws/setUp";

const account = useAccount();
const environment = { ...process.env };
beforeAll(() =>
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: account().endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }),
);
afterAll(() => (process.env = environment));

const labels = { project: "bigbluebutton", stack: "prod", role: "bbb" };

test("an instance is found by all of its tags, stopped and started again", async () => {
  const { id } = await makeInstance(account());
  const other = await makeInstance(account());
  const tag = (Resources: string[], tags: object) =>
    account().clients.ec2.send(
      new CreateTagsCommand({
        Resources,
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) })),
      }),
    );
  await tag([id], { ...labels, Name: "bbb.example.org" });
  await tag([other.id], { ...labels, stack: "staging" });
  const servers = awsServers(REGION, 0.05);
  expect(await servers.find(labels)).toMatchObject([{ id, name: "bbb.example.org", status: "running" }]);
  await servers.stop(id);
  const [stopped] = await servers.find(labels);
  expect(stopped).toMatchObject({ status: "stopped", stopped: expect.any(Date) as Date });
  expect(Math.abs(Date.now() - stopped!.stopped!.getTime())).toBeLessThan(3_600_000);
  await servers.stop(id);
  await servers.start(id);
  expect(await servers.find(labels)).toMatchObject([{ status: "running" }]);
});
