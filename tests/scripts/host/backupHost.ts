import { spawn } from "node:child_process";
import { readFileSync, utimesSync } from "node:fs";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { PASSWORD, putQuickRepository } from "./quickRepository";
import { done, FakeHost, SCRIPTS, type Done } from "./scripts";

export const HOST = "bbb.school.eu";

/** Greenlight's containers: the database is a file, a line a row, and a dump of it is whole with its last line. */
const DOCKER = `
db="$BBB_TEST_DATABASE"
rows() { grep -c "^$1 " "$db"; }
table() { sed -n 's/.*count(\\*) FROM \\([a-z]*\\).*/\\1/p' <<<"$*"; }
case "$*" in
  "compose version") ;;
  "compose exec -T postgres pg_dump "*)
    [[ -e "$db" ]] || { echo "service \\"postgres\\" is not running" >&2; exit 1; }
    echo PGDMP; cat "$db"; [[ -n "\${BBB_TEST_CUT_OFF:-}" ]] || echo END ;;
  "compose exec -T postgres pg_restore --list") grep -q ^PGDMP && echo "3; 0 0 TABLE DATA public users postgres" ;;
  "compose exec -T postgres pg_restore --file=/dev/null") [[ $(tail -n 1) == END ]] || { echo "pg_restore: error: could not read from input file: end of file" >&2; exit 1; } ;;
  "compose exec -T postgres pg_restore -U postgres --clean "*)
    [[ -z "\${BBB_TEST_REFUSE:-}" ]] || { echo "pg_restore: error: permission denied" >&2; exit 1; }
    grep -v -e ^PGDMP -e ^END >"$db.new"; mv "$db.new" "$db" ;;
  *pg_database_size*) echo "\${BBB_TEST_SIZE:-1000}" ;;
  *"count(*)"*) [[ -e "$db" ]] || { echo "service \\"postgres\\" is not running" >&2; exit 1; }; rows "$(table "$*")" || true ;;
  "compose "*) ;;
  *) exit 1 ;;
esac
exit 0`;

/** Fake host with an empty repository, the machine's own restic, and a BigBlueButton server's files. */
export class BackupHost extends FakeHost {
  readonly repository = join(this.directory, "repository");

  constructor() {
    super();
    putQuickRepository(this.repository);
    this.fake("systemctl", `[[ $1 != is-active ]] || echo active`);
    this.fake("dpkg-query", `[[ $1 != -W ]] || echo installed`);
    this.fake("dpkg", "exit 0");
    this.fake("docker", DOCKER);
    this.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=3.0.4\n");
    this.put(
      "etc/bigbluebutton/bbb-web.properties",
      "securitySalt=own\nbigbluebutton.web.serverURL=https://bbb.school.eu\n",
    );
    this.put("var/bigbluebutton/published/.keep", "");
  }

  override get env(): NodeJS.ProcessEnv {
    return {
      ...super.env,
      PATH: [super.env.PATH, process.env.PATH].join(delimiter),
      BBB_TEST_DATABASE: join(this.directory, "database"),
      BBB_BACKUP_REACH_SECONDS: "2",
      BBB_BACKUP_ASK_SECONDS: "20",
    };
  }

  settings(more: object = {}): string {
    return `${JSON.stringify({
      ...{ to: this.repository, host: HOST, password: PASSWORD, raw: false },
      keep: { daily: 7, weekly: 4, monthly: 6 },
      ...more,
    })}\n`;
  }

  /** Sets the backups up, as the deployment does. */
  setUp(more: object = {}, flags: readonly string[] = ["--server", "7", "--at", "02:30"]): Promise<Done> {
    return this.script("backup.sh", flags, this.settings(more));
  }

  backup(
    words: readonly string[],
    { input = "", env = {} }: { input?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<Done> {
    return done(this.start(["/usr/bin/python3", "-B", join(SCRIPTS, "backup.py"), ...words], env), input);
  }

  /** Starts a program of scripts/host, and kills it with all that it has started as soon as a file or folder is there. */
  async killOnce(there: () => boolean, [script, ...words]: readonly [string, ...string[]]): Promise<void> {
    const child = spawn("/usr/bin/python3", ["-B", join(SCRIPTS, script), ...words], {
      ...{ env: this.env, detached: true, stdio: "ignore" },
    });
    const ended = new Promise<NodeJS.Signals | null>((done) => child.on("exit", (_, signal) => done(signal)));
    while (!there() && child.exitCode === null) await sleep(2);
    process.kill(-child.pid!, "SIGKILL");
    if ((await ended) !== "SIGKILL") throw new Error(`${script} ended before it could be killed`);
    // restic takes one that is dead, but that nobody has waited for, for alive.
    while (isThere(-child.pid!)) await sleep(50);
  }

  /** Has Greenlight with these rows of users. */
  installGreenlight(users: number): void {
    this.put(
      "root/greenlight-v3/.env",
      "SECRET_KEY_BASE=key\nDATABASE_URL=postgres://postgres:secret@postgres:5432/greenlight-v3-production\n",
    );
    this.put(
      "root/greenlight-v3/docker-compose.yml",
      "services:\n  postgres:\n    image: postgres:14-alpine\n  greenlight-v3:\n    image: x\n",
    );
    this.put("root/greenlight-v3/data/greenlight-v3/storage/ab/avatar", "picture");
    this.put("../database", `${Array.from({ length: users }, (_, i) => `users ${i}\n`).join("")}rooms 1\n`);
  }

  /** Puts a recording that is published in one format. */
  record(id: string, format = "presentation", text = id): void {
    this.put(
      `var/bigbluebutton/published/${format}/${id}/metadata.xml`,
      `<link>https://${HOST}/playback/${text}</link>`,
    );
    this.put(`var/bigbluebutton/recording/status/published/${id}-${format}.done`, "");
  }

  get last(): Record<string, unknown> & { problems: string[] } {
    return JSON.parse(this.read("var/lib/bbb-deploy/backup/last.json")) as ReturnType<() => this["last"]>;
  }

  /** Sets a time in one of the files of the backups. */
  age(path: string, seconds: number): void {
    const at = Date.now() / 1000 - seconds;
    utimesSync(join(this.root, path), at, at);
  }

  get log(): string {
    return readFileSync(join(this.root, "var/log/bbb-deploy/backup.log"), "utf8");
  }
}

/** True for a process, or a negative number's group, in which one is left. */
function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
