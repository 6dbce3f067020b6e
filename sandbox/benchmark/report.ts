import { renderTable } from "../../cli/table";
import { nameOf } from "../../cli/pulumiEvents";
import { ROUND_SECONDS, type AlertsCost } from "./alerts";
import type { Engine } from "../commands/stacks";
import { median, type Chain, type Timed } from "./chain";

export interface MeasuredDeployment {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly seconds: number;
  readonly operations: readonly Timed[];
  readonly chain: Chain;
}

export function renderDeployment({ start, seconds, operations, chain }: MeasuredDeployment): string {
  const first = Math.min(...operations.map((operation) => operation.start));
  const last = Math.max(...operations.map((operation) => operation.end));
  const ratio = (seconds * 1000) / chain.milliseconds;
  return [
    `deployment: ${ratio.toFixed(2)} times its longest chain of dependent operations`,
    `  ${fixed(seconds)} s in all; ${operations.length} operations, the longest chain of which takes ${fixed(chain.milliseconds / 1000)} s:`,
    indent(
      renderTable(
        [["seconds", "right"], ["operation"]],
        chain.links.map(({ urn, milliseconds }) => [fixed(milliseconds / 1000), nameOf(urn)]),
      ),
    ),
    `  before the first operation ${fixed((first - start) / 1000)} s, after the last ${fixed(seconds - (last - start) / 1000)} s`,
    "",
    "",
  ].join("\n");
}

/** Seconds of updates without changes, one right after the other. */
export interface Round {
  readonly program: number;
  /** Seconds of a program that loads the same packages and registers as many resources. */
  readonly baseline: number;
  /** Seconds of a program that makes nothing. */
  readonly empty: number;
}

/** Renders two ratios, each the median of the rounds' own, and the seconds of each round. */
export function renderNoOp(rounds: readonly Round[], resources: number, engine: Engine): string {
  const ratio = (to: "baseline" | "empty") => median(rounds.map((round) => round.program / round[to]));
  const seconds = (round: Round) => [round.program, round.baseline, round.empty].map((s) => `${fixed(s)} s`);
  const middle = (key: keyof Round) => median(rounds.map((round) => round[key]));
  return [
    `update without changes by the engine ${engine}: ${ratio("baseline").toFixed(2)} times that of a program that loads the same packages and registers ${resources} resources without inputs, ${ratio("empty").toFixed(2)} times that of an empty program`,
    indent(
      renderTable(
        [["run"], ["deployment", "right"], ["baseline", "right"], ["empty", "right"]],
        [
          ...rounds.map((round, index) => [String(index + 1), ...seconds(round)]),
          [
            "median",
            ...seconds({ program: middle("program"), baseline: middle("baseline"), empty: middle("empty") }),
          ],
        ],
      ),
    ),
    "",
  ].join("\n");
}

/** Seconds of two updates without changes, one right after the other. */
export interface Pair {
  readonly now: number;
  /** Seconds of the program as it was at another revision. */
  readonly before: number;
}

/** Renders a ratio, the median of the pairs' own, and the seconds of each pair. */
export function renderAgainst(pairs: readonly Pair[], revision: string): string {
  const name = revision.slice(0, 7);
  const ratio = median(pairs.map(({ now, before }) => now / before));
  const row = (label: string, { now, before }: Pair) => [label, `${fixed(now)} s`, `${fixed(before)} s`];
  const middle = (key: keyof Pair) => median(pairs.map((pair) => pair[key]));
  return [
    `update without changes: ${ratio.toFixed(2)} times that of revision ${name}`,
    indent(
      renderTable(
        [["run"], ["deployment", "right"], [name, "right"]],
        [
          ...pairs.map((pair, index) => row(String(index + 1), pair)),
          row("median", { now: middle("now"), before: middle("before") }),
        ],
      ),
    ),
    "",
  ].join("\n");
}

/** Seconds of a whole deployment, and of its step that installs BigBlueButton. */
export interface Installation {
  readonly install: number;
  readonly all: number;
}

