import { SettingsError } from "../../settings/problems";
import { renderTable } from "../../cli/table";
import { savingsText } from "../park/savings";
import type { Deployment, Plan } from "./document";
import {
  alike,
  describeBackups,
  describeDialIn,
  describeDns,
  describeEnvironment,
  describeGreenlight,
  describeHost,
  describeMetrics,
  describePool,
  describeRecordings,
} from "./phrases";
import type { Price } from "./price";
import { purposeNames } from "./resources";
import { wrapped } from "../../bigbluebutton/text";
import { hanging } from "../../cli/width";
import { pageOf, section, type Page } from "./text";

const CLOUDS = { hetzner: "Hetzner Cloud", aws: "AWS" } as const;

/** Renders the plan as a page of a width. */
export function renderPlan(plan: Plan, width: number): string {
  const { project, stack, deployment } = plan;
  const page = pageOf(width);
  const sections = [
    wrapped(
      `Plan of the stack "${stack}" of ${project}: what \`pulumi up\` would make. Nothing is changed.`,
      width,
    ).join("\n"),
    ...renderProblems(plan, page, width),
    ...(plan.warnings.length > 0 ? [section("Is this meant?", page.bullets(plan.warnings))] : []),
    ...(deployment ? renderDeployment(deployment, page) : ["No plan can be made of these settings."]),
  ];
  return `${sections.join("\n\n")}\n`;
}

function renderProblems(
  { project, stack, problems, standIns }: Plan,
  { paragraph }: Page,
  width: number,
): string[] {
  const list =
    problems.length > 0
      ? [hanging(new SettingsError(problems, { project, stack }).message.trimEnd(), width)]
      : [];
  const others = standIns.map(({ key, value, why }) => {
    if (why === "partly encrypted") return `${key} with stand-ins for its encrypted entries`;
    const how = value === undefined ? "as if it were not set" : "with a stand-in";
    return `${key} ${how}${why === "encrypted" ? ", as it is encrypted" : ""}`;
  });
  return [...list, ...(others.length > 0 ? [paragraph(`Planned all the same: ${others.join("; ")}.`)] : [])];
}

function renderDeployment(deployment: Deployment, page: Page): string[] {
  const { resourceCount, duration, prices, parking, comparison, assumptions, limits, options, pool } =
    deployment;
  return [
    section("What it is", renderSummary(deployment, page)),
    ...(options.length > 0
      ? [
          section(
            "BigBlueButton's own configuration; what is not named stays",
            renderOptions(deployment, page),
          ),
        ]
      : []),
    section("Open ports; all others are closed", renderPorts(deployment, page)),
    section(`Resources: ${resourceCount}, as Pulumi counts them`, renderResources(deployment, page)),
    section(
      `Steps: about ${minutes(duration.seconds)} in all, ${pool ? "all" : "both"} hosts side by side`,
      renderSteps(deployment, page),
    ),
    section("What is downloaded", renderDownloads(deployment, page)),
    section("What the account must be allowed, which a new one may have to ask for", page.bullets(limits)),
    ...prices.map((price) => section(`A month at ${CLOUDS[price.cloud]}`, renderPrice(price, page))),
    ...(parking
      ? [section("Parked while nobody meets, by ./scripts/park", page.paragraph(savingsText(parking)))]
      : []),
    ...(comparison.length > 0
      ? [section("To compare, with each cloud's default server types", renderComparison(comparison, page))]
      : []),
    ...(assumptions.length > 0
      ? [section("Taken for granted, as no cloud was asked", page.bullets(assumptions))]
      : []),
  ];
}

function renderSummary(deployment: Deployment, { definitions }: Page): string {
  const { release, version, urls, certificates, hosts, pool } = deployment;
  const trust = certificates.trustedByBrowsers ? "trusted by browsers" : "NOT trusted by browsers";
  return definitions([
    ["release", `BigBlueButton ${version} (${release})`],
    ["address", urls.url],
    ["API", urls.api],
    ["TURN", urls.turn.join(", ")],
    ...(pool ? [["pool", describePool(pool)] as const] : []),
    ...alike(hosts).map(
      (host) => [`${purposeNames[host.role]} host`, describeHost(host, CLOUDS[host.cloud])] as const,
    ),
    ["environment", describeEnvironment(deployment)],
    ["certificates", `${trust}, ${certificateSources(certificates)}`],
    ["DNS records", describeDns(deployment)],
    ["recordings", describeRecordings(deployment)],
    ...(deployment.greenlight ? [["Greenlight", describeGreenlight(deployment)] as const] : []),
    ...(deployment.metrics ? [["metrics", describeMetrics(deployment.metrics)] as const] : []),
    ...(deployment.dialIn ? [["dial-in", describeDialIn(deployment)] as const] : []),
    ["backups", describeBackups(deployment)],
  ]);
}

function renderOptions({ options }: Deployment, { width }: Page): string {
  const rows = options.map(({ setting, value, what, default: preset }) => [
    setting,
    shortened(typeof value === "object" ? value.join(", ") : String(value)),
    preset,
    what,
  ]);
  return renderTable([["setting"], ["value"], ["without it"], ["what"]], rows, width);
}

