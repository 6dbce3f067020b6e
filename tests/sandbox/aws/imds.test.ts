/** Instance metadata service alone: its readers, their rights, and its protocols. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { createMetadata, type Metadata, type MetadataAnswer } from "../../../sandbox/aws/imds";
import { emptyState, type Guest } from "../../../sandbox/aws/state";
import { createMetadataServer } from "../../../sandbox/services/metadata";

const guest: Guest = {
  instanceId: "i-0123456789abcdef0",
  imageId: "ami-02202610140000000",
  instanceType: "c7i.2xlarge",
  availabilityZone: "eu-central-1a",
  region: "eu-central-1",
  hostname: "ip-172-31-2-10.eu-central-1.compute.internal",
  mac: "02:00:00:aa:bb:cc",
  interfaceId: "eni-0123456789abcdef0",
  subnetId: "subnet-0123456789abcdef0",
  vpcId: "vpc-0123456789abcdef0",
  groups: [{ id: "sg-0123456789abcdef0", name: "firewall" }],
  addresses: { ipv4: "203.0.113.200", privateIpv4: "172.31.2.10", ipv6: "2001:db8:a000::1:a" },
  keyName: "operator",
  publicKey: "ssh-ed25519 AAAA operator",
  userData: "#cloud-config\n{}\n",
  endpoint: true,
  tokensRequired: true,
};

const source = "172.31.2.10";
let directory: string;
let metadata: Metadata;
let current: Guest;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "imds-"));
  current = guest;
  const state = emptyState();
  Object.defineProperty(state, "instances", {
    get: () => ({ [current.instanceId]: { host: "a1", state: "running", guest: current } }),
  });
  metadata = createMetadata({ state }, join(directory, "imds.jsonl"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function ask(path: string, headers: Record<string, string> = {}, method = "GET"): MetadataAnswer {
  return metadata.answer({ source, method, path, headers })!;
}

const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
const takeToken = (): string => ask("/latest/api/token", ttl, "PUT").body;
const read = (path: string): MetadataAnswer => ask(path, { "x-aws-ec2-metadata-token": takeToken() });

test("with a token everything is told, in directories", () => {
  expect(read("/latest/meta-data/public-ipv4")).toEqual({ status: 200, body: "203.0.113.200" });
  expect(read("/latest/meta-data/local-ipv4").body).toBe("172.31.2.10");
  expect(read("/latest/meta-data/instance-id").body).toBe(guest.instanceId);
  expect(read("/latest/meta-data/hostname").body).toBe(guest.hostname);
  expect(read("/latest/meta-data/placement/availability-zone").body).toBe("eu-central-1a");
  expect(read("/latest/meta-data/public-keys/0/openssh-key").body).toBe("ssh-ed25519 AAAA operator");
  expect(read("/latest/meta-data/network/interfaces/macs/02:00:00:aa:bb:cc/public-ipv4s").body).toBe(
    "203.0.113.200",
  );
  expect(read("/latest/user-data").body).toBe("#cloud-config\n{}\n");
  expect(read("/2021-03-23/meta-data/mac").body).toBe(guest.mac);
  expect(read("/latest/meta-data/placement/").body).toBe("availability-zone\nregion");
  expect(read("/latest/").body.split("\n")).toEqual(expect.arrayContaining(["meta-data/", "user-data"]));
  expect(read("/latest/meta-data/iam/info").status).toBe(404);
  expect(JSON.parse(read("/latest/dynamic/instance-identity/document").body)).toMatchObject({
    region: "eu-central-1",
  });
});

test("without a public address there is no public-ipv4", () => {
  current = { ...guest, addresses: { privateIpv4: source } };
  expect(read("/latest/meta-data/public-ipv4").status).toBe(404);
  expect(read("/latest/meta-data/").body.split("\n")).not.toContain("public-ipv4");
});

test("version 1 gets nothing where tokens are required, and everything where they are optional", () => {
  expect(ask("/latest/meta-data/public-ipv4").status).toBe(401);
  expect(ask("/latest/user-data").status).toBe(401);
  current = { ...guest, tokensRequired: false };
  expect(ask("/latest/meta-data/public-ipv4")).toEqual({ status: 200, body: "203.0.113.200" });
  expect(ask("/latest/meta-data/public-ipv4", { "x-aws-ec2-metadata-token": "made up" }).status).toBe(401);
});

test.each([
  ["no lifetime", {}, 400],
  ["a lifetime of nothing", { "x-aws-ec2-metadata-token-ttl-seconds": "0" }, 400],
  ["a lifetime of more than six hours", { "x-aws-ec2-metadata-token-ttl-seconds": "21601" }, 400],
  ["a proxy's header", { ...ttl, "x-forwarded-for": "10.0.0.1" }, 403],
])("a token with %s is not given", (_what, headers, status) => {
  expect(ask("/latest/api/token", headers as Record<string, string>, "PUT").status).toBe(status);
});

test("another instance's token is worth nothing", () => {
  const token = takeToken();
  current = { ...guest, instanceId: "i-00000000000000001" };
  expect(ask("/latest/user-data", { "x-aws-ec2-metadata-token": token }).status).toBe(401);
});

test("where it is switched off, nothing is answered", () => {
  current = { ...guest, endpoint: false };
  expect(ask("/latest/api/token", ttl, "PUT").status).toBe(403);
  expect(ask("/latest/meta-data/").status).toBe(403);
});

test("who is no instance is not answered for", () => {
  expect(
    metadata.answer({ source: "203.0.113.10", method: "GET", path: "/latest/user-data", headers: {} }),
  ).toBeUndefined();
});

test("each request is in the log, with its version and its outcome", () => {
  read("/latest/meta-data/mac");
  ask("/latest/user-data");
  const lines = readFileSync(join(directory, "imds.jsonl"), "utf8").trim().split("\n");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { version: 2, method: "PUT", path: "/latest/api/token", status: 200, instance: guest.instanceId, source },
    { version: 2, method: "GET", path: "/latest/meta-data/mac", status: 200 },
    { version: 1, method: "GET", path: "/latest/user-data", status: 401 },
  ]);
});

test("the service tells instances EC2's answers and other hosts Hetzner's", async () => {
  const other = {
    id: "1",
    name: "bbb",
    ubuntu: "24.04",
    cores: 2,
    memoryGb: 4,
    diskGb: 40,
    userData: "hetzner's",
    sshPublicKeys: [],
    addresses: { ipv4: "127.0.0.3" },
    rules: [],
  };
  current = { ...guest, addresses: { privateIpv4: "127.0.0.2" } };
  const app = createMetadataServer(
    () => [other],
    () => metadata,
  );
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const from = (localAddress: string, path: string): Promise<[number | undefined, string]> =>
    new Promise((resolve, reject) => {
      get(`${url}${path}`, { localAddress }, (response) => {
        text(response).then((body) => resolve([response.statusCode, body]), reject);
      }).on("error", reject);
    });
  expect(await from("127.0.0.2", "/latest/user-data")).toEqual([401, "401 - Unauthorized\n"]);
  expect(await from("127.0.0.2", "/hetzner/v1/userdata")).toEqual([401, "401 - Unauthorized\n"]);
  expect(await from("127.0.0.3", "/hetzner/v1/userdata")).toEqual([200, "hetzner's"]);
  expect(await from("127.0.0.3", "/latest/user-data")).toEqual([404, "not found\n"]);
  await app.close();
});