/** Deployments one right after the other. */
export interface ImagePair {
  readonly stock: Installation;
  /** The same, from baked images. */
  readonly copy: Installation;
}

/** Renders two ratios, each the median of the pairs' own, and the seconds of each pair. */
export function renderImages(pairs: readonly ImagePair[]): string {
  const ratio = (part: keyof Installation) =>
    median(pairs.map(({ copy, stock }) => copy[part] / stock[part]));
  return [
    `from images: the step that installs takes ${ratio("install").toFixed(2)} times as long as without, all of it up to verified ${ratio("all").toFixed(2)} times`,
    indent(
      renderTable(
        [["run"], ["install", "right"], ["without", "right"], ["all", "right"], ["without", "right"]],
        pairs.map(({ copy, stock }, index) => [
          String(index + 1),
          ...[copy.install, stock.install, copy.all, stock.all].map((seconds) => `${fixed(seconds)} s`),
        ]),
      ),
    ),
    "",
  ].join("\n");
}

/** Figures of a pool. */
export interface PoolFigures {
  /** First deployments of a pool of one server and of one of three. */
  readonly one: MeasuredDeployment;
  readonly three: MeasuredDeployment;
  /** Seconds of updates without changes, one right after the other. */
  readonly rounds: readonly { readonly three: number; readonly single: number }[];
  /** Most memory of the program while it registers so many resources, in MiB. */
  readonly memory: readonly {
    readonly what: string;
    readonly resources: number;
    readonly mebibytes: number;
  }[];
}

/** Renders the ratios of a pool, and what they are made of. */
export function renderPool({ one, three, rounds, memory }: PoolFigures): string {
  const chain = ({ chain: { milliseconds } }: MeasuredDeployment) => milliseconds / 1000;
  const seconds = (label: string, deployment: MeasuredDeployment) => [
    ...[label, `${fixed(deployment.seconds)} s`, `${fixed(chain(deployment))} s`],
    String(deployment.operations.length),
  ];
  const ratio = median(rounds.map((round) => round.three / round.single));
  const row = (label: string, round: PoolFigures["rounds"][number]) => [
    ...[label, `${fixed(round.three)} s`, `${fixed(round.single)} s`],
  ];
  const middle = (key: "three" | "single") => median(rounds.map((round) => round[key]));
  return [
    `pool: the first deployment of three servers takes ${(three.seconds / one.seconds).toFixed(2)} times that of one, its longest chain ${(chain(three) / chain(one)).toFixed(2)} times`,
    indent(
      renderTable(
        [["servers"], ["all", "right"], ["longest chain", "right"], ["operations", "right"]],
        [seconds("1", one), seconds("3", three)],
      ),
    ),
    `pool: an update of three servers without changes takes ${ratio.toFixed(2)} times that of a single server`,
    indent(
      renderTable(
        [["run"], ["three", "right"], ["single", "right"]],
        [
          ...rounds.map((round, index) => row(String(index + 1), round)),
          row("median", { three: middle("three"), single: middle("single") }),
        ],
      ),
    ),
    ...memory.map(
      ({ what, resources, mebibytes }) =>
        `memory: the program of ${what} has ${mebibytes.toFixed(0)} MiB at most, with ${resources} resources`,
    ),
    "",
  ].join("\n");
}

/** Renders which share of a core an hour's rounds of the alerts take on each host. */
export function renderAlerts(costs: readonly AlertsCost[]): string {
  return costs
    .map(({ fqdn, rounds }) => {
      const all = rounds.reduce((sum, seconds) => sum + seconds, 0);
      const share = (100 * all) / (rounds.length * ROUND_SECONDS);
      return `alerts: ${share.toFixed(2)} % of a core on ${fqdn}; an hour's ${rounds.length} rounds take ${fixed(all)} s of processor time, the dearest ${fixed(Math.max(...rounds))} s\n`;
    })
    .join("");
}

function fixed(seconds: number): string {
  return seconds.toFixed(seconds < 10 ? 2 : 1);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
