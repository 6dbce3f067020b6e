import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  brandingName,
  sha256,
  treeDigest,
  type BrandingFile,
  type BrandingSite,
} from "../../../bigbluebutton/brandingFiles";
import { renderBrandingDocument, renderBrandingNginx } from "../../../bigbluebutton/brandingSite";
import { python } from "./checks";
import { done, FakeHost, SCRIPTS, type Done } from "./scripts";

const STAGING = "/home/ubuntu/bbb-deploy-branding";
const FILES = "var/www/bigbluebutton-branding/branding";
const SNIPPET = "etc/bigbluebutton/nginx/bbb-deploy-branding.nginx";
const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl");
  host.fake("nginx");
});
afterEach(() => host.remove());

function local(option: BrandingFile["option"], content: string, extension: string): BrandingFile {
  const name = brandingName(option, content, extension);
  return { option, kind: "file", name, path: `/mine/${option}`, sha256: sha256(content) };
}

/** A file that the machine that deploys has sent. */
function sent(option: BrandingFile["option"], content: string, extension: string): BrandingFile {
  const file = local(option, content, extension);
  host.put(`${STAGING}/${file.name}`, content);
  return file;
}

const place = (site: BrandingSite): Promise<Done> =>
  host.script("branding.sh", ["--staging", STAGING], renderBrandingDocument(site), trusting);
const helper = (action: string) =>
  done(host.start(["/usr/bin/python3", "-B", join(SCRIPTS, "branding.py"), action, "--root", host.root]));
const served = () => (existsSync(join(host.root, FILES)) ? readdirSync(join(host.root, FILES)).sort() : []);
const here = (path: string) => existsSync(join(host.root, path));
const reloads = () => host.called("systemctl").filter((line) => line === "systemctl reload nginx").length;

test("files come in place for everybody to read, then nginx is told; a second run changes nothing", async () => {
  const logo = sent("logo", "<svg/>", "svg");
  const style = sent("style", "body {}", "css");
  expect(await place({ files: [logo, style] })).toMatchObject({ code: 0 });
  expect(served()).toEqual([logo.name, style.name].sort());
  expect(statSync(join(host.root, FILES, logo.name)).mode & 0o777).toBe(0o644);
  expect(statSync(join(host.root, FILES)).mode & 0o777).toBe(0o755);
  expect(host.read(SNIPPET)).toBe(renderBrandingNginx({ files: [logo, style] }));
  expect(here(STAGING)).toBe(false);
  expect([host.called("nginx"), reloads()]).toEqual([["nginx -t"], 1]);
  expect((await place({ files: [logo, style] })).code).toBe(0);
  expect([host.called("nginx").length, reloads()]).toEqual([1, 1]);
});

test("a file that came half, or not at all, is told, and nothing of nginx's changes", async () => {
  const logo = sent("logo", "<svg/>", "svg");
  host.put(`${STAGING}/${logo.name}`, "<sv");
  const style = local("style", "body {}", "css");
  const { code, output } = await place({ files: [logo, style] });
  expect(code).toBe(1);
  for (const setting of ["branding.logo", "branding.style"]) {
    expect(output).toContain(`the file of ${setting} has not come to this host whole`);
  }
  expect([here(SNIPPET), reloads(), served()]).toEqual([false, 0, []]);
});

test("a folder comes whole, even where its copy was cut off and begun again inside of itself", async () => {
  const files = { "index.html": "<html></html>", "pictures/ä.svg": "<svg/>" };
  const digest = treeDigest(
    Object.entries(files).map(([path, content]) => ({ path, sha256: sha256(content) })),
  );
  const name = brandingName("landingPage", digest);
  const site: BrandingSite = {
    files: [{ option: "landingPage", kind: "folder", name, path: "/mine", sha256: digest }],
    landing: { kind: "folder", name },
  };
  host.put(`${STAGING}/${name}/index.html`, "<ht");
  for (const [path, content] of Object.entries(files)) host.put(`${STAGING}/${name}/mine/${path}`, content);
  expect(await place(site)).toMatchObject({ code: 0 });
  expect(host.read(`${FILES}/${name}/pictures/ä.svg`)).toBe("<svg/>");
  expect(statSync(join(host.root, FILES, name, "pictures")).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(host.root, FILES, name)).sort()).toEqual(["index.html", "pictures"]);
});

