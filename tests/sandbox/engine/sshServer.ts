import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { Server, utils, type Connection, type ServerChannel, type SFTPWrapper } from "ssh2";

import { privateKey } from "../../../sandbox/engine/drivers/tls";

/** Part of SFTP that an upload needs, on this machine's files. */
function serveFiles(sftp: SFTPWrapper): void {
  const { OK, FAILURE, NO_SUCH_FILE } = utils.sftp.STATUS_CODE;
  const reply = (id: number, action: () => void) => {
    try {
      action();
      sftp.status(id, OK);
    } catch {
      sftp.status(id, FAILURE);
    }
  };
  const handleOf = (file: number) => Buffer.from(String(file));
  sftp.on("OPEN", (id, path, flags) => sftp.handle(id, handleOf(openSync(path, flags & 2 ? "w" : "r"))));
  sftp.on("WRITE", (id, handle, offset, data) =>
    reply(id, () => writeSync(Number(String(handle)), data, 0, data.length, offset)),
  );
  sftp.on("CLOSE", (id, handle) => reply(id, () => closeSync(Number(String(handle)))));
  sftp.on("MKDIR", (id, path) => reply(id, () => mkdirSync(path)));
  sftp.on("FSETSTAT", (id) => sftp.status(id, OK));
  const stat = (id: number, path: string) => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return sftp.status(id, NO_SUCH_FILE);
    const { mode, uid, gid, size, atimeMs, mtimeMs } = found;
    sftp.attrs(id, { mode, uid, gid, size, atime: atimeMs / 1000, mtime: mtimeMs / 1000 });
  };
  sftp.on("STAT", stat);
  sftp.on("LSTAT", stat);
}

/** Makes a key pair by our own driver: ssh2's generator writes one key in some 300 that nobody can read. */
export function keyPair(): { readonly private: string; readonly public: string } {
  const { privateKeyOpenssh, publicKeyOpenssh } = privateKey({ algorithm: "ED25519" }).outputs;
  return { private: String(privateKeyOpenssh), public: String(publicKeyOpenssh).trim() };
}

/** An SSH server on loopback that runs each command in a shell of this machine and counts connections. */
export class SshServer {
  readonly hostKey = keyPair();
  readonly userKey = keyPair();
  connections = 0;
  readonly commands: string[] = [];
  /** Command that is run in place of another. */
  answer = (command: string): string => command;
  /** Program that serves SFTP, e.g. OpenSSH's. @default the part above */
  sftpServer: string | undefined;
  /** Folder of an account, whose .ssh/authorized_keys has further keys. @default none */
  home: string | undefined;
  private readonly open = new Set<Connection>();
  private readonly server = new Server({ hostKeys: [this.hostKey.private] }, (client) => this.serve(client));

  async listen(port = 0): Promise<number> {
    await new Promise<void>((done) => this.server.listen(port, "127.0.0.1", done));
    return (this.server.address() as AddressInfo).port;
  }

  close(): Promise<void> {
    this.cut();
    return new Promise((done) => this.server.close(() => done()));
  }

  /** Cuts all connections, like a host that vanishes. */
  cut(): void {
    for (const client of this.open) client.end();
  }

  private lines(): readonly string[] {
    const file = join(this.home ?? "", ".ssh/authorized_keys");
    return this.home !== undefined && existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  }

  private serve(client: Connection): void {
    this.connections += 1;
    this.open.add(client);
    client.on("error", () => {});
    client.on("close", () => this.open.delete(client));
    const allowed = utils.parseKey(this.userKey.public);
    if (allowed instanceof Error) throw allowed;
    let forced: string | undefined;
    client.on("authentication", (context) => {
      const { data } = context.method === "publickey" ? context.key : { data: undefined };
      const line = data && this.lines().find((line) => line.includes(data.toString("base64")));
      forced = /command="([^"]*)"/.exec(line ?? "")?.[1];
      if (line !== undefined || data?.equals(allowed.getPublicSSH())) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("session", (accept) => {
      const session = accept();
      const { sftpServer } = this;
      if (sftpServer === undefined) session.on("sftp", (acceptSftp) => serveFiles(acceptSftp()));
      else session.on("subsystem", (acceptStream) => run(acceptStream(), forced ?? sftpServer));
      session.on("exec", (acceptExec, _reject, { command }) => {
        this.commands.push(command);
        run(acceptExec(), forced ?? this.answer(command));
      });
      const run = (channel: ServerChannel, command: string) => {
        const shell = spawn("bash", ["-c", command], { cwd: this.home });
        channel.pipe(shell.stdin);
        shell.stdin.on("error", () => {});
        shell.stdout.on("data", (data: Buffer) => channel.write(data));
        shell.stderr.on("data", (data: Buffer) => channel.stderr.write(data));
        channel.on("close", () => shell.kill("SIGKILL"));
        shell.on("close", (code, signal) => {
          if (signal === null) channel.exit(code ?? 1);
          else channel.exit(signal.replace("SIG", ""));
          channel.end();
        });
      };
    });
  }
}
