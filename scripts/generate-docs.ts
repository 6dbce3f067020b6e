/**
 * Rewrites everything that is made from settings/ and bigbluebutton/: tables of README.md and of the pages in docs/,
 * between `<!-- generated: NAME -->` and `<!-- end -->`; the `config` block of Pulumi.yaml, between `# generated: NAME`
 * and `# end`; and the components' arguments.
 *
 *     npx tsx scripts/generate-docs.ts [--check]
 *
 * `--check` writes nothing and exits 1 if a file is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { dialInPorts } from "../bigbluebutton/dialIn";
import { installerArguments } from "../bigbluebutton/installer";
import { renderScrapeConfig } from "../bigbluebutton/metrics";
import { metricsPort, portRange, turnPorts, type PortRule } from "../bigbluebutton/ports";
import { defaultRelease, releases, type Release } from "../bigbluebutton/releases";
import { capacities, defaultServerTypes, type CloudName } from "../bigbluebutton/capacity";
import { environments } from "../settings/environments";
import { dashboard } from "./lib/dashboard";
import { table } from "./lib/markdown";
import { typeNotes } from "./lib/serverTypeNotes";
import {
  customizationsTable,
  extraFileRootsTable,
  optionsExample,
  optionsTable,
  overrideFilesTable,
  overridableTable,
  refusedKeysTable,
} from "./lib/optionsDocs";
import { dialInTable } from "./lib/dialInDocs";
import { settingArguments } from "./lib/settingArguments";
import { firstSettings, projectConfig, settingsByTopic } from "./lib/settingsDocs";

const PROJECT = join(__dirname, "..");

const regions: Readonly<Record<string, () => string>> = {
  "first settings": firstSettings,
  settings: settingsByTopic,
  releases: releasesTables,
  ports: portsTable,
  sizing: sizingTable,
  environments: environmentsTable,
  "options of meetings": () => optionsTable("meetings"),
  "options of branding": () => optionsTable("branding"),
  "example of branding": () => optionsExample("branding"),
  "example of meetings": () => optionsExample("meetings"),
  "options of recordings": () => optionsTable("recordings"),
  "options of privacy": () => optionsTable("privacy"),
  "entries of dialIn": dialInTable,
  "override files": overrideFilesTable,
  "overridable files": overridableTable,
  "keys that can't be overridden": refusedKeysTable,
  "folders of extra files": extraFileRootsTable,
  customizations: customizationsTable,
  "scrape configuration": () =>
    `\`\`\`yaml\n${renderScrapeConfig({ bbbHosts: ["bbb.school.eu"], turnHost: "turn.school.eu" })}\`\`\``,
};

/**
 * Returns the text of a page with all generated regions made anew.
 *
 * @throws Error for a region of an unknown name, or one without an end
 */
export function withGeneratedRegions(text: string): string {
  const begins = text.match(/<!-- generated: .*? -->/g)?.length ?? 0;
  let made = 0;
  const result = text.replace(
    /(<!-- generated: (.*?) -->)(?:(?!<!-- generated)[\s\S])*?(<!-- end -->)/g,
    (_all, begin: string, name: string, end: string) => {
      const render = regions[name];
      if (!render) throw new Error(`"${begin}" is unknown; there are ${Object.keys(regions).join(", ")}`);
      made++;
      return `${begin}\n\n${render()}\n\n${end}`;
    },
  );
  if (made !== begins) throw new Error("a generated region has no <!-- end -->");
  return result;
}

/**
 * Returns the text of Pulumi.yaml with its `config` block made anew.
 *
 * @throws Error if it has no place for it
 */
