import { FakeHost, SCRIPTS, done } from "./scripts";

let host: FakeHost;
beforeEach(() => void (host = new FakeHost()));
afterEach(() => host.remove());

const AT = "2026-11-28 02:21:44";
const START = `${AT},100:DEBUG:certbot._internal.main:certbot version: 2.1.0\n`;
const FAILED = `${AT},900:ERROR:certbot._internal.log:An unexpected error occurred:\n`;

function answer(status: number, type: string, detail: string, header = ""): string {
  const body = JSON.stringify({ type: `urn:ietf:params:acme:error:${type}`, detail, status }, null, 2);
  return `${AT},500:DEBUG:acme.client:Received response:\nHTTP ${status}\nServer: x\n${header}\n${body}\n`;
}

async function why(log: string, flags: readonly string[] = []) {
  host.put("var/log/letsencrypt/letsencrypt.log", log);
  const { code, output } = await done(
    host.start(["/usr/bin/python3", "-B", `${SCRIPTS}/acme_failure.py`, ...flags], { TZ: "UTC" }),
  );
  return { code, output };
}

test.each([
  [
    "too many certificates (5) already issued for this exact set of identifiers",
    "5 certificates for the same names in 7 days",
  ],
  [
    'too many certificates (50) already issued for "example.org"',
    "50 certificates for one registered domain",
  ],
  ['too many failed authorizations (5) for "bbb.example.org"', "5 failed validations of a name in an hour"],
  ["too many new orders (300) from this account", "300 orders of one account in 3 hours"],
  ["Service busy; retry later.", "too many requests at once"],
])("a limit is never asked again: %s", async (detail, limit) => {
  const told = await why(
    START + answer(429, "rateLimited", `${detail}, retry after 2026-12-01 10:11:12 UTC`) + FAILED,
  );
  expect(told).toEqual({ code: 11, output: expect.stringContaining(limit) as string });
  expect(told.output).toContain("wait until 2026-12-01 10:11 UTC");
  expect(told.output).toMatch(/acmeServer: staging.*certificateFile/);
});

test("a limit's end is the header's where the words have none", async () => {
  const { output } = await why(START + answer(429, "rateLimited", "busy", "Retry-After: 3600\n") + FAILED);
  expect(output).toContain("until 2026-11-28 03:21 UTC");
});

test.each([
  ["connection", 10, "80/tcp must be open"],
  ["dns", 10, "name servers"],
  ["serverInternal", 10, "bad moment"],
  ["badNonce", 10, "bad moment"],
  ["unauthorized", 11, "not this host"],
  ["caa", 11, "CAA record"],
  ["rejectedIdentifier", 11, "does not issue for this name"],
  ["malformed", 11, "takes no such request"],
])("%s: %d", async (type, code, text) => {
  expect(await why(START + answer(400, type, "detail") + FAILED)).toEqual({
    code,
    output: expect.stringContaining(text) as string,
  });
});

test("an authority that is not reached may be in a moment", async () => {
  const told = await why(
    `${START}${FAILED}requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x')\n`,
  );
  expect(told).toEqual({ code: 10, output: expect.stringContaining("can't be reached") as string });
});

test("only the last run counts, only its last problem, and none that was got over", async () => {
  const limited = START + answer(429, "rateLimited", "busy") + FAILED;
  expect(await why(limited + START)).toEqual({ code: 0, output: "" });
  const two = START + answer(400, "badNonce", "x") + answer(403, "caa", "y") + FAILED;
  expect((await why(limited + two)).output).toContain("says caa");
  expect(await why(limited, ["--since", "4000000000"])).toEqual({ code: 0, output: "" });
});

test.each([
  [
    "caa",
    "While processing CAA for bbb.example.org: DNS problem: SERVFAIL looking up CAA for example.org - the domain's nameservers may be malfunctioning",
    "forbids nothing",
  ],
  ["caa", "DNS problem: query timed out looking up CAA for example.org", "must answer such questions"],
  ["dns", "DNS problem: looking up A for bbb.example.org: DNSSEC: DNSKEY Missing", "remove it"],
])("name servers that fail are no prohibition: %s, %s", async (type, detail, text) => {
  const { code, output } = await why(START + answer(400, type, detail) + FAILED);
  expect({ code, output }).toEqual({ code: 10, output: expect.stringContaining(text) as string });
  expect(output).not.toContain("a CAA record of the zone forbids");
});

test("an address that is no ACME directory stays none", async () => {
  const gone = `${AT},500:DEBUG:acme.client:Received response:\nHTTP 404\nServer: x\n\nnothing here\n`;
  expect(await why(START + gone + FAILED)).toEqual({
    code: 11,
    output: expect.stringContaining("correct acmeServer") as string,
  });
});