function shortened(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

function certificateSources({ names, own, authority }: Deployment["certificates"]): string {
  const files = `your own for ${own.join(" and ")}`;
  if (own.length === 0) return `of ${authority}`;
  return own.length === names.length ? files : `of ${authority}; ${files}`;
}

function renderPorts({ hosts }: Deployment, { paragraph, width }: Page): string {
  const rows = alike(hosts).flatMap(({ role, ports }) =>
    ports.map(({ protocol, port, from, what }) => [
      purposeNames[role],
      port === null ? protocol : `${port}/${protocol}`,
      sourceOf(port, from),
      what,
    ]),
  );
  const networks = hosts[0]?.ports.find(({ port }) => port === "22")?.from ?? [];
  const table = renderTable([["host"], ["port"], ["from"], ["what for"]], rows, width);
  return `${table}\n\n${paragraph(`SSH networks: ${networks.join(", ")}`)}`;
}

function sourceOf(port: string | null, from: readonly string[]): string {
  if (port === "22") return "SSH networks";
  return from.includes("0.0.0.0/0") ? "anywhere" : from.join(", ");
}

function renderResources({ resources }: Deployment, { width }: Page): string {
  const rows = resources.map(({ purpose, what, type, count, protectedInPulumi, protectedAtCloud }) => {
    const where = [
      ...(protectedInPulumi > 0 ? ["Pulumi"] : []),
      ...(protectedAtCloud > 0 ? ["the cloud"] : []),
    ];
    return [purposeNames[purpose], String(count), what, type, where.join(" and ")];
  });
  return renderTable([["for"], ["", "right"], ["what"], ["type"], ["protected by"]], rows, width);
}

function renderSteps({ steps, duration, dns }: Deployment, { bullets, width }: Page): string {
  const rows = steps.map(({ role, number, of, title, seconds, basis, dnsWaitSeconds }) => {
    const waits =
      dns === "manual" && dnsWaitSeconds ? ` + ${span([0, dnsWaitSeconds])} for your records` : "";
    return [`${purposeNames[role]} ${number}/${of}`, title, span(seconds), basis + waits];
  });
  const worth = Object.entries(duration.bases)
    .filter(([basis]) => steps.some((step) => step.basis === basis))
    .map(([basis, what]) => `${basis}: ${what}`);
  const table = renderTable([["step"], [""], ["takes"], ["figure"]], rows, width);
  return `${table}\n\n${bullets(worth)}`;
}

function span([least, most]: readonly [number, number]): string {
  const [unit, size] = most >= 120 ? (["min", 60] as const) : (["s", 1] as const);
  const [from, to] = [Math.round(least / size), Math.round(most / size)];
  return from === to ? `${to} ${unit}` : `${from}–${to} ${unit}`;
}

function minutes([least, most]: readonly [number, number]): string {
  return `${Math.floor(least / 60)} to ${Math.ceil(most / 60)} minutes`;
}

function renderDownloads({ downloads }: Deployment, { bullets }: Page): string {
  const to = {
    "this machine": "to this machine",
    bbb: "to the BigBlueButton host",
    turn: "to the TURN host",
    balancer: "to the balancer host",
  };
  return bullets(downloads.map((one) => `${to[one.to]}: ${one.what}, from ${one.from}`));
}

function renderPrice(price: Price, page: Page): string {
  if (!price.asked) return renderEstimate(price, page);
  const { bullets, paragraph, width } = page;
  const { positions, sum, currency, vatPercent, at, remarks } = price;
  const rows = [...together(positions), { what: "together", ...sum }].map(({ what, net, gross }) => [
    what,
    net,
    gross!,
  ]);
  const table = renderTable(
    [[""], [`${currency} net`, "right"], [`with ${Number(vatPercent)} % VAT`, "right"]],
    rows,
    width,
  );
  const day = paragraph(
    `By the price list of ${at.slice(0, 10)}, for new orders, without traffic beyond what is included.`,
  );
  return [table, "", day, ...(remarks.length > 0 ? [bullets(remarks)] : [])].join("\n");
}

interface Row {
  readonly what: string;
  readonly net: string;
  readonly gross?: string;
}

/** Joins equal positions to one with their number: "20 × BigBlueButton server". */
function together(positions: readonly Row[]): readonly Row[] {
  const sum = (amounts: readonly string[]) =>
    (amounts.reduce((all, amount) => all + Math.round(Number(amount) * 100), 0) / 100).toFixed(2);
  return [...new Set(positions.map(({ what }) => what))].map((what) => {
    const equal = positions.filter((one) => one.what === what);
    const [first] = equal;
    if (equal.length === 1) return first!;
    return {
      what: `${equal.length} × ${what}`,
      net: sum(equal.map(({ net }) => net)),
      ...(first!.gross !== undefined && { gross: sum(equal.map(({ gross = "0" }) => gross)) }),
    };
  });
}

function renderEstimate(
  { why, estimate }: Extract<Price, { readonly asked: false }>,
  { bullets, paragraph, width }: Page,
): string {
  const { currency, positions, sum, day, holds, sources, missing } = estimate;
  const table = renderTable(
    [[""], [`about, ${currency} net`, "right"]],
    [...together(positions), { what: "together", net: sum }].map(({ what, net }) => [what, net]),
    width,
  );
  return [
    table,
    "",
    paragraph(`Published prices of ${day} ${holds} (${sources.join(", ")}). Today's: ${why}.`),
    ...(missing.length > 0 ? [paragraph("Not in the sum:"), bullets(missing)] : []),
  ].join("\n");
}

function renderComparison(comparison: Deployment["comparison"], { paragraph }: Page): string {
  const sums = comparison.map(({ cloud, currency, sum }) => `${CLOUDS[cloud]} ${currency} ${sum}`);
  return paragraph(`${sums.join(", ")} a month, net, by published prices, without traffic.`);
}
