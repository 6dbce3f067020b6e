import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import type { Host } from "../../clouds/host";
import { giveCertificate, keepCertificate } from "../../steps/keptCertificate";
import { SshServer } from "../sandbox/engine/sshServer";

let servers: { node: SshServer; balancer: SshServer };
let node: Host;
let balancer: Host;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "kept-"));
  servers = { node: new SshServer(), balancer: new SshServer() };
  const hostOf = async (server: SshServer, fqdn: string) => {
    const connection = {
      ...{ host: "127.0.0.1", port: await server.listen(), user: "root" },
      ...{ hostKey: server.hostKey.public, privateKey: server.userKey.private },
    };
    return { fqdn, user: "root", connection: pulumi.output(connection) } as unknown as Host;
  };
  node = await hostOf(servers.node, "bbb-2.example.org");
  balancer = await hostOf(servers.balancer, "bbb.example.org");
});
afterEach(async () => {
  await Promise.all([servers.node.close(), servers.balancer.close()]);
  rmSync(directory, { recursive: true });
});

test("a server's certificate goes to the balancer's standard input, and into no command line", async () => {
  servers.node.answer = () => "printf 'certificate\\nkey\\n'";
  servers.balancer.answer = () => `cat >${directory}/got`;
  await keepCertificate(node, balancer);
  expect(readFileSync(join(directory, "got"), "utf8")).toBe("certificate\nkey\n");
  expect(servers.node.commands).toEqual([expect.stringMatching(/ pack bbb-2\.example\.org$/)]);
  expect(servers.balancer.commands).toEqual([expect.stringMatching(/ keep bbb-2\.example\.org$/)]);
  expect(servers.balancer.commands.join()).not.toContain("key\n");
});

test("one of the operator's own is not sent", async () => {
  servers.node.answer = () => "true";
  await keepCertificate(node, balancer);
  expect(servers.balancer.commands).toEqual([]);
});

test("the balancer's goes to the new server, in a file for its second step", async () => {
  servers.balancer.answer = () => "printf 'certificate\\nkey\\n'";
  servers.node.answer = () => `cat >${directory}/got`;
  expect(await giveCertificate(balancer, node)).toBe(true);
  expect(readFileSync(join(directory, "got"), "utf8")).toBe("certificate\nkey\n");
  expect(servers.node.commands).toEqual([
    expect.stringMatching(/ keep\.sh \/var\/lib\/bbb-deploy\/kept-certificate$/),
  ]);
});

test("without one nothing is sent to the new server", async () => {
  servers.balancer.answer = () => "true";
  expect(await giveCertificate(balancer, node)).toBe(false);
  expect(servers.node.commands).toEqual([]);
});

test("an error names the host and the reason, without what was printed", async () => {
  servers.balancer.answer = () => "echo KEY; echo 'no space left' >&2; exit 1";
  await expect(giveCertificate(balancer, node)).rejects.toThrow(/^bbb\.example\.org: no space left$/);
});
