import { signedApiUrl } from "../../../bigbluebutton/api";
import { sha256 } from "../../../bigbluebutton/brandingFiles";
import type { Finding } from "../../../operator/check/finding";
import { FOOTER, joinUrl, SchoolFiles, schoolLogo, TITLE } from "../support/branding";
import { page } from "../support/checks";
import { serviceStarts } from "../support/hosts";
import {
  IN_HETZNER_DNS as NAMES,
  must,
  onHost,
  outputs,
  outside,
  sandbox,
  tryUpdate,
  update,
  type Outputs,
} from "../support/sandbox";

/** Files and words of a school, from a stack's settings to what its pupils see, on one deployment of each line. */

const SITE = "/var/www/bigbluebutton-branding";
const SNIPPET = "/etc/bigbluebutton/nginx/bbb-deploy-branding.nginx";

interface Entered {
  readonly logo: string | null;
  readonly darkLogo: string | null;
  readonly presentation: string | null;
  readonly clientSettings: { readonly public: { readonly app: Readonly<Record<string, unknown>> } };
}

describe.each(["jammy-30", "noble-40"])("%s", (release) => {
  const files = new SchoolFiles();
  const school = files.putAll();
  let out: Outputs;
  let settings: Record<string, string> = { release };
  const given = (all: Record<string, string>) =>
    Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const up = (more: Record<string, string> = {}) => {
    settings = { ...settings, ...more };
    return update("up", "embedded", given(settings));
  };
  const branding = (values: object) => ({ branding: JSON.stringify(values) });

  /** Makes the room, and joins it as a client does. */
  async function enter(): Promise<Entered> {
    const parameters = { meetingID: "room", name: "Mathe 7b" };
    await outside(["curl", "-sS", signedApiUrl(out.apiUrl, "create", parameters, out.sharedSecret)]);
    const script = `set -euo pipefail
jar=$(mktemp)
token=$(curl -sS -c "$jar" "$1" | sed -n 's|.*<session_token>\\(.*\\)</session_token>.*|\\1|p')
curl -sS -b "$jar" "$2/enter?sessionToken=$token"`;
    const join = joinUrl(out, { redirect: "false" });
    const { stdout } = await outside(["bash", "-c", script, "bash", join, out.apiUrl]);
    return (JSON.parse(stdout) as { response: Entered }).response;
  }
  const end = () =>
    outside(["curl", "-sS", signedApiUrl(out.apiUrl, "end", { meetingID: "room" }, out.sharedSecret)]);

  /** Status, headers and digest of a page, for a client on the internet. */
  async function ask(url: string) {
    const script = 'curl -sS -D - -o /tmp/branding "$1"; sha256sum /tmp/branding';
    const { stdout } = await outside(["bash", "-c", script, "bash", url]);
    const header = (name: string) => new RegExp(`^${name}: (.*)\\r$`, "im").exec(stdout)?.[1];
    return {
      status: /^HTTP\/\S+ (\d+)/m.exec(stdout)?.[1],
      type: header("content-type"),
      sniff: header("x-content-type-options"),
      policy: header("content-security-policy"),
      sha256: /^[0-9a-f]{64}/m.exec(stdout)?.[0],
    };
  }

  async function findings(): Promise<readonly Finding[]> {
    const { stdout } = await sandbox(["operator", "check", "--json", "--sandbox"]);
    const { checks } = JSON.parse(stdout) as { checks: readonly Finding[] };
    return checks.filter(({ name }) => name === "branding");
  }

  beforeAll(async () => {
    await must(["reset"]);
    await up(branding(school));
    out = await outputs();
  });
  afterAll(() => files.remove());

  test("a client is told of the logos, the slides, the title, the style and the footer", async () => {
    const at = (name: string) =>
      expect.stringMatching(
        new RegExp(`^https://${NAMES.bbb}/branding/${name.replace(".", "-[0-9a-f]{12}\\.")}$`),
      ) as string;
    const client = await enter();
    expect(client).toMatchObject({
      ...{ logo: at("logo.svg"), darkLogo: at("darkLogo.svg"), presentation: at("presentation.pdf") },
      clientSettings: {
        public: {
          app: {
            ...{ clientTitle: TITLE, copyright: FOOTER, customStyleUrl: at("style.css") },
            branding: { displayBrandingArea: true },
          },
        },
      },
    });
    const { customStyleUrl } = client.clientSettings.public.app;
    expect(await ask(client.logo!)).toEqual({
      ...{ status: "200", type: "image/svg+xml", sniff: "nosniff" },
      ...{ policy: expect.stringContaining("sandbox") as string, sha256: sha256(schoolLogo("#0b5e3c")) },
    });
    expect(await ask(client.presentation!)).toMatchObject({ status: "200", type: "application/pdf" });
    expect(await ask(String(customStyleUrl))).toMatchObject({
      status: "200",
      type: "text/css; charset=utf-8",
    });
    expect(await ask(`${out.url}/favicon.ico`)).toMatchObject({
      ...{ status: "200", type: "image/svg+xml", sha256: sha256(schoolLogo("#0b5e3c")) },
    });
    expect(await page(out.url)).toMatchObject({ status: "200 0" });
    await end();
    expect(await findings()).toMatchObject([{ verdict: "ok", answer: "5 files as deployed" }]);
  });

  test("a second up changes nothing", async () => {
    expect(Object.keys((await up()).summary)).toEqual(["unchanged"]);
  });

  test("another logo is refused while a meeting runs, which still has the old one; then it is there", async () => {
    const { logo } = await enter();
    const before = await serviceStarts(NAMES);
    files.put("logo.svg", schoolLogo("#99004d"));
    const refused = await tryUpdate("up", "embedded", given(settings));
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toMatch(/1 meeting\(s\) run .*\(branding\.logo\) would end/);
    expect(await serviceStarts(NAMES)).toEqual(before);
    expect(await ask(logo!)).toMatchObject({ status: "200", sha256: sha256(schoolLogo("#0b5e3c")) });
    await end();
    await up();
    const next = (await enter()).logo!;
    await end();
    expect(next).not.toBe(logo);
    expect(await ask(next)).toMatchObject({ status: "200", sha256: sha256(schoolLogo("#99004d")) });
    expect(await ask(logo!)).toMatchObject({ status: "404" });
  });

  test("a first page of the operator's own comes without a restart, and goes again", async () => {
    const before = await serviceStarts(NAMES);
    const own = "<!doctype html><title>Schule</title>Grüß Gott\n";
    await up(branding({ ...school, landingPage: files.put("page.html", own) }));
    expect(await ask(`${out.url}/`)).toMatchObject({ status: "200", sha256: sha256(own) });
    files.put("site/index.html", own);
    files.put("site/pictures/logo.svg", schoolLogo("#000"));
    await up(branding({ ...school, landingPage: `${files.folder}/site` }));
    expect(await page(`${out.url}/`)).toMatchObject({ status: "302 0", redirect: `${out.url}/welcome/` });
    expect(await ask(`${out.url}/welcome/`)).toMatchObject({ status: "200", sha256: sha256(own) });
    expect(await ask(`${out.url}/welcome/pictures/logo.svg`)).toMatchObject({
      type: "image/svg+xml",
    });
    await up(branding({ ...school, landingPage: "https://school.example.org/" }));
    expect(await page(`${out.url}/`)).toMatchObject({ redirect: "https://school.example.org/" });
    await up(branding(school));
    expect(await page(`${out.url}/`)).toMatchObject({ status: "200 0", redirect: "" });
    expect(await serviceStarts(NAMES)).toEqual(before);
    expect(await onHost(NAMES.bbb, ["bash", "-c", `ls ${SITE}/branding | wc -l`])).toBe("5\n");
  });

  test("what somebody changes on the server is told by its option, and an upgrade puts it back", async () => {
    await onHost(NAMES.bbb, [
      "bash",
      "-c",
      `rm ${SITE}/branding/style-*; echo x >>${SITE}/branding/favicon-*`,
    ]);
    const [finding] = await findings();
    expect(finding).toMatchObject({ verdict: "warn" });
    expect(finding!.answer).toMatch(/style-\S+: HTTP status 404 \(branding\.style\)/);
    expect(finding!.answer).toMatch(/favicon-\S+: another content than deployed \(branding\.favicon\)/);
    await up({ upgrade: "mended" });
    expect(await findings()).toMatchObject([{ verdict: "ok" }]);
  });

  test("nginx's own files of the operator that say the same are told, and nginx goes on", async () => {
    const theirs = "/etc/bigbluebutton/nginx/mine.nginx";
    await onHost(NAMES.bbb, ["bash", "-c", `echo 'location = /favicon.ico { return 204; }' >${theirs}`]);
    files.put("favicon.svg", schoolLogo("#123"));
    const refused = await tryUpdate("up", "embedded", given(settings));
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain("nginx takes no such configuration");
    await onHost(NAMES.bbb, ["rm", theirs]);
    await onHost(NAMES.bbb, ["nginx", "-t"]);
    await up();
  });

  test("what is taken back is BigBlueButton's own again, and its files are gone", async () => {
    await up({ branding: "{}" });
    const { clientSettings, ...client } = await enter();
    await end();
    expect(client).toMatchObject({ logo: null, darkLogo: null, presentation: `${out.url}/default.pdf` });
    expect(clientSettings.public.app).toMatchObject({
      ...{ clientTitle: "BigBlueButton stand-in", customStyleUrl: null },
      branding: { displayBrandingArea: false },
    });
    await onHost(NAMES.bbb, ["bash", "-c", `test ! -e ${SITE} && test ! -e ${SNIPPET}`]);
    expect(await findings()).toEqual([]);
    expect(await page(out.url)).toMatchObject({ status: "200 0" });
  });
});
