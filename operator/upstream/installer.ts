/** Present bbb-install, compared with the options of install-bbb.sh and the table of releases. */
import { createHash } from "node:crypto";

import type { Installer, Release } from "../../bigbluebutton/releases";
import { Doubtful, worst, Wrong } from "../check/finding";

/** Options that install-bbb.sh passes; true for those with a value. */
const PASSED: Readonly<Record<string, boolean>> = { v: true, s: true, e: true, c: true, g: false, d: false };

const SCRIPT = "read what changed, and adapt scripts/host/install-bbb.sh";

/**
 * Checks an installer. A file with the table's digest was read when its row was made, so its behaviour is not judged
 * again: those of 2.2 to 2.5 name in pieces what later ones name whole.
 *
 * @throws Wrong or Doubtful with all that no longer holds
 */
export function inspectInstaller(text: string, release: Release & { readonly installer: Installer }): string {
  const { sha256 } = release.installer;
  const known = sha256 !== undefined && hashOf(text) === sha256;
  return worst([
    known ? "sha256 as in the table" : otherHash(text, sha256),
    optionsOf(text, release),
    ...(known ? [] : behaviourOf(text, release)),
  ]);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function otherHash(text: string, sha256: string | undefined): string | Wrong {
  const found = hashOf(text);
  if (sha256 === undefined) return `sha256 ${found}, none in the table`;
  return new Wrong(
    `sha256 ${found}, not ${sha256}`,
    "read what changed, then correct sha256 in bigbluebutton/releases.ts",
  );
}

function optionsOf(text: string, { installer, name }: Release): string | Wrong {
  const [, options] = /getopts +["']?:?([A-Za-z:]+)["']? /.exec(text) ?? [];
  if (options === undefined) return new Wrong("no line with getopts tells its options", SCRIPT);
  const takes = new Map(
    [...options.matchAll(/([A-Za-z])(:?)/g)].map(([, letter, value]) => [letter!, value === ":"]),
  );
  const lost = Object.entries(PASSED).filter(([letter, value]) => takes.get(letter) !== value);
  if (lost.length > 0) {
    const told = lost.map(([letter, value]) => `-${letter}${value ? " with a value" : ""}`);
    return new Wrong(`takes ${told.join(", ")} no more, which we pass`, SCRIPT);
  }
  const known = installer?.flags ?? [];
  const differ = [
    ...[...takes.keys()].filter((letter) => !known.includes(letter)).map((letter) => `-${letter} is new`),
    ...known.filter((letter) => !takes.has(letter)).map((letter) => `-${letter} is gone`),
  ];
  if (differ.length === 0) return "options as in the table";
  return new Doubtful(
    `options: ${differ.join(", ")}`,
    `correct flags of ${name} in bigbluebutton/releases.ts`,
  );
}

function behaviourOf(text: string, { installVersion, turnXml }: Release): (string | Wrong)[] {
  const certbot = text
    .replace(/\\\n/g, " ")
    .split("\n")
    .filter((line) => /^[^#]*\bcertbot\b.*\bcertonly\b/.test(line));
  const expected: [holds: boolean, otherwise: string][] = [
    [
      installVersion === undefined || text.includes(installVersion),
      `does not name ${installVersion}, which is its -v here`,
    ],
    [
      /\[\[? +-n +"?\$\{?IP\}?"? +\]/.test(text),
      "does not ask whether IP is set, by which we tell it its address",
    ],
    [text.includes(turnXml.path), `does not name ${turnXml.path}, where the wiring is written`],
    [text.includes("/local/certs"), "does not name /local/certs, where -d wants a certificate of one's own"],
    [certbot.length > 0, "has no line with certbot certonly: where its certificates come from is not known"],
    [
      !certbot.some((line) => /--(server|staging|test-cert)\b/.test(line)),
      "gives certbot a server, against the setting acmeServer",
    ],
  ];
  const wrong = expected.filter(([holds]) => !holds).map(([, otherwise]) => new Wrong(otherwise, SCRIPT));
  return wrong.length > 0 ? wrong : ["behaves as we take for granted"];
}
