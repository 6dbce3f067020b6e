import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request as ask, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import {
  renderGreenlightRequest,
  type GreenlightAdmin,
  type GreenlightWishes,
} from "../../../bigbluebutton/greenlight";
import { freePort } from "../../support/freePort";
import { LIBRARIES, STANDIN, type GreenlightDatabase } from "./greenlightDatabase";
import { done, FakeHost, run, type Done } from "./scripts";

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
  private port = 0;

  constructor(private readonly database: GreenlightDatabase) {}

  get home(): string {
    return join(this.host.root, "root/greenlight-v3");
  }

  get api(): string {
    return `http://127.0.0.1:${(this.servers[0]!.address() as AddressInfo).port}/bigbluebutton/api`;
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...LIBRARIES,
      BBB_STANDIN_GREENLIGHT: join(this.host.directory, "taken"),
      BBB_STANDIN_GREENLIGHT_PORT: String(this.port),
      BBB_DEPLOY_GREENLIGHT: this.local,
      BBB_DEPLOY_PATIENCE: "20",
    };
  }

  /** Installs Greenlight, and starts the stand-in of it. */
  async start(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.install(settings);
    this.database.empty();
    this.port = await freePort();
    this.local = `http://127.0.0.1:${this.port}`;
    this.servers.push(nginx(this.port));
    this.url = `http://127.0.0.1:${await listen(this.servers[1]!)}`;
    // A container has its settings from when it was made: `up` makes it anew where they have changed.
    this.fakeDocker(
      `cmp -s "${this.home}/.env" taken && exit 0
cp "${this.home}/.env" taken
[[ ! -e pid ]] || kill -KILL "$(<pid)"
while (: >/dev/tcp/127.0.0.1/${this.port}) 2>/dev/null; do sleep 0.05; done
setsid /usr/bin/python3 -I ${STANDIN}/greenlight.py </dev/null >/dev/null 2>&1 3>&- 9>&- &
echo $! >pid
for _ in {1..200}; do (: >/dev/tcp/127.0.0.1/${this.port}) 2>/dev/null && exit 0; sleep 0.05; done`,
    );
    await this.composeUp();
    this.host.forgetCalls();
  }

  /** Installs a Greenlight that says that it is well, and does nothing else. */
  async install(settings: Readonly<Record<string, string>> = {}): Promise<void> {
    this.servers.push(this.bigbluebutton());
    this.local = `http://127.0.0.1:${await listen(this.servers[0]!)}`;
    const all = {
      ...{ BIGBLUEBUTTON_ENDPOINT: this.api, BIGBLUEBUTTON_SECRET: SECRET, DATABASE_URL: this.database.url },
      ...settings,
    };
    const text = Object.entries(all)
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");
    this.host.put("root/greenlight-v3/.env", text);
    this.host.put(
      "root/greenlight-v3/docker-compose.yml",
      "services:\n  greenlight-v3:\n    image: bigbluebutton/greenlight:v3\n",
    );
    writeFileSync(join(this.host.directory, "version"), '["VERSION_TAG=release-3.7.1"]');
    this.fakeDocker("exit 0");
  }

  /** up: what `docker compose up` does, as bash. */
  private fakeDocker(up: string): void {
    this.host.fake(
      "docker",
      `cd "${this.host.directory}"
{ tr '\\0' ' ' </proc/$$/cmdline; env; } >>seen
case "$1 $2" in
  "compose version") exit 0 ;;
  "compose up") ${up} ;;
  pull*) [[ $2 != *:v3.9* ]] || { echo "manifest unknown" >&2; exit 1; } ;;
  "image inspect") cat version ;;
  exec*) shift 3; exec /usr/bin/python3 -I ${STANDIN}/greenlight_rails.py "$@" ;;
esac`,
    );
  }

  async composeUp(): Promise<void> {
    await done(this.host.start(["docker", "compose", "up", "-d"], this.env));
  }

  stop(): void {
    const pid = join(this.host.directory, "pid");
    if (existsSync(pid)) spawnSync("kill", ["-KILL", readFileSync(pid, "utf8").trim()]);
    for (const server of this.servers) server.close();
    this.host.remove();
  }

  /** The step's standard input, with this host's own address in place of a name's. */
  request(wishes: GreenlightWishes, admin?: GreenlightAdmin, upgrade = ""): string {
    return renderGreenlightRequest({ fqdn: "bbb.school.eu", upgrade }, wishes, admin).replace(
      'https://bbb.school.eu"',
      `${this.url}"`,
    );
  }

  /** Command lines and environments of what ran in the container. */
  seen(): string {
    const file = join(this.host.directory, "seen");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  /** A task of rake in the container. */
  rake(task: string): Promise<Done> {
    const place = Object.entries(this.env).map(([key, value]) => `${key}=${value}`);
    const program = join(STANDIN, "greenlight_rails.py");
    return run(["env", ...place, "/usr/bin/python3", "-I", program, "bundle", "exec", "rake", task]);
  }

  /** Rows of a query to its data, each as one text. */
  rows(query: string): string[] {
    return this.database.rows(query);
  }

  private bigbluebutton(): Server {
    return createServer((request, response) => {
      const call = new URL(request.url!, "http://localhost");
      if (call.pathname === "/health_check") return response.end("success");
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
