/** Table of a pool's servers, and what only a look at all of them together tells. */
import { POLLS } from "../../bigbluebutton/scalelite";
import { renderTable } from "../../cli/table";
import { Doubtful, worst, type Finding } from "./finding";
import type { HostAnswer, MemberFigures } from "./hosts";

/** Server of a pool in one line; null for what nobody tells. */
export interface PoolRow {
  readonly server: string;
  /** By the balancer: it takes new meetings (online), or why not; null where the balancer does not tell. */
  readonly state: MemberFigures["state"] | null;
  /** Meetings, breakout rooms and people in both, by the server's own account. */
  readonly meetings: number | null;
  readonly breakouts: number | null;
  readonly people: number | null;
  /** Load by Scalelite's last poll. */
  readonly load: number | null;
  /** Version of BigBlueButton on it, e.g. "3.0.10". */
  readonly release: string | null;
  /** Last day of its certificate, YYYY-MM-DD. */
  readonly certificate: string | null;
  /** Seconds since the balancer asked it last, by its own account. */
  readonly polled: number | null;
}

/** Answers about a server: its host's, and the certificate that it showed to this machine. */
export interface AskedServer {
  readonly host: HostAnswer;
  readonly certificate: Finding;
}

/**
 * Makes the rows: the deployment's servers, then others that the balancer has.
 *
 * @param balancer Its account; undefined where it does not tell.
 */
export function poolRows(
  servers: Readonly<Record<string, AskedServer>>,
  balancer: Readonly<Record<string, MemberFigures>> | undefined,
): readonly PoolRow[] {
  const others = Object.keys(balancer ?? {}).filter((name) => !(name in servers));
  return [...Object.keys(servers), ...others].map((server) => {
    const { host, certificate } = servers[server] ?? {};
    const member = balancer?.[server];
    // A server that can't be logged in to may have told the balancer.
    const own = typeof host?.node?.meetings === "number" ? host.node : member;
    return {
      server,
      state: member?.state ?? null,
      meetings: own?.meetings ?? null,
      breakouts: own?.breakouts ?? null,
      people: own?.people ?? null,
      load: member?.load ?? null,
      release: releaseIn(host) ?? null,
      certificate: /\d{4}-\d\d-\d\d/.exec(certificate?.answer ?? "")?.[0] ?? null,
      polled: host?.node?.polled ?? null,
    };
  });
}

/** Version in the answer of the host's own check of it. */
function releaseIn(host: HostAnswer | undefined): string | undefined {
  const answer = host?.findings.find(({ name }) => name === "release")?.answer;
  return answer === undefined ? undefined : /^\d+(\.[\w-]+)+/.exec(answer)?.[0];
}

/** Judges whether all servers have the same version. */
export function judgeReleases(rows: readonly PoolRow[]): string {
  const known = rows.filter(({ release }) => release !== null);
  const versions = [...new Set(known.map(({ release }) => release!))].sort();
  if (versions.length <= 1)
    return versions.length === 0 ? "not known of any server" : `${versions[0]} on all`;
  const of = (version: string) =>
    known.filter(({ release }) => release === version).map(({ server }) => server);
  const told = versions.map((version) => `${version} on ${of(version).join(", ")}`);
  throw new Doubtful(
    `the servers differ: ${told.join("; ")}`,
    "give the setting upgrade a new value, then pulumi up: the installer brings each to the newest of its release",
  );
}

/** Judges whether the balancer asks its servers, of which it keeps no note. */
export function judgePolls(rows: readonly PoolRow[]): string {
  const late = POLLS.seconds * (POLLS.failed + 1);
  const asked = rows.filter(({ state }) => state === "online" || state === "leaving" || state === "cordoned");
  const silent = asked.filter(({ polled }) => polled !== null && polled > late);
  const remedy =
    "on the balancer: systemctl restart bbb-deploy-scalelite-poller; journalctl -u bbb-deploy-scalelite-poller says what it got";
  const known = asked.flatMap(({ polled }) => polled ?? []);
  if (known.length === 0) return "not known of any server";
  return worst(
    silent.length > 0
      ? silent.map(
          ({ server, polled }) => new Doubtful(`${server} was last asked ${duration(polled!)} ago`, remedy),
        )
      : [`each was asked within the last ${Math.ceil(Math.max(...known))} s`],
  );
}

function duration(seconds: number): string {
  return seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

const NONE = "–";

/** Renders the table. @param width Columns of the terminal. @default as wide as it is */
export function renderPool(rows: readonly PoolRow[], width?: number): string {
  const text = (value: number | string | null) => (value === null ? NONE : String(value));
  const cells = rows.map((row) => [
    row.server,
    row.state ?? "not told",
    `${text(row.meetings)}${row.breakouts ? ` + ${row.breakouts} breakout` : ""}`,
    text(row.people),
    text(row.load),
    text(row.release),
    text(row.certificate),
    row.polled === null ? NONE : `${duration(row.polled)} ago`,
  ]);
  return renderTable(
    [
      ["server"],
      ["state"],
      ["meetings", "right"],
      ["people", "right"],
      ["load", "right"],
      ["release"],
      ["certificate until"],
      ["last poll"],
    ],
    cells,
    width,
  );
}
