import { python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;

beforeAll(() => {
  host = new FakeHost();
});

afterAll(() => host.remove());

test("the page has a check a line, aligned, with what to do below what is wrong", async () => {
  const page = await python(
    host,
    `from checks import Page, Wrong
def fine(): return "SUCCESS,\\n version 2.0"
def bad(): raise Wrong("refused", "open the door")
import time; time.monotonic = lambda: 0
page = Page(False)
page.check("API", "GET bbb.example.org/bigbluebutton/api", fine)
page.check("signed call", "getMeetings", bad)
page.add("TURN", "turn.example.org", "skip", "too old", 12.34)
`,
  );
  expect(page).toBe(
    [
      "         took  check               asked                                   came back",
      "ok      0.0 s  API                 GET bbb.example.org/bigbluebutton/api   SUCCESS, version 2.0",
      "FAIL    0.0 s  signed call         getMeetings                             refused",
      "               to do: open the door",
      "skip   12.3 s  TURN                turn.example.org                        too old",
      "",
    ].join("\n"),
  );
});

test("a check that hangs, and one at a loss, fail by themselves and let the others be made", async () => {
  const lines = await python(
    host,
    `from checks import Page
import time
def hangs():
    try:
        time.sleep(600)
    except Exception:
        return "swallowed"
page = Page(True)
page.check("a", "", hangs, limit=0.1)
page.check("b", "", lambda: {}["SECRET-key"])
page.check("c", "", lambda: "there")
`,
  );
  expect(
    lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toMatchObject([
    { name: "a", verdict: "FAIL", answer: "no end within 0.1 s" },
    {
      name: "b",
      verdict: "FAIL",
      answer: expect.stringMatching(/^could not be checked: KeyError in line \d+ of /) as string,
    },
    { name: "c", verdict: "ok", answer: "there" },
  ]);
  expect(lines).not.toContain("SECRET");
});

test("no record shows a secret, whoever told it", async () => {
  const lines = await python(
    host,
    `from checks import Page, Wrong
def bad(): raise Wrong("it has s3cr3t", "replace s3cr3t")
Page(True, ["s3cr3t", None]).check("a", "", bad)
`,
  );
  expect(JSON.parse(lines)).toMatchObject({ answer: "it has (secret)", remedy: "replace (secret)" });
});

test("of several findings the worst decides and comes first", async () => {
  const lines = await python(
    host,
    `from checks import Page, Wrong, Doubtful, worst
page = Page(True)
page.check("a", "", worst, ["one", "two"])
page.check("b", "", worst, ["one", Doubtful("two", "x"), Doubtful("three", "x")])
page.check("c", "", worst, [Doubtful("one", "x"), "two", Wrong("three", "y")])
`,
  );
  expect(
    lines
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  ).toMatchObject([
    { verdict: "ok", answer: "one; two" },
    { verdict: "warn", answer: "two; three; one", remedy: "x" },
    { verdict: "FAIL", answer: "three; one; two", remedy: "y; x" },
  ]);
});
