import { brandingName, sha256, treeDigest, type BrandingFile } from "../../bigbluebutton/brandingFiles";
import { renderBrandingDocument, renderBrandingNginx } from "../../bigbluebutton/brandingSite";

const local = (option: BrandingFile["option"], name: string): BrandingFile => ({
  ...{ option, name, kind: "file", path: `/home/me/${option}`, sha256: sha256(name) },
});
const logo = local("logo", "logo-0123456789ab.svg");

const FILES = `location ^~ /branding/ {
  root /var/www/bigbluebutton-branding;
  try_files $uri $uri.svg $uri.png $uri.jpg $uri.ico =404;
  charset utf-8;
  charset_types text/css text/plain application/javascript;
  add_header Cache-Control "public, max-age=3600";
  add_header X-Content-Type-Options nosniff always;
  add_header Content-Security-Policy "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox" always;
}
`;
const HEAD = "# Of the setting branding. Written by the deployment: a change by hand is lost.\n";

test("files are served below /branding/, with the type of their name, and can run nothing", () => {
  expect(renderBrandingNginx({ files: [logo] })).toBe(HEAD + FILES);
});

test("the icon is at its own path also", () => {
  const icon = (files: readonly BrandingFile[]) =>
    renderBrandingNginx({ files })
      .slice((HEAD + FILES).length)
      .split("\n")
      .slice(0, 3);
  expect(icon([local("favicon", "favicon-0123456789ab.png")])).toEqual([
    "location = /favicon.ico {",
    "  root /var/www/bigbluebutton-branding;",
    "  try_files /branding/favicon-0123456789ab.png =404;",
  ]);
  const name = "favicon-0123456789ab";
  expect(icon([{ option: "favicon", kind: "url", name, url: "https://a.eu/i" }])[2]).toBe(
    `  try_files /branding/${name}.ico /branding/${name}.png /branding/${name}.svg =404;`,
  );
});

test("the first page leads elsewhere, and nothing else is served", () => {
  expect(renderBrandingNginx({ files: [], landing: { kind: "redirect", url: "https://a.eu/m?x=1#a" } }))
    .toBe(`${HEAD}location = / {
  return 302 https://a.eu/m?x=1#a;
}
`);
});

test("the first page is a page", () => {
  const files = [local("landingPage", "landingPage-0123456789ab.html")];
  const landing = { kind: "file", name: files[0]!.name } as const;
  expect(renderBrandingNginx({ files, landing })).toBe(`${HEAD}${FILES}location = / {
  root /var/www/bigbluebutton-branding;
  try_files /branding/landingPage-0123456789ab.html =404;
  charset utf-8;
  charset_types text/css text/plain application/javascript;
  add_header Cache-Control "public, max-age=60";
  add_header X-Content-Type-Options nosniff always;
}
`);
});

test("the first page leads to a folder's", () => {
  const landing = { kind: "folder", name: "landingPage-0123456789ab" } as const;
  expect(renderBrandingNginx({ files: [], landing })).toBe(`${HEAD}location = / {
  return 302 /welcome/;
}
location ^~ /welcome/ {
  alias /var/www/bigbluebutton-branding/branding/landingPage-0123456789ab/;
  index index.html;
  charset utf-8;
  charset_types text/css text/plain application/javascript;
  add_header Cache-Control "public, max-age=60";
  add_header X-Content-Type-Options nosniff always;
}
`);
});

test("the host gets each file's digest, or its URL with what it must be, and no path of this machine", () => {
  const url = "https://a.eu/welcome";
  const text = renderBrandingDocument({
    files: [logo, { option: "presentation", kind: "url", name: "presentation-x.pdf", url }],
  });
  expect(text).not.toContain("/home/me");
  expect(JSON.parse(text)).toEqual({
    files: [
      { name: logo.name, kind: "file", setting: "branding.logo", sha256: sha256(logo.name) },
      {
        ...{ name: "presentation-x.pdf", kind: "url", setting: "branding.presentation", url },
        mostBytes: 30_000_000,
        types: [{ name: "PDF", extension: "pdf", pattern: "^%PDF-\\d" }],
      },
    ],
    nginx: HEAD + FILES,
  });
});

test("names change with what they are made of, and not with the order in which a folder is read", () => {
  expect(brandingName("logo", "a", "svg")).toBe(`logo-${sha256("a").slice(0, 12)}.svg`);
  expect(brandingName("logo", "b")).not.toBe(brandingName("logo", "a"));
  const files = [
    { path: "index.html", sha256: sha256("1") },
    { path: "ä/b.png", sha256: sha256("2") },
  ];
  expect(treeDigest([...files].reverse())).toBe(treeDigest(files));
  expect(treeDigest(files.slice(1))).not.toBe(treeDigest(files));
});
