import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { AddressInfo, Server, Socket } from "node:net";
import { join } from "node:path";

import type { FastifyInstance } from "fastify";

import { createMailServer, type Mail } from "../../../sandbox/services/mailServer";
import { createWebhook, type Hook } from "../../../sandbox/services/messages";
import type { Record } from "./checks";
import { done, FakeHost, run, SCRIPTS, type Done } from "./scripts";

export const PASSWORD = "Zq3vT8mW1xK5";

/** Answer of a host's own check, in place of host_check.py: the records of a file, and the request kept. */
const HOST_CHECK = `
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
print('{"ready": true}')
with open(f"{here}/request.json", "w") as file:
    file.write(sys.stdin.readline())
with open(f"{here}/records.json") as file:
    for record in json.load(file):
        print(json.dumps(record))
if not os.path.exists(f"{here}/cut-off"):
    print('{"end": true}')
`;

/** Fake host with the files of the alerts, and a mail server and a webhook that it reaches. */
export class AlertHost extends FakeHost {
  readonly mails: Mail[] = [];
  readonly hooks: Hook[] = [];
  readonly lib = join(this.directory, "lib");
  private mail: Server | undefined;
  private web: FastifyInstance | undefined;
  private readonly sockets: Socket[] = [];
  private tls: { certificate: string; privateKey: string } | undefined;
  /** Ports of both servers, which stay the same when they start again. */
  readonly ports = { mail: 0, web: 0 };

  static async make(): Promise<AlertHost> {
    const host = new AlertHost();
    mkdirSync(host.lib);
    const names = readdirSync(SCRIPTS).filter((name) =>
      /^(alert.*|whole_files)\.py$|^(addition|alerts|lib)\.sh$/.test(name),
    );
    for (const name of names) copyFileSync(join(SCRIPTS, name), join(host.lib, name));
    writeFileSync(join(host.lib, "host_check.py"), HOST_CHECK);
    host.finds();
    const [key, certificate] = [join(host.directory, "key.pem"), join(host.directory, "certificate.pem")];
    const made = await run([
      ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
      ...["-keyout", key, "-out", certificate],
    ]);
    if (made.code !== 0) throw new Error(made.output);
    host.tls = { certificate: readFileSync(certificate, "utf8"), privateKey: readFileSync(key, "utf8") };
    await host.startMail();
    await host.startWeb();
    return host;
  }

  override get env(): NodeJS.ProcessEnv {
    return {
      ...super.env,
      SSL_CERT_FILE: join(this.directory, "certificate.pem"),
      BBB_ALERTS_BOOT_SECONDS: "0",
    };
  }

  async startMail(): Promise<void> {
    const server = createMailServer({
      ...this.tls!,
      password: PASSWORD,
      take: (mail) => this.mails.push(mail),
    });
    server.on("connection", (socket) => this.sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(this.ports.mail, "127.0.0.1", resolve));
    this.ports.mail = (server.address() as AddressInfo).port;
    this.mail = server;
  }

  async startWeb(): Promise<void> {
    this.web = createWebhook(this.tls!, (hook) => this.hooks.push(hook));
    await this.web.listen({ host: "localhost", port: this.ports.web });
    this.ports.web = (this.web.server.address() as AddressInfo).port;
  }

  async stopMail(): Promise<void> {
    const closed = new Promise((resolve) => this.mail!.close(resolve));
    this.sockets.forEach((socket) => socket.destroy());
    await closed;
  }

  stopWeb(): Promise<void> {
    return this.web!.close();
  }

  /** Settings of an e-mail by the mail server. */
  email(more: object = {}): object {
    return {
      ...{ to: ["admin@school.eu"], from: "bbb@school.eu", server: "localhost", port: this.ports.mail },
      ...{ user: "bbb", password: PASSWORD },
      ...more,
    };
  }

  url(path: string): string {
    return `https://localhost:${this.ports.web}${path}`;
  }

  settings(alerts: object, role: "bbb" | "turn" | "balancer" = "bbb", more: object = {}): string {
    const request = { role, secret: "x" };
    return `${JSON.stringify({ role, host: `${role}.school.eu`, alerts, request, ...more })}\n`;
  }

  /** Puts settings in use, as the step does after its test message. */
  use(alerts: object, role?: "bbb" | "turn" | "balancer", more?: object): void {
    this.put("var/lib/bbb-deploy/alerts/settings.json", this.settings(alerts, role, more));
  }

  /** Sets what the next rounds find. */
  finds(...records: readonly Record[]): void {
    writeFileSync(join(this.lib, "records.json"), JSON.stringify(records));
  }

  /** Request of the last round; undefined when nothing was asked. */
  get asked(): { readonly [key: string]: unknown } | undefined {
    const file = join(this.lib, "request.json");
    return existsSync(file)
      ? (JSON.parse(readFileSync(file, "utf8")) as { [key: string]: unknown })
      : undefined;
  }

  /** Sets the age of a file below the state's directory. */
  age(name: string, seconds: number): void {
    const at = Date.now() / 1000 - seconds;
    utimesSync(join(this.root, "var/lib/bbb-deploy", name), at, at);
  }

  round(env: NodeJS.ProcessEnv = {}): Promise<Done> {
    return done(this.start(["/usr/bin/python3", "-B", join(this.lib, "alert_round.py")], env));
  }

  override remove(): void {
    this.mail?.close();
    this.sockets.forEach((socket) => socket.destroy());
    void this.web?.close();
    super.remove();
  }
}
