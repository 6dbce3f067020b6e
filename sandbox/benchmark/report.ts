import { renderTable } from "../../cli/table";
import { nameOf } from "../../cli/pulumiEvents";
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

/** @param ratio Median of the ratio of each pair. */
export function renderNoOp(
  pairs: readonly { readonly program: number; readonly baseline: number }[],
  resources: number,
  ratio: number,
): string {
  const middle = (key: "program" | "baseline") => fixed(median(pairs.map((pair) => pair[key])));
  return [
    `update without changes: ${ratio.toFixed(2)} times that of a program that loads the same packages and registers ${resources} resources without inputs`,
    indent(
      renderTable(
        [["run"], ["deployment", "right"], ["baseline", "right"], ["ratio", "right"]],
        [
          ...pairs.map(({ program, baseline }, index) => [
            String(index + 1),
            `${fixed(program)} s`,
            `${fixed(baseline)} s`,
            (program / baseline).toFixed(2),
          ]),
          ["median", `${middle("program")} s`, `${middle("baseline")} s`, ratio.toFixed(2)],
        ],
      ),
    ),
    "",
  ].join("\n");
}

function fixed(seconds: number): string {
  return seconds.toFixed(seconds < 10 ? 2 : 1);
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
