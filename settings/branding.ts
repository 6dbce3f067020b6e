/** Files of the setting `branding`: what is wrong with them, and what the server is to have. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import {
  brandingName,
  brandingUrl,
  fileRules,
  folderRules,
  sha256,
  treeDigest,
  typeNames,
  typeOf,
  type BrandingFile,
  type BrandingSite,
  type FileOption,
  type LandingPage,
} from "../bigbluebutton/brandingFiles";
import { brandingOptions } from "../bigbluebutton/brandingOptions";
import type { OptionValues } from "../bigbluebutton/options";
import type { FieldValues } from "./fields";
import { entryPath, isUrl } from "./fields/field";
import { readableOptions } from "./fields/optionGroup";
import { qualifyHostname } from "./formats/names";
import type { Problem } from "./problems";
import { fromJson } from "./read";
import { setCommand } from "./remedies";
import { unreadable } from "./unreadable";

/** Branding, with its files. */
interface Branding {
  /** Values of the options; in place of a file's path stands the URL at which the server has it. */
  readonly values: OptionValues;
  /** Undefined if there is nothing but keys of BigBlueButton's configuration. */
  readonly site?: BrandingSite;
  readonly problems: readonly Problem[];
}

type Read = { readonly file: BrandingFile } | { readonly reason: string; readonly remedy?: string };

/**
 * Reads the files of the setting `branding`.
 *
 * @param raw All settings; a file is judged even where another option has a mistake.
 */
export function readBranding(
  raw: Readonly<Record<string, unknown>>,
  settings: Partial<FieldValues>,
): Branding {
  const given = fromJson(raw.branding);
  const branding =
    typeof given === "object" && given !== null
      ? readableOptions(brandingOptions, given as Readonly<Record<string, unknown>>)
      : {};
  const server = serverName(settings);
  const values: Record<string, OptionValues[string]> = { ...branding };
  const files: BrandingFile[] = [];
  const problems: Problem[] = [];
  for (const option of Object.keys(fileRules) as FileOption[]) {
    const value = branding[option];
    if (typeof value !== "string" || isNoFile(option, value)) continue;
    const read = readFile(option, value);
    if ("file" in read) {
      files.push(read.file);
      values[option] = brandingUrl(server, read.file.name);
    } else {
      problems.push(problem(option, read.reason, read.remedy));
    }
  }
  const landing = landingPage(branding.landingPage, files);
  const site = files.length > 0 || landing ? { files, landing } : undefined;
  return { values, site, problems };
}

/** Name of the BigBlueButton server; "" where the settings have none that is valid, which is told elsewhere. */
function serverName({ domain, hostname }: Partial<FieldValues>): string {
  if (domain === undefined || hostname === undefined) return "";
  const result = qualifyHostname(hostname, domain);
  return "fqdn" in result ? result.fqdn : "";
}

function landingPage(value: unknown, files: readonly BrandingFile[]): LandingPage | undefined {
  if (typeof value !== "string") return undefined;
  if (isUrl(value, "https:")) return { kind: "redirect", url: value };
  const file = files.find(({ option }) => option === "landingPage");
  return file && { kind: file.kind === "folder" ? "folder" : "file", name: file.name };
}

/** True for a value that stands for something else than a file. */
function isNoFile(option: FileOption, value: string): boolean {
  switch (option) {
    case "presentation":
      return value === "false";
    case "landingPage":
      return value === "greenlight" || isUrl(value, "https:");
    default:
      return false;
  }
}

function problem(option: FileOption, reason: string, remedy?: string): Problem {
  const other = setCommand(entryPath("branding", option), "PATH");
  return { key: `branding.${option}`, reason, remedy: remedy ?? other };
}

function readFile(option: FileOption, value: string): Read {
  const rules = fileRules[option];
  if (isUrl(value, "https:")) {
    const [type, ...more] = rules.types;
    const extension = more.length === 0 ? type.extension : undefined;
    return { file: { option, kind: "url", name: brandingName(option, value, extension), url: value } };
  }
  const path = value.replace(/^~(?=\/)/, homedir());
  try {
    const found = statSync(path);
    if (found.isDirectory()) {
      return option === "landingPage" ? readFolder(path, value) : { reason: `names ${value}, a folder` };
    }
    if (!found.isFile()) return { reason: `names ${value}, which is no file` };
    if (found.size === 0) return { reason: `names ${value}, which is empty` };
    if (found.size > rules.mostBytes) {
      return {
        reason: `names ${value}, which has ${inWords(found.size)}, more than ${inWords(rules.mostBytes)}`,
        remedy: `make it smaller, or ${setCommand(entryPath("branding", option), "PATH")}`,
      };
    }
    const content = readFileSync(path);
    const type = typeOf(content, rules);
    if (!type) return { reason: `names ${value}, in which there is no ${typeNames(rules)}` };
    const name = brandingName(option, content, type.extension);
    return { file: { option, kind: "file", name, path, sha256: sha256(content) } };
  } catch (error) {
    return { reason: `names ${value}, which ${unreadable(error)}` };
  }
}

function readFolder(path: string, value: string): Read {
  const option = "landingPage";
  const files = filesBelow(path, "");
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (files.length > folderRules.mostFiles || bytes > folderRules.mostBytes) {
    return {
      reason: `names ${value}, a folder with ${files.length} files and ${inWords(bytes)}; it may have ${folderRules.mostFiles} and ${inWords(folderRules.mostBytes)}`,
      remedy: `make it smaller, or ${setCommand(entryPath("branding", option), "URL")} of a page elsewhere`,
    };
  }
  if (!files.some((file) => file.path === folderRules.index)) {
    return { reason: `names ${value}, a folder without ${folderRules.index}` };
  }
  const sums = files.map((file) => ({
    path: file.path,
    sha256: sha256(readFileSync(join(path, file.path))),
  }));
  const digest = treeDigest(sums);
  return { file: { option, kind: "folder", name: brandingName(option, digest), path, sha256: digest } };
}

/** Files of a folder and those below it, symbolic links followed. */
function filesBelow(root: string, below: string): { path: string; size: number }[] {
  return readdirSync(join(root, below)).flatMap((name) => {
    const path = below ? `${below}/${name}` : name;
    const found = statSync(join(root, path));
    if (found.isDirectory()) return filesBelow(root, path);
    return found.isFile() ? [{ path, size: found.size }] : [];
  });
}

function inWords(bytes: number): string {
  return bytes >= 1_000_000 ? `${Math.ceil(bytes / 100_000) / 10} MB` : `${Math.ceil(bytes / 1000)} kB`;
}
