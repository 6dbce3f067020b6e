import { spawn, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, request as ask, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { FakeHost, run, type Done } from "./scripts";

const STANDIN = join(
  __dirname,
  "../../../sandbox/bbb/packages/bbb-greenlight-standin/root/usr/lib/bbb-standin",
);
const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** Host with the stand-in of Greenlight at work, nginx in front of it, and an API that it may call. */
export class GreenlightHost {
  readonly host = new FakeHost();
  /** Calls of BigBlueButton's API so far, by name. */
  readonly apiCalls: string[] = [];
  /** Secret that BigBlueButton's API knows. */
  apiSecret = SECRET;
  url = "";
  local = "";
  private readonly servers: Server[] = [];
  private process?: ChildProcess;

  get home(): string {
    return join(this.host.root, "root/greenlight-v3");
  }

  get api(): string {
    return `http://127.0.0.1:${(this.servers[0]!.address() as AddressInfo).port}/bigbluebutton/api`;
  }

  get env(): NodeJS.ProcessEnv {
    return {
      BBB_STANDIN_GREENLIGHT: this.home,
      BBB_DEPLOY_GREENLIGHT: this.local,
      BBB_DEPLOY_PATIENCE: "20",
    };
  }

  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.servers.push(this.bigbluebutton());
    await listen(this.servers[0]!);
    const free = createServer();
    const port = await listen(free);
    await new Promise((resolve) => free.close(resolve));
    this.local = `http://127.0.0.1:${port}`;
    this.servers.push(nginx(port));
    this.url = `http://127.0.0.1:${await listen(this.servers[1]!)}`;
    const all = {
      ...{ BIGBLUEBUTTON_ENDPOINT: this.api, BIGBLUEBUTTON_SECRET: SECRET, DATABASE_URL: "postgres://x" },
      ...settings,
    };
    const text = Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");
    this.host.put("root/greenlight-v3/.env", text);
    this.process = spawn(
      "/usr/bin/python3",
      ["-I", join(STANDIN, "greenlight.py"), join(this.home, ".env")],
      { env: { ...this.host.env, ...this.env, BBB_STANDIN_GREENLIGHT_PORT: String(port) }, stdio: "ignore" },
    );
    // Whoever looks at the processes sees these words, and the environment.
    this.host.fake(
      "docker",
      `{ tr '\\0' ' ' </proc/$$/cmdline; env; } >>"${this.host.directory}/seen"\nshift 3\nexec /usr/bin/python3 -I ${STANDIN}/greenlight_rails.py "$@"`,
    );
  }

  stop(): void {
    this.process?.kill("SIGKILL");
    for (const server of this.servers) server.close();
    this.host.remove();
  }

  /** Command lines and environments of what ran in the container. */
  seen(): string {
    const file = join(this.host.directory, "seen");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** A task of rake in the container. */
  rake(task: string): Promise<Done> {
    return run([
      "env",
      `BBB_STANDIN_GREENLIGHT=${this.home}`,
      "/usr/bin/python3",
      "-I",
      join(STANDIN, "greenlight_rails.py"),
      "bundle",
      "exec",
      "rake",
      task,
    ]);
  }

  /** Rows of a query to its data, each as one text. */
  async rows(query: string): Promise<string[]> {
    const program = `import sqlite3, sys; print("\\n".join("|".join(map(str, row)) for row in sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2])))`;
    const file = join(this.home, "data/postgres/14/database_data/standin.sqlite3");
    const { output } = await run(["/usr/bin/python3", "-c", program, file, query]);
    return output.split("\n").filter(Boolean);
  }

  private bigbluebutton(): Server {
    return createServer((request, response) => {
      const call = new URL(request.url!, "http://localhost");
      const name = call.pathname.split("/").at(-1)!;
      const [query = "", checksum = ""] = call.search.slice(1).split(/&?checksum=/);
      const digest = createHash(checksum.length === 40 ? "sha1" : "sha256");
      const good = digest.update(`${name}${query}${this.apiSecret}`).digest("hex") === checksum;
      if (name !== "isMeetingRunning") this.apiCalls.push(name);
      response.end(
        `<response><returncode>${good ? "SUCCESS" : "FAILED"}</returncode><messageKey>${good ? "" : "checksumError"}</messageKey><moderatorPW>m</moderatorPW></response>`,
      );
    });
  }
}

/** Passes on, as nginx does behind its TLS; a browser of plain HTTP keeps the cookie also. */
function nginx(port: number): Server {
  return createServer((request, response) => {
    const { method, url: path, headers } = request;
    const passed = ask(
      { port, method, path, headers: { ...headers, "X-Forwarded-Proto": "https" } },
      (answer) => {
        const cookies = answer.headers["set-cookie"]?.map((cookie) => cookie.replace("; secure", ""));
        response.writeHead(answer.statusCode!, {
          ...answer.headers,
          ...(cookies && { "set-cookie": cookies }),
        });
        answer.pipe(response);
      },
    );
    passed.on("error", () => response.writeHead(502).end());
    request.pipe(passed);
  });
}

export { SECRET };
