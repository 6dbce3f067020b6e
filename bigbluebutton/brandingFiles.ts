/** Files of the setting `branding`, as plain data: which types each may have, and where the server has them. */
import { createHash } from "node:crypto";

/** Type of a file. */
export interface FileType {
  readonly name: string;
  readonly extension: string;
  /**
   * Pattern of its beginning, byte by byte (Latin-1), for JavaScript and for the Python of the hosts; not case-sensitive.
   */
  readonly pattern: string;
}

const BOM = "(?:\\xef\\xbb\\xbf)?";
const COMMENTS = "(?:<!--[\\s\\S]*?-->\\s*)*";

const types = {
  png: { name: "PNG", extension: "png", pattern: "^\\x89PNG\\r\\n\\x1a\\n" },
  jpeg: { name: "JPEG", extension: "jpg", pattern: "^\\xff\\xd8\\xff" },
  ico: { name: "ICO", extension: "ico", pattern: "^\\x00\\x00\\x01\\x00" },
  svg: {
    name: "SVG",
    extension: "svg",
    pattern: `^${BOM}\\s*(?:<\\?xml[^>]*>\\s*)?${COMMENTS}(?:<!DOCTYPE svg[^>]*>\\s*)?${COMMENTS}<svg[\\s/>]`,
  },
  pdf: { name: "PDF", extension: "pdf", pattern: "^%PDF-\\d" },
  html: {
    name: "HTML",
    extension: "html",
    pattern: `^${BOM}\\s*${COMMENTS}<(?:!doctype html|html|head|body)[\\s>]`,
  },
  // Any text that is no markup: there is nothing else by which to know it.
  css: { name: "CSS", extension: "css", pattern: `^(?!${BOM}\\s*<)(?![\\s\\S]*\\x00)` },
} as const satisfies Readonly<Record<string, FileType>>;

/** Most bytes of a file from which its type is told. */
const HEAD_BYTES = 65_536;

/** Rules for the file of one option. */
export interface FileRules {
  readonly types: readonly FileType[];
  readonly mostBytes: number;
}

const MEGABYTE = 1_000_000;

const images = [types.svg, types.png, types.jpeg];

/** Options of `branding` that are files. */
export const fileRules = {
  logo: { types: images, mostBytes: MEGABYTE },
  darkLogo: { types: images, mostBytes: MEGABYTE },
  favicon: { types: [types.ico, types.png, types.svg], mostBytes: MEGABYTE / 4 },
  presentation: { types: [types.pdf], mostBytes: 30 * MEGABYTE },
  style: { types: [types.css], mostBytes: MEGABYTE },
  landingPage: { types: [types.html], mostBytes: MEGABYTE },
} as const satisfies Readonly<Record<string, FileRules>>;

export type FileOption = keyof typeof fileRules;

/** Bounds of a folder as the landing page. */
export const folderRules = { mostFiles: 500, mostBytes: 50 * MEGABYTE, index: "index.html" } as const;

/** Type of a file by what is in it; undefined if it is none of those that it may have. */
export function typeOf(content: Buffer, { types }: FileRules): FileType | undefined {
  const head = content.subarray(0, HEAD_BYTES).toString("latin1");
  return types.find(({ pattern }) => new RegExp(pattern, "i").test(head));
}

/** Names of the types, e.g. "SVG, PNG or JPEG". */
export function typeNames({ types }: FileRules): string {
  const names = types.map(({ name }) => name);
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** Folder on the server that no package writes to. Below it, `branding` is served at /branding/. */
export const BRANDING_ROOT = "/var/www/bigbluebutton-branding";

/** Folder, in the home of the account that logs in, into which the files come first. */
export const BRANDING_STAGING = "bbb-deploy-branding";

/** File, or with `folder` a folder, of the machine that deploys, or a file that the server fetches. */
export type BrandingFile = {
  readonly option: FileOption;
  /** Name on the server, without an extension if only the server finds out which it is. */
  readonly name: string;
} & (
  | { readonly kind: "file"; readonly path: string; readonly sha256: string }
  | { readonly kind: "folder"; readonly path: string; readonly sha256: string }
  | { readonly kind: "url"; readonly url: string }
);

/** First page of the server. */
export type LandingPage =
  | { readonly kind: "redirect"; readonly url: string }
  /** Name of the page's file, or of its folder. */
  | { readonly kind: "file" | "folder"; readonly name: string };

/** Files and first page of a server, beside BigBlueButton's configuration. */
export interface BrandingSite {
  readonly files: readonly BrandingFile[];
  readonly landing?: LandingPage;
}

/** Name of a file: another content or URL makes another name, so that no cache shows the one before. */
export function brandingName(option: FileOption, of: string | Buffer, extension?: string): string {
  return `${option}-${sha256(of).slice(0, 12)}${extension ? `.${extension}` : ""}`;
}

export function sha256(content: string | Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Digest of a folder: of the paths of its files and their digests, as scripts/host/branding.py makes it. */
export function treeDigest(files: readonly { readonly path: string; readonly sha256: string }[]): string {
  const lines = files.map(({ path, sha256 }) => `${sha256}  ${path}\n`);
  return sha256(lines.sort().join(""));
}

/** URL of a file. */
export function brandingUrl(fqdn: string, name: string): string {
  return `https://${fqdn}/branding/${name}`;
}
