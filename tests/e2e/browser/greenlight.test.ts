import { openBrowser, type Browser } from "../support/browser";
import { takePicture } from "../support/pictures";
import { must, outputs, update, type Outputs } from "../support/sandbox";

/** Greenlight in a browser: its administrator, with what the outputs say, from the sign-in to a meeting. */

const ADMIN = { name: "Ada Lovelace, née Byron", email: "ada@example.test" };
const ROOM = "Mathe 7b für Große 🧮";

type GreenlightOutputs = Outputs & {
  readonly greenlightUrl: string;
  readonly greenlightAdminEmail: string;
  readonly greenlightAdminPassword: string;
};

let out: GreenlightOutputs;
let browser: Browser | undefined;

beforeAll(async () => {
  await must(["reset"]);
  const greenlight = JSON.stringify({ admin: ADMIN, registration: "invite" });
  const meetings = JSON.stringify({ welcome: "Grüß Gott in %%CONFNAME%%" });
  await update("up", "embedded", ["--set", `greenlight=${greenlight}`, "--set", `meetings=${meetings}`]);
  out = (await outputs()) as GreenlightOutputs;
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** Fills in the form on the first page, and sends it. */
async function signIn(password: string): Promise<void> {
  const { page } = browser!;
  await page.goto(out.greenlightUrl);
  await page.fill("#email", out.greenlightAdminEmail);
  await page.fill("#password", password);
  await page.click("#signin button");
}

const heading = () => browser!.page.textContent("h1");

test("a wrong password is refused, and nobody is signed in", async () => {
  const { page } = browser!;
  await signIn(`${out.greenlightAdminPassword}x`);
  await page.waitForFunction("document.getElementById('problem').textContent !== ''");
  expect(await page.textContent("#problem")).toBe("Not signed in: HTTP status 400");
  expect(page.url()).toBe(`${out.greenlightUrl}/`);
  await page.goto(`${out.greenlightUrl}/rooms`);
  expect(await heading()).toBe("Sign in");
});

test("with the address and the password of the outputs, the administrator is on the page of rooms", async () => {
  const { page } = browser!;
  await signIn(out.greenlightAdminPassword);
  await page.waitForURL(`${out.greenlightUrl}/rooms`);
  expect(await heading()).toBe("Rooms");
  expect(await page.textContent("#account")).toBe(`${ADMIN.name} (Administrator)`);
  // What the update tried is gone.
  expect(await page.textContent("#rooms")).toBe("");
  const [cookie] = await page.context().cookies(out.greenlightUrl);
  expect(cookie).toMatchObject({ secure: true, httpOnly: true });
});

test("a room is made there, and its meeting is BigBlueButton's, with the welcome text of the settings", async () => {
  const { page } = browser!;
  await page.fill("#name", ROOM);
  await page.click("#newroom button");
  await page.waitForSelector("#rooms li");
  expect(await page.textContent("#rooms li")).toBe(`${ROOM} Start meeting`);
  await takePicture(page, "greenlight");
  await page.click("#rooms button");
  await page.waitForURL(`${out.greenlightUrl}/html5client/**`);
  await page.waitForFunction("document.getElementById('welcome').textContent !== ''");
  expect(await page.textContent("#who")).toBe(`${ADMIN.name} in ${ROOM}`);
  expect(await page.textContent("#welcome")).toBe(`Grüß Gott in ${ROOM}`);
});

test("a sign-out ends the session", async () => {
  const { page } = browser!;
  await page.goto(`${out.greenlightUrl}/rooms`);
  await page.click("#signout");
  await page.waitForSelector("#signin");
  await page.goto(`${out.greenlightUrl}/rooms`);
  expect(await heading()).toBe("Sign in");
});
