import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { renderBrandingNginx } from "../../bigbluebutton/brandingSite";
import { ownedKeysOf, textsFor } from "../../bigbluebutton/optionGroups";
import { parseSettings } from "../../settings";
import { SettingsError } from "../../settings/problems";

const required = { domain: "school.eu", email: "admin@school.eu", sshNetworks: ["198.51.100.7/32"] };
const at = { project: "bigbluebutton", stack: "prod" };

const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const SVG = '<?xml version="1.0"?>\n<!-- of ours -->\n<svg xmlns="http://www.w3.org/2000/svg"/>\n';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "branding-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, content: string | Buffer): string {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
  return join(folder, path);
}

const settings = (branding: unknown, more: object = {}) =>
  parseSettings({ ...required, ...more, branding }, at);

/** All mistakes, each on a line, without the folder's random name. */
function mistakes(branding: unknown, more: object = {}): string[] {
  try {
    settings(branding, more);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason }) => `${key} ${reason}`.replaceAll(folder, "…"));
  }
  return [];
}

const key = (branding: unknown, name: string) => {
  const { files } = ownedKeysOf(settings(branding).groups)!;
  const keys = files.flatMap((file) => ("keys" in file ? file.keys : []));
  return keys.find(({ key }) => (typeof key === "object" ? key.join(".") : key) === name)?.value;
};

test("without branding there is neither a file nor a key", () => {
  const { groups, branding } = settings({});
  expect([groups, branding]).toEqual([{}, undefined]);
});

test("a title and a footer alone need no file", () => {
  const branding = { title: "Königsschule 🏫", footer: "© Königsschule, „IT“ 100 %" };
  expect(settings(branding).branding).toBeUndefined();
  expect([key(branding, "public.app.clientTitle"), key(branding, "public.app.copyright")]).toEqual([
    "Königsschule 🏫",
    "© Königsschule, „IT“ 100 %",
  ]);
});

test("a file's key is the URL at which the server has it, with its digest in the name", () => {
  const branding = { logo: put("logo", SVG) };
  const url = key(branding, "defaultLogoURL") as string;
  expect(url).toMatch(/^https:\/\/bbb\.school\.eu\/branding\/logo-[0-9a-f]{12}\.svg$/);
  expect([key(branding, "useDefaultLogo"), key(branding, "public.app.branding.displayBrandingArea")]).toEqual(
    ["true", true],
  );
  const text = textsFor(settings(branding).groups);
  put("logo", SVG.replace("ours", "yours"));
  expect(key(branding, "defaultLogoURL")).not.toBe(url);
  expect(textsFor(settings(branding).groups)).not.toBe(text);
});

test("each file comes to the server by its path and digest, and a URL is only checked for its form", () => {
  const branding = {
    logo: put("logo.svg", SVG),
    darkLogo: "https://school.eu/dark?size=2",
    favicon: put("icon", PNG),
    presentation: "https://school.eu/welcome",
    style: put("style.css", "\ufeffbody { color: #123 }\n"),
  };
  const { branding: site } = settings(branding);
  expect(site!.files).toEqual([
    expect.objectContaining({ option: "logo", kind: "file", path: branding.logo }),
    {
      option: "darkLogo",
      kind: "url",
      name: expect.stringMatching(/^darkLogo-[0-9a-f]{12}$/),
      url: branding.darkLogo,
    },
    expect.objectContaining({
      option: "favicon",
      name: expect.stringMatching(/^favicon-[0-9a-f]{12}\.png$/) as string,
    }),
    expect.objectContaining({
      option: "presentation",
      kind: "url",
      name: expect.stringMatching(/\.pdf$/) as string,
    }),
    expect.objectContaining({ option: "style", name: expect.stringMatching(/\.css$/) as string }),
  ]);
  expect(key(branding, "beans.presentationService.defaultUploadedPresentation")).toMatch(/\.pdf$/);
  expect(key(branding, "public.app.customStyleUrl")).toMatch(/\.css$/);
  expect([key(branding, "useDefaultDarkLogo"), key(branding, "defaultDarkLogoURL")]).toEqual([
    "true",
    expect.stringMatching(/\/darkLogo-[0-9a-f]{12}$/),
  ]);
});

test.each([false, "false"])("no presentation (%j) is BigBlueButton's null", (presentation) => {
  expect(settings({ presentation }).branding).toBeUndefined();
  expect(key({ presentation }, "beans.presentationService.defaultUploadedPresentation")).toBe("null");
});

