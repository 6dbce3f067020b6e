import { python } from "./checks";
import { FakeHost, run } from "./scripts";

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

/** Records of checks in Python. */
async function records(code: string): Promise<unknown[]> {
  const lines = await python(host, `from checks import *\npage = Page(True)\n${code}`);
  return lines
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

test("a check that hangs, and one at a loss, are doubtful by themselves and let the others be made", async () => {
  const found = await records(`def hangs():
    try:
        time.sleep(600)
    except Exception:
        return "swallowed"
page.check("a", "", hangs, limit=0.1)
page.check("API", "", hangs, limit=0.1, late=Wrong)
page.check("b", "", lambda: {}["SECRET-key"])
page.check("file", "", lambda: open("/nowhere/at/all"))
page.check("c", "", lambda: "there")
`);
  expect(found).toMatchObject([
    {
      ...{ name: "a", verdict: "warn", answer: "no end within 0.1 s" },
      remedy: expect.stringContaining("systemctl list-jobs") as string,
    },
    { name: "API", verdict: "FAIL" },
    {
      ...{ name: "b", verdict: "warn" },
      answer: expect.stringMatching(
        /^could not be checked: the check itself went wrong \(KeyError, <string> line \d+\)$/,
      ) as string,
      remedy: expect.stringMatching(/^run pulumi up once, .* look after b by hand$/) as string,
    },
    {
      name: "file",
      verdict: "warn",
      answer: "could not be checked: /nowhere/at/all: No such file or directory",
    },
    { name: "c", verdict: "ok", answer: "there" },
  ]);
  expect(JSON.stringify(found)).not.toContain("SECRET");
});

describe("a command that a check runs", () => {
  test("and that hangs, its children with it, is ended and told in words", async () => {
    // The child keeps the pipe open; to wait for its end would take as long as it does.
    host.fake("timedatectl", "sleep 47 & sleep 47");
    const began = Date.now();
    expect(
      await records('page.check("clock", "", lambda: run("timedatectl", "show", limit=0.5))'),
    ).toMatchObject([
      {
        ...{ verdict: "warn", answer: "timedatectl did not answer within 0.5 s" },
        remedy: expect.stringMatching(/^run it by hand on that host: timedatectl show;/) as string,
      },
    ]);
    expect(Date.now() - began).toBeLessThan(30_000);
    const { output } = await run(["pgrep", "-cx", "-f", "sleep 47"]);
    expect(output).toBe("0\n");
  });

  test("and that can't be started is told, too; one that there isn't is for the check to judge", async () => {
    host.put("broken", "\u0000");
    expect(
      await records(`import os
os.chmod(${JSON.stringify(`${host.root}/broken`)}, 0o755)
page.check("a", "", run, ${JSON.stringify(`${host.root}/broken`)})
page.check("b", "", lambda: repr(output("there-is-no-such-command")))
page.check("c", "", lambda: "%d %s" % run("sh", "-c", "echo out; echo err >&2; exit 3", merged=True))`),
    ).toMatchObject([
      { verdict: "warn", answer: expect.stringMatching(/broken can't be started: /) as string },
      { verdict: "ok", answer: "''" },
      { verdict: "ok", answer: "3 out err" },
    ]);
  });
});

describe("a resolver", () => {
  /** Checks with this function as the look-up of names. */
  const resolving = (look_up: string, checks: string) =>
    records(`import socket
asked = []
def look_up(host, *rest, **named):
    asked.append(host)
    if host[0].isdigit():
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 443))]
    ${look_up}
socket.getaddrinfo = look_up
resolve = resolver_bound({"bbb.example.org": ["203.0.113.1"]}, limit=0.3)
def address(name): return str(socket.getaddrinfo(name, 443)[0][4][0])
${checks}`);

  test.each([
    ["hangs", "time.sleep(20)", "the host's resolver did not answer within 0.3 s for other.example.org"],
    [
      "is dead",
      'raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")',
      "the host's resolver could not answer for other.example.org: Temporary failure",
    ],
  ])("that %s is doubtful, and the deployment's names are asked all the same", async (_, look_up, answer) => {
    const found = await resolving(
      look_up,
      `page.check("resolver", "", resolve, "other.example.org", 443)
page.check("known", "", address, "bbb.example.org")
page.check("again", "", address, "bbb.example.org")
page.check("other", "", address, "other.example.org")
page.check("looked up", "", lambda: str(asked.count("bbb.example.org")))`,
    );
    expect(found).toMatchObject([
      { verdict: "warn", answer, remedy: expect.stringContaining("resolvectl status") as string },
      { verdict: "ok", answer: "203.0.113.1" },
      { verdict: "ok", answer: "203.0.113.1" },
      { verdict: "warn", answer },
      { verdict: "ok", answer: "1" },
    ]);
  });

  test("that says that there is no such name has answered", async () => {
    const look_up = 'raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")';
    expect(await resolving(look_up, 'page.check("a", "", address, "bbb.example.org")')).toMatchObject([
      { verdict: "warn", answer: expect.stringContaining("Name or service not known") as string },
    ]);
  });
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
