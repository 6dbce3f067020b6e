import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { NotSealed, sealHost, type Seal } from "../../../operator/images/sealHost";
import { keyPair, SshServer } from "../../sandbox/engine/sshServer";

let server: SshServer;
let port: number;
let folder: string;
let said: string[];

beforeEach(async () => {
  server = new SshServer();
  port = await server.listen();
  folder = mkdtempSync(join(tmpdir(), "bbb-seal-"));
  said = [];
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const wish: Seal = {
  ...{ role: "bbb", release: "jammy-30", scripts: "0123456789ab", built: 1764460800 },
  canaries: { secrets: { "the shared secret": "it's a secret" }, names: {} },
};

/** Seals a host on which this bash stands for seal.sh. */
function seal(program: string, more: object = {}) {
  writeFileSync(join(folder, "seal.sh"), program);
  const login = { host: "127.0.0.1", port, user: "root", hostKey: server.hostKey.public, ...more };
  const line = (text: string) => void said.push(text);
  return sealHost({ ...login, privateKey: server.userKey.private }, wish, line, folder);
}

test("the host gets its flags, and the secrets by standard input alone; its last line says what it is", async () => {
  const program = `echo "$*"; grep -c "it's a secret"; echo '{"bbb": "3.0.26", "role": "bbb"}'`;
  expect(await seal(program)).toMatchObject({ bbb: "3.0.26" });
  expect(said).toEqual([
    "bbb: --role bbb --release jammy-30 --scripts 0123456789ab --built 1764460800",
    "bbb: 1",
  ]);
});

test("what must not be in an image is told, without the log's own lines", async () => {
  const program = `echo "12:00:00  > stopping"; echo stopping
echo "this disk must not become an image:"; echo "/srv/x has the shared secret"; exit 1`;
  const failed = seal(program);
  await expect(failed).rejects.toThrow(NotSealed);
  await expect(failed).rejects.toThrow(
    "the bbb host was not sealed: this disk must not become an image:\n  /srv/x has the shared secret",
  );
  expect(said.join()).not.toContain("12:00:00");
});

test("one that ends without saying what it is was not sealed", async () => {
  await expect(seal("exit 0")).rejects.toThrow("the bbb host was not sealed: the connection was lost");
});

test("one that can't be reached is no failed seal: it may be taken up", async () => {
  const failed = seal("", { hostKey: keyPair().public });
  await expect(failed).rejects.toThrow("the builder 127.0.0.1 can't be reached");
  await expect(failed).rejects.not.toThrow(NotSealed);
});
