import { SettingsError } from "../../../settings/problems";
import { renderTable } from "../table";
import type { Deployment, Plan } from "./document";
import {
  describeBackups,
  describeDns,
  describeEnvironment,
  describeHost,
  describeRecordings,
} from "./phrases";
import type { Price } from "./price";
import { purposeNames } from "./resources";
import { bullets, definitions, paragraph, section } from "./text";

const CLOUDS = { hetzner: "Hetzner Cloud", aws: "AWS" } as const;

/** The plan as a page, 100 columns wide. */
export function renderPlan(plan: Plan): string {
  const { project, stack, deployment } = plan;
  const sections = [
    `Plan of the stack "${stack}" of ${project}: what \`pulumi up\` would make. Nothing is changed.`,
    ...renderProblems(plan),
    ...(plan.warnings.length > 0 ? [section("Is this meant?", bullets(plan.warnings))] : []),
    ...(deployment ? renderDeployment(deployment) : ["No plan can be made of these settings."]),
  ];
  return `${sections.join("\n\n")}\n`;
}

function renderProblems({ project, stack, problems, standIns }: Plan): string[] {
  const list = problems.length > 0 ? [new SettingsError(problems, project, stack).message.trimEnd()] : [];
  const others = standIns.map(({ key, value, why }) => {
    const how = value === undefined ? "as if it were not set" : "with a stand-in";
    return `${key} ${how}${why === "encrypted" ? ", as it is encrypted" : ""}`;
  });
  return [...list, ...(others.length > 0 ? [paragraph(`Planned all the same: ${others.join("; ")}.`)] : [])];
}

function renderDeployment(deployment: Deployment): string[] {
  const { resourceCount, duration, prices, assumptions } = deployment;
  return [
    section("What it is", renderSummary(deployment)),
    section("Open ports; all others are closed", renderPorts(deployment)),
    section(`Resources: ${resourceCount}, as Pulumi counts them`, renderResources(deployment)),
    section(
      `Steps: about ${minutes(duration.seconds)} in all, both hosts side by side`,
      renderSteps(deployment),
    ),
    section("What is downloaded", renderDownloads(deployment)),
    ...prices.map((price) => section(`A month at ${CLOUDS[price.cloud]}`, renderPrice(price))),
    ...(assumptions.length > 0
      ? [section("Taken for granted, as no cloud was asked", bullets(assumptions))]
      : []),
  ];
}

function renderSummary(deployment: Deployment): string {
  const { release, version, urls, certificates, hosts } = deployment;
  const trust = certificates.trustedByBrowsers ? "trusted by browsers" : "NOT trusted by browsers";
  return definitions([
    ["release", `BigBlueButton ${version} (${release})`],
    ["address", urls.url],
    ["API", urls.api],
    ["TURN", urls.turn.join(", ")],
    ...hosts.map(
      (host) => [`${purposeNames[host.role]} host`, describeHost(host, CLOUDS[host.cloud])] as const,
    ),
    ["environment", describeEnvironment(deployment)],
    ["certificates", `${trust}, ${certificateSources(certificates)}`],
    ["DNS records", describeDns(deployment)],
    ["recordings", describeRecordings(deployment)],
    ["backups", describeBackups(deployment)],
  ]);
}

function certificateSources({ names, own, authority }: Deployment["certificates"]): string {
  const files = `your own for ${own.join(" and ")}`;
  if (own.length === 0) return `of ${authority}`;
  return own.length === names.length ? files : `of ${authority}; ${files}`;
}

function renderPorts({ hosts }: Deployment): string {
  const rows = hosts.flatMap(({ role, ports }) =>
    ports.map(({ protocol, port, what }) => [
      purposeNames[role],
      port === null ? protocol : `${port}/${protocol}`,
      port === "22" ? "SSH networks" : "anywhere",
      what,
    ]),
  );
  const networks = hosts[0]?.ports.find(({ port }) => port === "22")?.from ?? [];
  const table = renderTable(
    [
      ["host", 13],
      ["port", 15],
      ["from", 12],
      ["what for", 52],
    ],
    rows,
  );
  return `${table}\n\n${paragraph(`SSH networks: ${networks.join(", ")}`)}`;
}

function renderResources({ resources }: Deployment): string {
  const rows = resources.map(({ purpose, what, type, count, protectedInPulumi, protectedAtCloud }) => {
    const where = [
      ...(protectedInPulumi > 0 ? ["Pulumi"] : []),
      ...(protectedAtCloud > 0 ? ["the cloud"] : []),
    ];
    return [purposeNames[purpose], String(count), what, type, where.join(" and ")];
  });
  return renderTable(
    [
      ["for", 13],
      ["", 3, "right"],
      ["what", 19],
      ["type", 35],
      ["protected by", 20],
    ],
    rows,
  );
}

function renderSteps({ steps, duration, dns }: Deployment): string {
  const rows = steps.map(({ role, number, of, title, seconds, basis, dnsWaitSeconds }) => {
    const waits =
      dns === "manual" && dnsWaitSeconds ? ` + ${span([0, dnsWaitSeconds])} for your records` : "";
    return [`${purposeNames[role]} ${number}/${of}`, title, span(seconds), basis + waits];
  });
  const worth = Object.entries(duration.bases)
    .filter(([basis]) => steps.some((step) => step.basis === basis))
    .map(([basis, what]) => `${basis}: ${what}`);
  const table = renderTable(
    [
      ["step", 18],
      ["", 42],
      ["takes", 9],
      ["figure", 23],
    ],
    rows,
  );
  return `${table}\n\n${bullets(worth)}`;
}

function span([least, most]: readonly [number, number]): string {
  const [unit, size] = most >= 120 ? ["min", 60] : ["s", 1];
  const [from, to] = [Math.round(least / size), Math.round(most / size)];
  return from === to ? `${to} ${unit}` : `${from}–${to} ${unit}`;
}

function minutes([least, most]: readonly [number, number]): string {
  return `${Math.floor(least / 60)} to ${Math.ceil(most / 60)} minutes`;
}

function renderDownloads({ downloads }: Deployment): string {
  const to = {
    "this machine": "to this machine",
    bbb: "to the BigBlueButton host",
    turn: "to the TURN host",
  };
  return bullets(downloads.map((one) => `${to[one.to]}: ${one.what}, from ${one.from}`));
}

function renderPrice(price: Price): string {
  if (!price.asked) return `${paragraph(price.why)}\n${bullets(price.positions)}`;
  const { positions, sum, currency, vatPercent, at, remarks } = price;
  const rows = [...positions, { what: "together", ...sum }].map(({ what, net, gross }) => [what, net, gross]);
  const table = renderTable(
    [
      ["", 48],
      [`${currency} net`, 12, "right"],
      [`with ${Number(vatPercent)} % VAT`, 14, "right"],
    ],
    rows,
  );
  const day = `By the price list of ${at.slice(0, 10)}, for new orders, without traffic beyond what is included.`;
  return [table, "", day, ...(remarks.length > 0 ? [bullets(remarks)] : [])].join("\n");
}
