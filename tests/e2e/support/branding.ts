import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { signedApiUrl } from "../../../bigbluebutton/api";
import type { Outputs } from "./sandbox";

/** Logo of a school that is made up, in one of two colours. */
export function schoolLogo(colour: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60" width="200" height="60">
<path d="M5 28 30 8l25 20v24H5z" fill="${colour}"/><path d="M24 34h12v18H24z" fill="#fff"/>
<text x="66" y="28" font-family="sans-serif" font-weight="bold" font-size="17" fill="${colour}">Königsschule</text>
<text x="66" y="47" font-family="sans-serif" font-size="12" fill="#777">Musterstadt</text></svg>
`;
}

export const TITLE = "Königsschule 🏫";
export const ARABIC = "مرحبا بكم";
export const FOOTER = `Königsschule Musterstadt, „IT“ · 100 % Schule 🎓 · ${ARABIC}`;
export const WELCOME = `Grüß Gott in <b>%%CONFNAME%%</b>! Bitte das Mikrofon ausschalten 🎤 · ${ARABIC}`;

const STYLE = `/* grün */
h1 { color: #0b5e3c; }
footer { background: #0b5e3c; }
@media (prefers-color-scheme: dark) { h1 { color: #7fd6ac; } }
`;

/** First page of the school, with the texts that must arrive as they are. */
export const FIRST_PAGE = `<!doctype html>
<html lang="de"><head><meta charset="utf-8"><title>${TITLE}</title>
<style>body { margin: 0; font: 18px/1.5 sans-serif } header { background: #0b5e3c; color: #fff; padding: 1rem 2rem }
main { padding: 1rem 2rem }</style></head>
<body><header><h1>${TITLE}</h1></header><main><p id="greeting">Grüß Gott! Zum Unterricht geht es über Moodle.</p>
<p id="arabic" lang="ar" dir="rtl">${ARABIC}</p></main></body></html>
`;

/** Folder of the operator's own, with the files of a school. */
export class SchoolFiles {
  readonly folder = mkdtempSync(join(tmpdir(), "school-"));

  put(path: string, content: string): string {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
    return full;
  }

  /** Writes all of them; returns the setting that names them. */
  putAll() {
    return {
      logo: this.put("logo.svg", schoolLogo("#0b5e3c")),
      darkLogo: this.put("dark-logo.svg", schoolLogo("#7fd6ac")),
      favicon: this.put("favicon.svg", schoolLogo("#0b5e3c")),
      title: TITLE,
      presentation: this.put("welcome.pdf", "%PDF-1.4\n% welcome\n"),
      style: this.put("style.css", STYLE),
      footer: FOOTER,
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** URL by which a moderator joins the room of that name. */
export function joinUrl({ apiUrl, sharedSecret }: Outputs, more: Record<string, string> = {}): string {
  const person = { meetingID: "room", fullName: "Frau König", role: "MODERATOR" };
  return signedApiUrl(apiUrl, "join", { ...person, ...more }, sharedSecret);
}
