import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePort } from "../../support/freePort";

export const STANDIN = join(
  __dirname,
  "../../../sandbox/bbb/packages/bbb-greenlight-standin/root/usr/lib/bbb-standin",
);
/** Image of PostgreSQL, as scripts/test makes it. */
const IMAGE = process.env.BBB_POSTGRES ?? "/var/cache/bbb-sandbox/postgres";
/** Environment of what uses the image's libraries. */
export const LIBRARIES = {
  BBB_STANDIN_POSTGRES: IMAGE,
  LD_LIBRARY_PATH: join(IMAGE, "usr/lib/x86_64-linux-gnu"),
};
const NOBODY = "65534";
const PASSWORD = "secret";

/** PostgreSQL of the stand-in of Greenlight, for all tests of a file. */
export class GreenlightDatabase {
  url = "";
  private readonly directory = mkdtempSync(join(tmpdir(), "greenlight-postgres-"));
  private server?: ChildProcess;
  private port = 0;

  private get sockets(): string {
    return join(this.directory, "run");
  }

  async start(): Promise<void> {
    this.port = await freePort();
    this.url = `postgres://postgres:${PASSWORD}@127.0.0.1:${this.port}/greenlight`;
    this.server = spawn(
      "bash",
      [join(STANDIN, "postgres.sh"), IMAGE, this.sockets, `127.0.0.1:${this.port}`],
      {
        env: {
          ...{ PATH: process.env.PATH, DATA: join(this.directory, "data"), POSTGRES_PASSWORD: PASSWORD },
          BBB_STANDIN_POSTGRES_USER: NOBODY,
        },
        stdio: "ignore",
      },
    );
    while (this.psql("postgres", "SELECT 1").status !== 0) {
      if (this.server.exitCode !== null) throw new Error("PostgreSQL does not start");
      await sleep(50);
    }
    this.psql("postgres", "CREATE DATABASE greenlight");
  }

  /** Removes all tables, which Greenlight makes at its start. */
  empty(): void {
    this.psql("greenlight", "DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  }

  /** Rows of a query, each as one text. */
  rows(query: string): string[] {
    return this.psql("greenlight", query).stdout.split("\n").filter(Boolean);
  }

  async stop(): Promise<void> {
    if (this.server?.exitCode === null) {
      this.server.kill("SIGINT");
      await once(this.server, "exit");
    }
    rmSync(this.directory, { recursive: true });
  }

  private psql(database: string, query: string) {
    const [program = "psql"] = readdirSync(join(IMAGE, "usr/lib/postgresql")).map((version) =>
      join(IMAGE, "usr/lib/postgresql", version, "bin/psql"),
    );
    const place = ["-h", this.sockets, "-p", String(this.port), "-U", "postgres", "-d", database];
    return spawnSync(program, [...place, "-qAt", "-c", query], { encoding: "utf8", env: LIBRARIES });
  }
}
