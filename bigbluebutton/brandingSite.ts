import {
  BRANDING_ROOT,
  fileRules,
  type BrandingFile,
  type BrandingSite,
  type LandingPage,
} from "./brandingFiles";

/** Pictures with scripts in them, opened by themselves, can do nothing. */
const CLOSED = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/** Folder at which the pages of a landing page's folder are. */
const WELCOME = "/welcome/";

/**
 * Renders the part of nginx's site for the files and the first page: a file of its own in /etc/bigbluebutton/nginx, which
 * no package has. An exact location goes before BigBlueButton's own
 * "/", whose page is Greenlight's or the package's.
 */
export function renderBrandingNginx({ files, landing }: BrandingSite): string {
  const favicon = files.find(({ option }) => option === "favicon");
  return [
    "# Of the setting branding. Written by the deployment: a change by hand is lost.",
    ...(files.length > 0 ? locationOfFiles() : []),
    ...(favicon ? locationOfFavicon(favicon) : []),
    ...(landing ? locationsOfLanding(landing) : []),
    "",
  ].join("\n");
}

function locationOfFiles(): string[] {
  const extensions = [
    ...new Set(
      Object.values(fileRules)
        .filter(({ types }) => types.length > 1)
        .flatMap(({ types }) => types.map(({ extension }) => extension)),
    ),
  ];
  return location("^~ /branding/", [
    `root ${BRANDING_ROOT};`,
    `try_files $uri ${extensions.map((one) => `$uri.${one}`).join(" ")} =404;`,
    ...headers(3600),
    `add_header Content-Security-Policy "${CLOSED}" always;`,
  ]);
}

function locationOfFavicon({ name, kind }: BrandingFile): string[] {
  const { types } = fileRules.favicon;
  const found = kind === "url" ? types.map(({ extension }) => `${name}.${extension}`) : [name];
  return location("= /favicon.ico", [
    `root ${BRANDING_ROOT};`,
    `try_files ${found.map((one) => `/branding/${one}`).join(" ")} =404;`,
    ...headers(3600),
    `add_header Content-Security-Policy "${CLOSED}" always;`,
  ]);
}

function locationsOfLanding(landing: LandingPage): string[] {
  switch (landing.kind) {
    case "redirect":
      return location("= /", [`return 302 ${landing.url};`]);
    case "file":
      return location("= /", [
        `root ${BRANDING_ROOT};`,
        `try_files /branding/${landing.name} =404;`,
        ...headers(60),
      ]);
    case "folder":
      return [
        ...location("= /", [`return 302 ${WELCOME};`]),
        ...location(`^~ ${WELCOME}`, [
          `alias ${BRANDING_ROOT}/branding/${landing.name}/;`,
          "index index.html;",
          ...headers(60),
        ]),
      ];
  }
}

function headers(seconds: number): string[] {
  return [
    "charset utf-8;",
    "charset_types text/css text/plain application/javascript;",
    `add_header Cache-Control "public, max-age=${seconds}";`,
    "add_header X-Content-Type-Options nosniff always;",
  ];
}

function location(of: string, lines: readonly string[]): string[] {
  return [`location ${of} {`, ...lines.map((line) => `  ${line}`), "}"];
}

/** Renders the document of scripts/host/branding.py: the files with what each must be, and nginx's part. */
export function renderBrandingDocument(site: BrandingSite): string {
  const files = site.files.map((file) => {
    const { option, name, kind } = file;
    const setting = `branding.${option}`;
    if (kind !== "url") return { name, kind, setting, sha256: file.sha256 };
    const { types, mostBytes } = fileRules[option];
    return { name, kind, setting, url: file.url, mostBytes, types };
  });
  return JSON.stringify({ files, landing: site.landing, nginx: renderBrandingNginx(site) });
}
