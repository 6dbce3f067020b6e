import { signedApiUrl } from "../../../bigbluebutton/api";
import { FOOTER, joinUrl, SchoolFiles, TITLE, WELCOME } from "../support/branding";
import { openBrowser, type Browser } from "../support/browser";
import { must, outputs, outside, update, type Outputs } from "../support/sandbox";

/**
 * The client's page in a browser, with a school's branding. With BBB_BRANDING_SCREENSHOT=docs/branding.png it takes the
 * docs' picture anew.
 */

const files = new SchoolFiles();
let out: Outputs;
let browser: Browser | undefined;

beforeAll(async () => {
  await must(["reset"]);
  const branding = JSON.stringify(files.putAll());
  const meetings = JSON.stringify({ welcome: WELCOME, muteOnStart: true });
  await update("up", "embedded", ["--set", `branding=${branding}`, "--set", `meetings=${meetings}`]);
  out = await outputs();
  browser = await openBrowser();
});
afterAll(async () => {
  files.remove();
  await browser?.close();
});

test("whoever joins sees logo, title, icon, colours, welcome text and footer of the school", async () => {
  const room = { meetingID: "room", name: "Mathe 7b" };
  await outside(["curl", "-sS", signedApiUrl(out.apiUrl, "create", room, out.sharedSecret)]);
  const { page } = browser!;
  await page.goto(joinUrl(out));
  await page.waitForFunction("document.querySelector('#logo img')?.naturalWidth > 0");
  await page.waitForFunction("getComputedStyle(document.querySelector('h1')).color === 'rgb(11, 94, 60)'");
  expect(await page.title()).toBe(`${TITLE} - Mathe 7b`);
  expect(await page.textContent("#copyright")).toBe(FOOTER);
  expect(await page.textContent("#who")).toBe("Frau König in Mathe 7b");
  expect(await page.innerHTML("#welcome")).toBe(WELCOME.replace("%%CONFNAME%%", "Mathe 7b"));
  expect(await page.textContent("#presentation")).toMatch(/\/branding\/presentation-[0-9a-f]{12}\.pdf$/);
  const icon = await page.evaluate<string>(
    "fetch('/favicon.ico').then((answer) => answer.headers.get('content-type'))",
  );
  expect(icon).toContain("image/svg+xml");
  const picture = process.env.BBB_BRANDING_SCREENSHOT;
  if (picture) await page.screenshot({ path: picture });

  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction("document.querySelector('#logo img').currentSrc.includes('/darkLogo-')");
});