test("a part of nginx's that it does not take is put back, and told with what may be wrong", async () => {
  host.fake("nginx", "echo 'duplicate location \"/favicon.ico\"'; exit 1");
  const { code, output } = await place({ files: [sent("favicon", "icon", "ico")] });
  expect([code, here(SNIPPET), reloads()]).toEqual([1, false, 0]);
  expect(output).toContain("another file in /etc/bigbluebutton/nginx is about / or /favicon.ico also");
  host.fake("nginx");
  const logo = sent("logo", "<svg/>", "svg");
  await place({ files: [logo] });
  host.fake("nginx", "exit 1");
  expect((await place({ files: [logo, sent("favicon", "other", "ico")] })).code).toBe(1);
  expect(host.read(SNIPPET)).toBe(renderBrandingNginx({ files: [logo] }));
  host.fake("nginx");
  expect((await place({ files: [logo, sent("favicon", "other", "ico")] })).code).toBe(0);
  expect(host.read(SNIPPET)).toContain("/favicon.ico");
});

test("a reload that failed is made up for by the next run", async () => {
  const logo = sent("logo", "<svg/>", "svg");
  host.fake("systemctl", "exit 1");
  expect((await place({ files: [logo] })).code).toBe(1);
  host.fake("systemctl");
  host.forgetCalls();
  expect((await place({ files: [logo] })).code).toBe(0);
  expect(reloads()).toBe(1);
});

test("the file of before stays until it is tidied up, and with the last option all of it goes", async () => {
  const old = sent("logo", "<svg/>", "svg");
  await place({ files: [old] });
  const logo = sent("logo", "<svg>2</svg>", "svg");
  await place({ files: [logo] });
  expect(served()).toEqual([old.name, logo.name].sort());
  await helper("tidy");
  expect(served()).toEqual([logo.name]);
  await helper("remove");
  expect([here("var/www/bigbluebutton-branding"), here("var/lib/bbb-deploy/branding.json")]).toEqual([
    false,
    false,
  ]);
});

// --- URLs ----------------------------------------------------------------------------------------------------------

let certificates: string;
let web: Server;
let base: string;
let trusting: NodeJS.ProcessEnv = {};
let pages: Record<string, { status?: number; location?: string; content?: Buffer | string }>;

beforeAll(async () => {
  certificates = mkdtempSync(join(tmpdir(), "branding-web-"));
  const [key, cert] = [join(certificates, "key.pem"), join(certificates, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-keyout", key, "-out", cert, ...subject],
    ],
    { stdio: "ignore" },
  );
  trusting = { SSL_CERT_FILE: cert };
  web = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    const { status = 200, location, content } = pages[request.url!] ?? { status: 404 };
    response.writeHead(status, location ? { Location: location } : {}).end(content);
  });
  await new Promise<void>((resolve) => web.listen(0, "localhost", resolve));
  base = `https://localhost:${(web.address() as AddressInfo).port}`;
});
beforeEach(() => {
  pages = {};
});
afterAll(() => {
  web.close();
  rmSync(certificates, { recursive: true, force: true });
});

function remote(option: BrandingFile["option"], path: string): BrandingFile {
  const url = `${base}${path}`;
  const extension = option === "presentation" ? "pdf" : undefined;
  return { option, kind: "url", url, name: brandingName(option, url, extension) };
}

test("a URL's file is fetched over https, and named after what is in it", async () => {
  pages = {
    "/logo": { status: 302, location: "/there" },
    "/there": { content: PNG },
    "/welcome": { content: "%PDF-1.7\n" },
  };
  const [logo, presentation] = [remote("logo", "/logo"), remote("presentation", "/welcome")];
  expect(await place({ files: [logo, presentation] })).toMatchObject({ code: 0 });
  expect(served()).toEqual([`${logo.name}.png`, presentation.name]);
});

test("each URL that can't be had is told with its reason, before anything changes", async () => {
  pages = {
    "/away": { status: 302, location: `http${base.slice(5)}/there` },
    "/page": { content: "<!doctype html>" },
    "/large": { content: Buffer.alloc(250_001, 1) },
  };
  const { code, output } = await place({
    files: [
      remote("logo", "/missing"),
      remote("darkLogo", "/away"),
      remote("style", "/page"),
      remote("favicon", "/large"),
      { ...remote("presentation", ""), url: "https://localhost:1/x" } as BrandingFile,
    ],
  });
  expect(code).toBe(1);
  for (const [url, setting, reason] of [
    [`${base}/missing`, "logo", "HTTP status 404"],
    [`${base}/away`, "darkLogo", "it leads to http:"],
    [`${base}/page`, "style", "there is no CSS in it"],
    [`${base}/large`, "favicon", "it has more than 250000 bytes"],
    ["https://localhost:1/x", "presentation", ".*[Cc]onnection refused"],
  ]) {
    expect(output).toMatch(new RegExp(`${url}, of branding\\.${setting}, can't be had: ${reason}`));
  }
  expect([here(SNIPPET), served()]).toEqual([false, []]);
});

