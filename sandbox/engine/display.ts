/** Output of an update, in the CLI's own words: steps as they go, then diagnostics, outputs and the summary. */
import { hanging, terminalWidth } from "../../cli/width";
import { nameOf } from "../../cli/pulumiEvents";
import { redacted, type Value, type Values } from "./wire";

export type Step = "same" | "create" | "update" | "replace" | "delete";

export interface Summary {
  created: number;
  updated: number;
  replaced: number;
  deleted: number;
  unchanged: number;
  /** Names of the protected resources that a destroy left. */
  protectedKept: string[];
}

export function emptySummary(): Summary {
  return { created: 0, updated: 0, replaced: 0, deleted: 0, unchanged: 0, protectedKept: [] };
}

const COUNTED = {
  same: "unchanged",
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
} as const satisfies Record<Step, keyof Summary>;

/** Operations in the order in which the CLI lists them. */
const LISTED = [
  { step: "create", symbol: "+ ", doing: "creating" },
  { step: "update", symbol: "~ ", doing: "updating" },
  { step: "delete", symbol: "- ", doing: "deleting" },
  { step: "replace", symbol: "+-", doing: "replacing" },
] as const;

/** "Resources:\n    + 12 created\n    3 unchanged", as the CLI ends an update. */
export function renderSummary(summary: Summary, preview: boolean): string {
  const listed = LISTED.filter(({ step }) => summary[COUNTED[step]] > 0);
  const lines = listed.map(({ step, symbol }) => {
    const count = summary[COUNTED[step]];
    return `${symbol}${count} ${preview ? `to ${step}` : COUNTED[step]}`;
  });
  const total = listed.reduce((sum, { step }) => sum + summary[COUNTED[step]], 0);
  const tail = [
    ...(listed.length > 1 ? [`${total} changes`] : []),
    ...(summary.unchanged > 0 ? [`${summary.unchanged} unchanged`] : []),
  ];
  if (tail.length > 0) lines.push(tail.join(". "));
  return ["Resources:", ...lines.map((line) => `    ${line}`)].join("\n");
}

/** Short form of a type: `hcloud:index:Server` for `hcloud:index/server:Server`. */
function shortType(type: string): string {
  const [pkg, module, name] = type.split(":");
  return [pkg, module?.split("/")[0], name].join(":");
}

export function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").pop() ?? "";
}

function describe(urn: string): string {
  return `${shortType(typeOf(urn))} (${nameOf(urn)})`;
}

interface Diagnostic {
  readonly urn: string;
  readonly severity: "error" | "warning" | "info";
  readonly message: string;
}

export class Display {
  readonly summary = emptySummary();
  private readonly diagnostics: Diagnostic[] = [];
  private readonly started = Date.now();

  constructor(
    private readonly out: NodeJS.WritableStream,
    readonly preview: boolean,
  ) {}

  /** Prints a line, folded between words: a terminal would fold it in the middle of one. */
  line(text: string): void {
    const width = terminalWidth(this.out as NodeJS.WriteStream, {});
    this.out.write(`${width === undefined ? text : hanging(text, width)}\n`);
  }

  /** Prints the beginning of a step, unless it ends at once. Returns a function that prints and counts its end. */
  begin(step: Step, urn: string, why = "", atOnce = false): () => void {
    const { symbol, doing } = LISTED.find((listed) => listed.step === step) ?? { symbol: "  ", doing: "" };
    const subject = ` ${symbol} ${shortType(typeOf(urn))} ${nameOf(urn)}`;
    const start = Date.now();
    if (step !== "same" && !this.preview && !atOnce) this.line(`${subject} ${doing}${why}`);
    return () => {
      this.summary[COUNTED[step]] += 1;
      if (step === "same") return;
      if (this.preview) this.line(`${subject} ${step}${why}`);
      else this.line(`${subject} ${COUNTED[step]}${atOnce ? "" : ` (${seconds(start)})`}`);
    };
  }

  /** Prints a line of one resource, such as a remote command's output. */
  log(urn: string, text: string): void {
    this.line(urn === "" ? `    ${text}` : `    ${nameOf(urn)}: ${text}`);
  }

  error(urn: string, message: string): void {
    this.add({ urn, severity: "error", message });
  }

  warning(urn: string, message: string): void {
    this.add({ urn, severity: "warning", message });
  }

  /** Prints a message that stays below the steps. */
  info(urn: string, message: string): void {
    this.add({ urn, severity: "info", message });
  }

  private add(diagnostic: Diagnostic): void {
    const known = this.diagnostics.some(
      ({ urn, message }) => urn === diagnostic.urn && message === diagnostic.message,
    );
    if (!known) this.diagnostics.push(diagnostic);
  }

  get errors(): readonly string[] {
    return this.diagnostics.flatMap(({ severity, message }) => (severity === "error" ? [message] : []));
  }

  /** Prints everything that comes last. */
  end(outputs: Values): void {
    if (this.diagnostics.length > 0) this.line(`\nDiagnostics:\n${this.renderDiagnostics()}`);
    if (Object.keys(outputs).length > 0) this.line(`\nOutputs:\n${renderOutputs(outputs)}`);
    for (const name of this.summary.protectedKept) this.line(`    ${name} is protected and was kept`);
    this.line(`\n${renderSummary(this.summary, this.preview)}\n\nDuration: ${seconds(this.started)}`);
  }

  private renderDiagnostics(): string {
    const urns = [...new Set(this.diagnostics.map(({ urn }) => urn))];
    return urns
      .flatMap((urn) => [
        `  ${urn === "" ? "the program" : describe(urn)}:`,
        ...this.diagnostics
          .filter((diagnostic) => diagnostic.urn === urn)
          .map(({ severity, message }) =>
            indent(`${severity === "info" ? "" : `${severity}: `}${message.trimEnd()}`, 4),
          ),
      ])
      .join("\n");
  }
}

function indent(text: string, by: number): string {
  return text.replaceAll(/^/gm, " ".repeat(by));
}

/** Outputs of one line each; longer ones and secrets by name alone. */
export function renderOutputs(outputs: Values): string {
  const shown = Object.entries(outputs)
    .map(([key, value]) => [key, redacted(value)] as const)
    .sort();
  const told = shown.filter(([, value]) => isLine(value));
  const others = shown.filter(([, value]) => !isLine(value)).map(([key]) => key);
  const width = Math.max(0, ...told.map(([key]) => key.length));
  return [
    ...told.map(([key, value]) => `    ${key.padEnd(width)}: ${String(value)}`),
    ...(others.length > 0 ? [`    and ${others.join(", ")}`] : []),
  ].join("\n");
}

function isLine(value: Value): boolean {
  if (typeof value === "string") return value !== "[secret]" && value.length <= 100 && !value.includes("\n");
  return typeof value === "number" || typeof value === "boolean";
}

function seconds(since: number): string {
  const elapsed = (Date.now() - since) / 1000;
  return elapsed < 10 ? `${elapsed.toFixed(1)}s` : `${Math.round(elapsed)}s`;
}
