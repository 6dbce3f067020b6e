import { existsSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { FakeHost } from "./scripts";

const CONF = "opt/freeswitch/etc/freeswitch";
export const GATEWAY_FILE = `${CONF}/sip_profiles/external/bbb-deploy.xml`;
export const DIALPLAN_FILE = `${CONF}/dialplan/public/bbb-deploy.xml`;

/** Host with an event socket that knows a gateway as FreeSWITCH does: a rescan takes its file, a kill forgets it. */
export class FreeswitchHost extends FakeHost {
  /** Commands that came in by the event socket. */
  readonly commands: string[] = [];
  /** State of a gateway that is there. */
  state = "REGED";
  status = "UP";
  /** Takes a killed gateway away. */
  lets = true;
  known = false;
  private server?: Server;

  static async make(password = "ESLpassword"): Promise<FreeswitchHost> {
    const host = new FreeswitchHost();
    host.server = createServer((socket) => host.serve(socket, password));
    await new Promise<void>((resolve) => host.server!.listen(0, "127.0.0.1", resolve));
    const { port } = host.server.address() as AddressInfo;
    host.put(
      `${CONF}/autoload_configs/event_socket.conf.xml`,
      `<configuration><settings>
  <param name="listen-ip" value="127.0.0.1"/> <param name="listen-port" value="${port}"/>
  <!-- <param name="password" value="ClueCon"/> -->
  <param name="password" value="ESLpassword"/>
</settings></configuration>\n`,
    );
    for (const path of [GATEWAY_FILE, DIALPLAN_FILE])
      host.put(join(path, "..", "example.xml"), "<include/>\n");
    return host;
  }

  /** Stops the event socket. */
  stop(): Promise<void> {
    return new Promise((resolve) => this.server!.close(() => resolve()));
  }

  override remove(): void {
    this.server?.close();
    super.remove();
  }

  override get env(): NodeJS.ProcessEnv {
    return { ...super.env, BBB_DEPLOY_PATIENCE: "1" };
  }

  private serve(socket: Socket, password: string): void {
    let text = "";
    socket.write("Content-Type: auth/request\n\n");
    socket.on("error", () => undefined);
    socket.on("data", (data) => {
      text += data;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const command = text.slice(0, end);
        text = text.slice(end + 2);
        if (command.startsWith("auth ")) {
          const reply = command === `auth ${password}` ? "+OK accepted" : "-ERR invalid";
          socket.write(`Content-Type: command/reply\nReply-Text: ${reply}\n\n`);
        } else {
          const answer = this.answer(command.replace(/^api /, ""));
          socket.write(
            `Content-Type: api/response\nContent-Length: ${Buffer.byteLength(answer)}\n\n${answer}`,
          );
        }
      }
    });
  }

  private answer(command: string): string {
    this.commands.push(command);
    const there = existsSync(join(this.root, GATEWAY_FILE));
    if (command === "sofia profile external killgw bbb-deploy") {
      this.known = !this.lets;
      return "+OK gateway marked for deletion\n";
    }
    if (command === "sofia profile external rescan") this.known ||= there;
    if (!command.startsWith("sofia status gateway")) return "+OK\n";
    if (!this.known) return "Invalid Gateway!\n";
    return `${"=".repeat(20)}\nName    \tbbb-deploy\nProfile \texternal\nState   \t${this.state}\nStatus  \t${this.status} (ping)\n${"=".repeat(20)}\n`;
  }
}
