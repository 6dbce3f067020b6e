/** Servers of a pool, and Scalelite's stand-in on its balancer, as the tests of its scripts have them. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { packaged } from "../../sandbox/bbb/standin";
import type { FakeRedis } from "../../sandbox/bbb/scaleliteWorld";

const SCALELITE = packaged("docker.io", "usr/lib/docker-standin/scalelite.py");

interface Told {
  meetings: { id: string; people: number; breakout: boolean }[] | null;
  unprocessed: string[];
  recordings?: Record<string, object>;
}

/** BigBlueButton server with an API that has its meetings, and the page that tells its state. */
export class Node {
  told: Told = { meetings: [], unprocessed: [] };
  silent = false;
  /** Hides the state's page, while the API goes on. */
  mute = false;
  readonly #server: Server = createServer((asked, answer) => {
    if (this.silent) return void asked.socket.destroy();
    if (asked.url === "/bbb-deploy/state") {
      answer.statusCode = this.mute ? 502 : 200;
      return void answer.end(JSON.stringify(this.told));
    }
    const meetings = (this.told.meetings ?? []).map(
      ({ id, people, breakout }) =>
        `<meeting><meetingID>${id}</meetingID><createTime>${Date.now()}</createTime><participantCount>${people}</participantCount><isBreakout>${breakout}</isBreakout></meeting>`,
    );
    answer.end(
      `<response><returncode>SUCCESS</returncode><meetings>${meetings.join("")}</meetings></response>`,
    );
  });

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get name(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  hold(...ids: string[]): void {
    this.told.meetings = ids.map((id) => ({ id, people: 2, breakout: false }));
  }

  close(): void {
    this.#server.close();
  }
}

/** Makes the directory of a balancer's state, with the commands that Scalelite's stand-in is run by. */
export function balancerState(): string {
  const state = mkdtempSync(join(tmpdir(), "pool-"));
  writeFileSync(join(state, "psql"), "#!/bin/sh\nexit 0\n", { mode: 0o755 });
  // Scalelite asks a server over HTTPS; the test's own have none.
  writeFileSync(
    join(state, "rake"),
    `#!/bin/sh
sed 's|"\\(127[^"]*\\)": {"secret"|"\\1": {"url": "http://\\1/bigbluebutton/api", "secret"|g' | exec /usr/bin/python3 -I ${SCALELITE} rake "$@"\n`,
    { mode: 0o755 },
  );
  return state;
}

/** Environment of the balancer's scripts. */
export function balancerEnvironment(state: string, redis: FakeRedis): NodeJS.ProcessEnv {
  return {
    PATH: `${state}:${process.env.PATH}`,
    PYTHONDONTWRITEBYTECODE: "1",
    LC_ALL: "C.UTF-8",
    REDIS_URL: `redis://127.0.0.1:${redis.port}`,
    DATABASE_URL: "postgresql://u:p@127.0.0.1/d",
    BBB_DEPLOY_STATE: state,
    BBB_DEPLOY_RAKE: join(state, "rake"),
    BBB_DEPLOY_SCHEME: "http",
    BBB_DEPLOY_PAUSE: "0.1",
    BBB_DEPLOY_DEAD_AFTER: "0.5",
    BBB_DEPLOY_PATIENCE: "2",
  };
}