export function withGeneratedConfig(text: string): string {
  const place = /^# generated: settings$[\s\S]*?^# end$/m;
  if (!place.test(text)) throw new Error("Pulumi.yaml has no # generated: settings, or no # end after it");
  const { config = {} } = (parse(text) ?? {}) as {
    config?: Record<string, { value?: unknown } | null> | null;
  };
  const base = Object.fromEntries(
    Object.entries(config ?? {}).map(([key, declared]) => [key, declared?.value]),
  );
  return text.replace(place, () => `# generated: settings\n${projectConfig(base)}# end`);
}

/** All files with generated parts, by their paths in the project. */
export function generatedFiles(): { readonly path: string; readonly old: string; readonly made: string }[] {
  const pages = readdirSync(join(PROJECT, "docs")).filter((name) => name.endsWith(".md"));
  const made: Readonly<Record<string, (old: string) => string>> = {
    "README.md": withGeneratedRegions,
    ...Object.fromEntries(pages.map((name) => [`docs/${name}`, withGeneratedRegions])),
    "Pulumi.yaml": withGeneratedConfig,
    "components/settingArguments.ts": settingArguments,
    "docs/metrics/dashboard.json": dashboard,
  };
  return Object.entries(made).map(([path, make]) => {
    const old = readFileSync(join(PROJECT, path), "utf8");
    return { path, old, made: make(old) };
  });
}

const statusNames: Readonly<Record<Release["status"], string>> = {
  current: "current stable",
  candidate: "release candidate",
  "end-of-life": "end of life",
};

function releasesTables(): string {
  const rows = Object.values(releases).map((release) => [
    `\`${release.name}\`${release.name === defaultRelease ? " (default)" : ""}`,
    release.version,
    `${release.ubuntu}${release.withdrawnFrom.includes("hetzner") ? " (not at Hetzner any more)" : ""}`,
    statusNames[release.status],
    installerCell(release),
    `\`${release.turnXml.path}\` (${release.turnXml.form})`,
    links(release.sources.map((source) => source.replace(/ \(.*\)$/, ""))),
  ]);
  const notes = Object.values(releases).flatMap(({ name, note, installer }) =>
    [note, installer?.note].flatMap((text) => (text ? [`- \`${name}\`: ${text}`] : [])),
  );
  const command = installerArguments(releases[defaultRelease], {
    version: releases[defaultRelease].installVersion!,
    hostname: "HOSTNAME",
    turnHostname: "TURNHOSTNAME",
    greenlight: false,
  }).join(" ");
  return [
    table(
      ["release", "BigBlueButton", "Ubuntu", "status", "installer", "turn-stun-servers.xml", "sources"],
      rows,
    ),
    notes.join("\n"),
    `The installer runs as \`bash bbb-install.sh ${command}\`, with \`-g\` for Greenlight.`,
  ].join("\n\n");
}

function installerCell({ installer, installVersion }: Release): string {
  if (!installer || !installVersion) return "none exists any more";
  const pin = installer.sha256
    ? `commit ${installer.revision.slice(0, 7)}, sha256 ${installer.sha256.slice(0, 12)}…`
    : `branch ${installer.revision}, not verified`;
  return `\`-v ${installVersion}\`, [${pin}](${installer.url})`;
}

function portsTable(): string {
  const rows: string[][] = [];
  const add = (host: string, ports: readonly PortRule[], of: string) =>
    ports.forEach((rule) => rows.push([host, `${portRange(rule)}/${rule.protocol}`, rule.role, of]));
  const all = Object.values(releases);
  const common = releases[defaultRelease].ports.bbb;
  add("BigBlueButton", common, "all");
  const others = new Map<PortRule, string[]>();
  for (const { name, ports } of all) {
    for (const rule of ports.bbb.filter((rule) => !common.includes(rule))) {
      others.set(rule, [...(others.get(rule) ?? []), name]);
    }
  }
  others.forEach((names, rule) =>
    add("BigBlueButton", [rule], names.map((name) => `\`${name}\``).join(", ")),
  );
  add("BigBlueButton", dialInPorts([]), "with [`dialIn`](dial-in.md), from its `networks`");
  add("TURN", turnPorts, "all");
  add("TURN", [metricsPort([])], "with the setting [`metrics`](metrics.md)");
  return table(["host", "port", "what for", "releases"], rows);
}

