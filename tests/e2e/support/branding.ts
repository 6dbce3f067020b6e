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
export const FOOTER = "Königsschule Musterstadt, „IT“ · 100 % Schule 🎓";
export const WELCOME = "Willkommen in <b>%%CONFNAME%%</b>! Bitte das Mikrofon ausschalten 🎤";

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
      style: this.put("style.css", "/* grün */\nh1 { color: #0b5e3c; }\nfooter { background: #0b5e3c; }\n"),
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