test.each<[string, string | Buffer, string | undefined]>([
  ["logo", PNG, "png"],
  ["logo", Buffer.from("ffd8ffe000104a464946", "hex"), "jpg"],
  ["logo", "<!DOCTYPE html><svg></svg>", undefined],
  ["logo", Buffer.from("%PDF-1.7\n"), undefined],
  ["favicon", Buffer.from("000001000100", "hex"), "ico"],
  ["favicon", Buffer.from("ffd8ffe000104a464946", "hex"), undefined],
  ["presentation", "%PDF-1.7\n", "pdf"],
  ["presentation", "PK\u0003\u0004", undefined],
  ["style", "/* ours */\n", "css"],
  ["style", " <style>body {}</style>", undefined],
  ["style", Buffer.from("a\0b"), undefined],
  ["landingPage", "\n<!doctype HTML>\n<title>x</title>", "html"],
  ["landingPage", "Welcome", undefined],
])("what is in a file tells its type: %s of %j", (option, content, extension) => {
  const value = put("anything.png", content);
  if (extension === undefined) {
    expect(mistakes({ [option]: value })).toEqual([
      expect.stringMatching(new RegExp(`^branding.${option} names …/anything.png, in which there is no `)),
    ]);
  } else {
    expect(settings({ [option]: value }).branding!.files[0]!.name).toMatch(new RegExp(`\\.${extension}$`));
  }
});

test("all mistakes are told at once, with the path, the reason and the remedy", () => {
  mkdirSync(join(folder, "empty"));
  symlinkSync("loop", join(folder, "loop"));
  const branding = {
    logo: join(folder, "missing.svg"),
    darkLogo: folder,
    favicon: put("large.ico", Buffer.alloc(250_001)),
    presentation: put("nothing.pdf", ""),
    style: join(folder, "loop"),
    landingPage: join(folder, "empty"),
    title: "a\u0007",
    logos: "x",
  };
  expect(mistakes(branding)).toEqual([
    'branding.title must not have control characters, not "a\\u0007"',
    "branding.logos is no setting; did you mean logo?",
    "branding.logo names …/missing.svg, which is not there",
    "branding.darkLogo names …, a folder",
    "branding.favicon names …/large.ico, which has 251 kB, more than 250 kB",
    "branding.presentation names …/nothing.pdf, which is empty",
    "branding.style names …/loop, which is a link to itself",
    "branding.landingPage names …/empty, a folder without index.html",
  ]);
  expect(() => settings(branding)).toThrow("→ pulumi config set --path 'branding.logo' PATH");
});

test.each([
  "http://school.eu/logo.svg",
  "ftp://school.eu/logo.svg",
  "https://",
  "https://school.eu/a b",
  "https://school.eu/;return",
  'https://school.eu/"',
  "https://school.eu/{}",
  "https://school.eu/$host",
])("a URL must be https, and no part of nginx's language: %s", (url) => {
  for (const option of ["logo", "landingPage"]) {
    expect(mistakes({ [option]: url })).toEqual([
      expect.stringContaining(`branding.${option} must be a path or an https URL, not "`),
    ]);
  }
});

describe("the first page", () => {
  test("leads to a URL", () => {
    const { branding } = settings({ landingPage: "https://school.eu/meetings?x=1#a" });
    expect(branding).toEqual({
      files: [],
      landing: { kind: "redirect", url: "https://school.eu/meetings?x=1#a" },
    });
  });

  test("is a page", () => {
    const { branding } = settings({ landingPage: put("page.html", "<html></html>") });
    expect(branding!.landing).toEqual({ kind: "file", name: branding!.files[0]!.name });
  });

  test("is a folder, which a change of any of its files renames", () => {
    put("site/index.html", "<html></html>");
    const picture = put("site/pictures/a.png", PNG);
    const read = () => settings({ landingPage: join(folder, "site") }).branding!;
    const before = read();
    expect(before.landing).toEqual({
      kind: "folder",
      name: expect.stringMatching(/^landingPage-[0-9a-f]{12}$/) as string,
    });
    writeFileSync(picture, "other");
    expect(read().landing).not.toEqual(before.landing);
    expect(renderBrandingNginx(read())).toContain("location ^~ /welcome/ {");
  });

  test("is Greenlight's only with the setting greenlight, and with it no other", () => {
    expect(mistakes({ landingPage: "greenlight" })).toEqual([
      "branding.landingPage is greenlight, but the setting greenlight is not set",
    ]);
    expect(mistakes({ landingPage: "greenlight" }, { greenlight: true })).toEqual([]);
    expect(mistakes({ landingPage: "https://school.eu/" }, { greenlight: true })).toEqual([
      "branding.landingPage is set, but with the setting greenlight the first page is Greenlight's",
    ]);
  });
});

test("a release whose files are not known takes none of it", () => {
  expect(mistakes({ title: "Schule" }, { release: "focal-27", allowEndOfLife: true })).toContainEqual(
    expect.stringContaining("is for BigBlueButton 3.0 and 4.0"),
  );
});