test("a URL whose certificate nobody vouches for is not taken", async () => {
  pages = { "/logo": { content: PNG } };
  const files = [remote("logo", "/logo")];
  const flags = ["--staging", STAGING];
  const { code, output } = await host.script("branding.sh", flags, renderBrandingDocument({ files }));
  expect(code).toBe(1);
  expect(output).toContain("CERTIFICATE_VERIFY_FAILED");
});

test("a URL that answers no more leaves the file that it once gave, and says so", async () => {
  pages = { "/logo": { content: PNG } };
  const files = [remote("logo", "/logo")];
  await place({ files });
  pages = {};
  const { code, output } = await place({ files });
  expect(code).toBe(0);
  expect(output).toContain("HTTP status 404; it stays as it was fetched before");
  expect(served()).toEqual([`${files[0]!.name}.png`]);
  pages = { "/logo": { content: "<svg/>" } };
  await place({ files });
  await helper("tidy");
  expect(served()).toEqual([`${files[0]!.name}.svg`]);
});

// --- the check -----------------------------------------------------------------------------------------------------

test("the check asks for each file, the icon and the first page, and names what is another", async () => {
  const files = [sent("logo", "<svg/>", "svg"), sent("favicon", "icon", "ico")];
  const page = sent("landingPage", "<html></html>", "html");
  const site: BrandingSite = { files: [...files, page], landing: { kind: "file", name: page.name } };
  await place(site);
  const document = renderBrandingDocument(site);
  const check = (of = document) =>
    python(
      host,
      `import os
os.environ.update(${JSON.stringify(trusting)})
import branding_check
try:
    print(branding_check.check_branding(${JSON.stringify(host.root)}, ${JSON.stringify(base.slice(8))}, json.loads(${JSON.stringify(of)})))
except branding_check.Doubtful as found:
    print(found)`,
    );
  pages = {
    [`/branding/${files[0]!.name}`]: { content: "<svg/>" },
    [`/branding/${files[1]!.name}`]: { content: "icon" },
    [`/branding/${page.name}`]: { content: "<html></html>" },
    "/favicon.ico": { content: "icon" },
    "/": { content: "<html></html>" },
  };
  expect(await check()).toBe("3 files as deployed, and the first page\n");
  pages["/"] = { content: "Welcome to nginx" };
  pages["/favicon.ico"] = { status: 404 };
  pages[`/branding/${files[0]!.name}`] = { content: "<svg>2</svg>" };
  expect(await check()).toBe(
    `/branding/${files[0]!.name}: another content than deployed (branding.logo); ` +
      "/favicon.ico: HTTP status 404 (branding.favicon); /: another content than deployed (branding.landingPage)\n",
  );
  const elsewhere = renderBrandingDocument({
    files: [],
    landing: { kind: "redirect", url: "https://school.eu/" },
  });
  pages["/"] = { status: 302, location: "https://school.eu/" };
  expect(await check(elsewhere)).toBe("0 files as deployed, and the first page\n");
  pages["/"] = { status: 302, location: "https://other.eu/" };
  expect(await check(elsewhere)).toBe(
    "/: HTTP status 302, to https://other.eu/, where one to https://school.eu/ was deployed (branding.landingPage)\n",
  );
});

test("a first page elsewhere is asked where it leads, and not followed", async () => {
  const code = `import os
os.environ.update(${JSON.stringify(trusting)})
import api_check
try:
    print(api_check.check_redirect(${JSON.stringify(base.slice(8))}, "https://school.invalid/"))
except api_check.Wrong as found:
    print(found.verdict, found)`;
  pages["/"] = { status: 302, location: "https://school.invalid/" };
  expect(await python(host, code)).toBe("leads to https://school.invalid/\n");
  pages["/"] = { content: "Welcome to nginx" };
  expect(await python(host, code)).toBe(
    "warn HTTP status 200, where one to https://school.invalid/ was deployed\n",
  );
  pages["/"] = { status: 302, location: "https://other.eu/" };
  expect(await python(host, code)).toMatch(/^warn HTTP status 302, to https:\/\/other\.eu\/, where /);
});
