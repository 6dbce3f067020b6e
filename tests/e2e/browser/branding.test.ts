import { signedApiUrl } from "../../../bigbluebutton/api";
import { ARABIC, FIRST_PAGE, FOOTER, joinUrl, SchoolFiles, TITLE, WELCOME } from "../support/branding";
import { openBrowser, type Browser } from "../support/browser";
import { areaOf, takePicture, type Colour } from "../support/pictures";
import { must, outputs, outside, update, type Outputs } from "../support/sandbox";

/**
 * The client's page and the first page in a browser, with a school's branding. The docs' picture is branding.png of
 * `BBB_TEST_RESULTS=FOLDER ./scripts/test browser branding`.
 */

const files = new SchoolFiles();
let out: Outputs;
let browser: Browser | undefined;

beforeAll(async () => {
  await must(["reset"]);
  const landingPage = files.put("first.html", FIRST_PAGE);
  const branding = JSON.stringify({ ...files.putAll(), landingPage });
  const meetings = JSON.stringify({ welcome: WELCOME, muteOnStart: true });
  await update("up", "embedded", ["--set", `branding=${branding}`, "--set", `meetings=${meetings}`]);
  out = await outputs();
  browser = await openBrowser();
});
afterAll(async () => {
  files.remove();
  await browser?.close();
});

const is = (colour: string) => (found: Colour) => `#${Buffer.from(found).toString("hex")}` === colour;
/** Colour that neither black on white nor white on the school's green is mixed of. */
const reddish = ([red, green]: Colour) => red > green + 40;
const GREEN = "#0b5e3c";

/** Place in the logo, of which schoolLogo() says what is there. */
async function logoAt(x: number, y: number): Promise<readonly [number, number]> {
  const logo = (await browser!.page.locator("#logo img").boundingBox())!;
  return [logo.x + (x * logo.width) / 200, logo.y + (y * logo.height) / 60];
}

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
});

test("a picture of that page has the logo, the colours, the emoji and the Arabic where they belong", async () => {
  const { page } = browser!;
  const picture = await takePicture(page, "branding");
  // The logo's house, its door, and the page beside it.
  expect(picture.at(...(await logoAt(15, 45)))).toBe(GREEN);
  expect(picture.at(...(await logoAt(30, 45)))).toBe("#ffffff");
  expect(picture.at(...(await logoAt(2, 45)))).toBe("#f3f6f9");
  const footer = (await page.locator("footer").boundingBox())!;
  expect(picture.share(footer, is(GREEN))).toBeGreaterThan(0.8);
  expect(picture.share((await page.locator("h1").boundingBox())!, is(GREEN))).toBeGreaterThan(0.05);
  expect(picture.share(await areaOf(page, "#copyright", "🎓"), reddish)).toBeGreaterThan(0.01);
  for (const place of ["#welcome", "#copyright"]) {
    const [first, second] = ARABIC.split(" ");
    expect((await areaOf(page, place, first!)).x).toBeGreaterThan((await areaOf(page, place, second!)).x);
  }
});

test("in the dark, the other logo is there, and the style of that theme", async () => {
  const { page } = browser!;
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction("document.querySelector('#logo img').currentSrc.includes('/darkLogo-')");
  await page.waitForFunction("document.querySelector('#logo img').complete");
  const picture = await takePicture(page, "branding-dark");
  expect(picture.at(...(await logoAt(15, 45)))).toBe("#7fd6ac");
  expect(picture.at(...(await logoAt(2, 45)))).toBe("#06172a");
  expect(picture.share((await page.locator("h1").boundingBox())!, is("#7fd6ac"))).toBeGreaterThan(0.05);
  await page.emulateMedia({ colorScheme: "light" });
});

test("the server's first page is the school's own", async () => {
  const { page } = browser!;
  await page.goto(out.url);
  expect(await page.title()).toBe(TITLE);
  expect(await page.textContent("#greeting")).toBe("Grüß Gott! Zum Unterricht geht es über Moodle.");
  expect(await page.textContent("#arabic")).toBe(ARABIC);
  const picture = await takePicture(page, "first-page");
  expect(picture.at(5, 5)).toBe(GREEN);
  const arabic = await areaOf(page, "#arabic", ARABIC);
  expect(arabic.x + arabic.width).toBeGreaterThan(800);
});
