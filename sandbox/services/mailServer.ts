import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

/** Message as a mail server took it. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Account that logged in; undefined without one. */
  readonly user?: string;
  /** Header and body, with line ends of one character. */
  readonly text: string;
}

/** Arguments of {@link createMailServer}. */
export interface MailServerArgs {
  /** Certificate (PEM) and key for STARTTLS. */
  readonly certificate: string;
  readonly privateKey: string;
  /** Password of every account. */
  readonly password: string;
  readonly take: (mail: Mail) => void;
}

/**
 * Makes a mail server for submission (RFC 6409), as small as a client of the standard library needs it: STARTTLS, then
 * AUTH PLAIN or LOGIN. It delivers to nobody. It refuses another password, and recipients whose name is nobody.
 */
export function createMailServer(args: MailServerArgs): Server {
  return createServer((socket) => new Conversation(args, socket).begin());
}

class Conversation {
  private encrypted = false;
  private received = "";
  private user: string | undefined;
  private from = "";
  private to: string[] = [];
  /** Handler of the next line, where it is no command. */
  private next: ((line: string) => void) | undefined;

  constructor(
    private readonly args: MailServerArgs,
    private socket: Socket,
  ) {}

  begin(): void {
    this.listen();
    this.say("220 mail.sandbox.test ESMTP");
  }

  private listen(): void {
    this.socket.setTimeout(60_000, () => this.socket.destroy());
    this.socket.on("error", () => this.socket.destroy());
    this.socket.on("data", (data: Buffer) => {
      this.received += data.toString("utf8");
      for (let end; (end = this.received.indexOf("\n")) >= 0;) {
        const line = this.received.slice(0, end).replace(/\r$/, "");
        this.received = this.received.slice(end + 1);
        if (this.next) this.next(line);
        else this.command(line);
      }
    });
  }

  private say(...lines: readonly string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(""));
  }

  private command(line: string): void {
    const [verb = "", first = "", second = ""] = line.split(" ");
    switch (verb.toUpperCase()) {
      case "EHLO":
        return this.encrypted
          ? this.say("250-mail.sandbox.test", "250 AUTH PLAIN LOGIN")
          : this.say("250-mail.sandbox.test", "250 STARTTLS");
      case "STARTTLS":
        return this.encrypt();
      case "AUTH":
        return this.authenticate(first.toUpperCase(), second);
      case "MAIL":
        this.from = addressIn(line);
        this.to = [];
        return this.say("250 2.1.0 Ok");
      case "RCPT":
        return this.recipient(addressIn(line));
      case "DATA":
        return this.data();
      case "RSET":
      case "NOOP":
        return this.say("250 2.0.0 Ok");
      case "QUIT":
        this.say("221 2.0.0 Bye");
        this.socket.end();
        return;
      default:
        return this.say("502 5.5.2 Error: command not recognized");
    }
  }

  private encrypt(): void {
    this.say("220 2.0.0 Ready to start TLS");
    const { certificate: cert, privateKey: key } = this.args;
    const plain = this.socket;
    plain.removeAllListeners("data");
    this.socket = new TLSSocket(plain, { isServer: true, secureContext: createSecureContext({ cert, key }) });
    this.encrypted = true;
    this.received = "";
    this.listen();
  }

  private authenticate(kind: string, initial: string): void {
    if (!this.encrypted) return this.say("530 5.7.0 Must issue a STARTTLS command first");
    if (kind === "PLAIN") {
      const [, user = "", password = ""] = decoded(initial).split("\0");
      return this.logIn(user, password);
    }
    const askPassword = (user: string) => {
      this.next = (line) => this.logIn(user, decoded(line));
      this.say("334 UGFzc3dvcmQ6");
    };
    if (initial !== "") return askPassword(decoded(initial));
    this.next = (line) => askPassword(decoded(line));
    this.say("334 VXNlcm5hbWU6");
  }

  private logIn(user: string, password: string): void {
    this.next = undefined;
    if (password !== this.args.password) return this.say("535 5.7.8 Error: authentication failed");
    this.user = user;
    this.say("235 2.7.0 Authentication successful");
  }

  private recipient(address: string): void {
    if (address.startsWith("nobody@")) return this.say(`550 5.1.1 <${address}>: no such mailbox`);
    this.to.push(address);
    this.say("250 2.1.5 Ok");
  }

  private data(): void {
    if (this.to.length === 0) return this.say("554 5.5.1 Error: no valid recipients");
    const lines: string[] = [];
    this.next = (line) => {
      if (line !== ".") return void lines.push(line.replace(/^\./, ""));
      this.next = undefined;
      const { from, to, user } = this;
      this.args.take({ from, to, user, text: `${lines.join("\n")}\n` });
      this.say("250 2.0.0 Ok: queued");
    };
    this.say("354 End data with <CR><LF>.<CR><LF>");
  }
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? "";
}

function decoded(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}