function sizingTable(): string {
  const rows = capacities.map(({ cores, types, users, sources }) => [
    `${cores} dedicated`,
    ...Object.values(types).map(({ name, memoryGb }) => `\`${name}\`, ${memoryGb} GB`),
    users,
    links(sources),
  ]);
  const defaults = Object.entries(defaultServerTypes).map(([cloud, { test, prod }]) => {
    const either = (large: string, small: string) =>
      large === small ? `\`${large}\`` : `\`${large}\` in \`prod\` and \`${small}\` otherwise`;
    return (
      `- ${titles[cloud as CloudName]}: \`serverType\` is ${either(prod.bbb, test.bbb)}, ` +
      `\`turnServerType\` ${either(prod.turn, test.turn)}. ${typeNotes[cloud as CloudName].text} ` +
      links(typeNotes[cloud as CloudName].sources)
    );
  });
  return [
    table(["cores", titles.hetzner, titles.aws, "people in all meetings together", "sources"], rows),
    `Cameras decide, not heads: everyone's picture goes to everyone else. Where the settings name no type:`,
    defaults.join("\n"),
  ].join("\n\n");
}

const titles: Readonly<Record<CloudName, string>> = { hetzner: "Hetzner", aws: "EC2" };

function links(sources: readonly string[]): string {
  return sources.map((source, i) => `[${i + 1}](${source})`).join(" ");
}

function environmentsTable(): string {
  const kinds = Object.values(environments);
  const yesOrNo = (values: readonly boolean[]) => values.map((value) => (value ? "yes" : "no"));
  const refused = (what: string) => [`refuses ${what}`, ...yesOrNo(kinds.map(({ strict }) => strict))];
  return table(
    ["", ...Object.keys(environments).map((name) => `\`${name}\``)],
    [
      [
        "server and static addresses protected, in Pulumi and at the cloud (`protect`)",
        ...yesOrNo(kinds.map(({ protect }) => protect)),
      ],
      [
        "recordings volume and Storage Box protected, in Pulumi and at the cloud (`protectRecordings`)",
        ...yesOrNo(kinds.map(({ protectRecordings }) => protectRecordings)),
      ],
      [
        "the cloud's daily backups of the BigBlueButton server (`backups`)",
        ...yesOrNo(kinds.map(({ backups }) => backups)),
      ],
      [
        "server types where none are set",
        ...kinds.map(({ size }) =>
          Object.values(defaultServerTypes)
            .map((types) => `\`${types[size].bbb}\`, \`${types[size].turn}\``)
            .join("; "),
        ),
      ],
      refused("releases that are end of life, even with `allowEndOfLife`"),
      refused("release candidates"),
      refused("`acmeServer: staging`"),
      refused("server types with shared or burstable cores"),
      refused(
        "SSH from everywhere (`0.0.0.0/0`, `::/0`), or by all `sshNetworks` together from more than a /8 of IPv4 or a /16 of IPv6",
      ),
      refused("`protect`, `protectRecordings` or `backups` set to `false`"),
    ],
  );
}

function main(): void {
  const unknown = process.argv.slice(2).find((argument) => argument !== "--check");
  if (unknown !== undefined) {
    console.error(
      `error: generate-docs knows no ${unknown}: usage: npx tsx scripts/generate-docs.ts [--check]`,
    );
    process.exitCode = 2;
    return;
  }
  for (const { path, old, made } of generatedFiles()) {
    if (made === old) continue;
    if (process.argv.includes("--check")) {
      console.error(`${path} is out of date: run npx tsx scripts/generate-docs.ts`);
      process.exitCode = 1;
    } else {
      writeFileSync(join(PROJECT, path), made);
    }
  }
}

if (require.main === module) main();
