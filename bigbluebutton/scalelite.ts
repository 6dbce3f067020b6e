/** Scalelite, the balancer of a pool: its images, its settings and its servers. */

/**
 * Version. A tag can be moved, and no digest of an image is published: the host notes the id of what it pulled first,
 * and refuses another one under the same tag (scripts/host/install-balancer.sh).
 */
const scalelite = {
  version: "v1.8.5",
  repository: "blindsidenetwks/scalelite",
} as const;

/** Part of Scalelite with an image of its own; that of nginx is here for the player of recordings that it holds. */
export type ScalelitePart = "api" | "poller" | "recording-importer" | "nginx";

/** Image of a part of Scalelite. */
export function scaleliteImage(part: ScalelitePart): string {
  const { repository, version } = scalelite;
  return `${repository}:${version}-${part}`;
}

/** Seconds between two polls of a server, and failed ones after which it counts as offline: 90 s. */
export const POLLS = { seconds: 30, failed: 3 } as const;

/** Facts about a pool that its balancer is told. */
export interface BalancerFacts {
  readonly fqdn: string;
  /** Secret with which front ends sign. */
  readonly sharedSecret: string;
  /** Number of servers. */
  readonly servers: number;
}

/**
 * Environment of Scalelite's containers, in docker's form, one variable a line. The host adds what is its own: the
 * addresses of PostgreSQL and Redis, and Rails' key.
 *
 * The names and defaults are those of Scalelite's docs (its page of configuration).
 */
export function renderScaleliteEnvironment({ fqdn, sharedSecret, servers }: BalancerFacts): string {
  const values = {
    URL_HOST: fqdn,
    LOADBALANCER_SECRET: sharedSecret,
    SERVER_ID_IS_HOSTNAME: true,
    // nginx is in front of it.
    BIND: "tcp://127.0.0.1:3000",
    POLL_INTERVAL: POLLS.seconds,
    SERVER_UNHEALTHY_THRESHOLD: POLLS.failed,
    // Each meeting of a server that is dead takes 5 s to be forgotten, and by default 10 s of a poll are for that.
    POLLER_WAIT_TIMEOUT: 60,
    POLLER_THREADS: servers + 2,
    CONNECT_TIMEOUT: 2,
    // Seconds between two looks into the spool.
    RECORDING_IMPORT_POLL_INTERVAL: 15,
    RAILS_LOG_LEVEL: "warn",
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** Member of a pool, as the balancer's host keeps it. */
export interface Member {
  readonly fqdn: string;
  /** Secret of the server's own API. */
  readonly secret: string;
}

/** Standard input of the step that registers a member: one line of JSON, which pool.py reads. */
export function renderMember(member: Member): string {
  return `${JSON.stringify(member)}\n`;
}
