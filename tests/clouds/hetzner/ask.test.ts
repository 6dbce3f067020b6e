import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import * as pulumi from "@pulumi/pulumi";

import { askHetzner } from "../../../clouds/hetzner/ask";

let server: Server;
let endpoint: string;
let status: number;
const asked: { readonly url?: string; readonly token?: string }[] = [];

beforeAll(async () => {
  server = createServer(({ url, headers }: IncomingMessage, answer) => {
    asked.push({ url, token: headers.authorization });
    answer.writeHead(status, { "content-type": "application/json" }).end('{"servers": [{"name": "bbb"}]}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterAll(() => void server.close());
const environment = { ...process.env };
beforeEach(() => {
  asked.length = 0;
  status = 200;
});
afterEach(() => {
  process.env = { ...environment };
  pulumi.runtime.setAllConfig({});
});

const servers = { path: "/servers", query: { name: "bbb", label_selector: "stack==prod" } };

test("asks with the access of the environment", async () => {
  Object.assign(process.env, { HCLOUD_ENDPOINT: endpoint, HCLOUD_TOKEN: "of the environment" });
  expect(await askHetzner(servers, {})).toEqual({ servers: [{ name: "bbb" }] });
  expect(asked).toEqual([
    {
      url: "/v1/servers?name=bbb&label_selector=stack%3D%3Dprod&per_page=50",
      token: "Bearer of the environment",
    },
  ]);
});

test("asks with that of the stack's settings before", async () => {
  Object.assign(process.env, { HCLOUD_ENDPOINT: "http://127.0.0.1:1", HCLOUD_TOKEN: "of the environment" });
  pulumi.runtime.setAllConfig({ "hcloud:token": "of the stack", "hcloud:endpoint": `${endpoint}/` }, [
    "hcloud:token",
  ]);
  await askHetzner(servers, {});
  expect(asked[0]).toMatchObject({ token: "Bearer of the stack" });
});

test("asks with that of the provider which another program gives", async () => {
  pulumi.runtime.setAllConfig({ "hcloud:token": "of the stack" });
  const provider = { token: pulumi.secret("of the provider"), endpoint: pulumi.output(endpoint) };
  const parent = { getProvider: () => provider } as unknown as pulumi.Resource;
  await askHetzner(servers, { parent });
  expect(asked[0]).toMatchObject({ token: "Bearer of the provider" });
});

test("asks the API of the Storage Boxes at its own host", async () => {
  Object.assign(process.env, { HCLOUD_ENDPOINT: "http://127.0.0.1:1", HETZNER_ENDPOINT: endpoint });
  await askHetzner({ path: "/storage_boxes", query: {}, host: "boxes" }, {});
  expect(asked[0]).toMatchObject({ url: "/v1/storage_boxes?per_page=50" });
});

test("an answer that is none is an error, and so is silence", async () => {
  Object.assign(process.env, { HCLOUD_ENDPOINT: endpoint });
  status = 503;
  await expect(askHetzner(servers, {})).rejects.toThrow("HTTP status 503");
  process.env.HCLOUD_ENDPOINT = "http://127.0.0.1:1";
  await expect(askHetzner(servers, {})).rejects.toThrow();
});
