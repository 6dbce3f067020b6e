import { python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;
beforeAll(() => {
  host = new FakeHost();
});
afterAll(() => host.remove());

const AT = Date.UTC(2026, 10, 29, 15, 4) / 1000;
const services = {
  ...{ kind: "wrong", name: "services", asked: "systemctl is-active", verdict: "FAIL" },
  ...{ answer: "freeswitch is failed", remedy: "journalctl -u freeswitch says why", since: AT - 300, at: AT },
};
const disk = {
  ...{ kind: "wrong", name: "disk", asked: "", verdict: "warn", answer: "9.3 of 80.0 GB <free> & falling" },
  ...{ since: AT - 300, at: AT },
};
const turn = {
  ...{ kind: "well", name: "TURN over TLS", asked: "tls turn.school.eu:443", verdict: "FAIL" },
  ...{ answer: "relay 203.0.113.8", since: AT - 1800, at: AT - 300 },
};
const certificate = { name: "certificate", since: AT - 86_400 };
const message = (events: readonly object[], wrong: readonly object[] = []) => ({
  ...{ host: "bbb.school.eu", role: "bbb", at: AT, events, wrong },
});

async function call<T>(what: string, given: object): Promise<T> {
  const output = await python(
    host,
    `import alert_messages as m
message = json.loads(${JSON.stringify(JSON.stringify(given))})
print(json.dumps(${what}, ensure_ascii=False))`,
  );
  return JSON.parse(output) as T;
}

interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const post = (form: string, given: object) =>
  call<Post>(
    `(lambda answer: {"headers": answer[0], "body": answer[1].decode()})(m.webhook(message, "${form}"))`,
    given,
  );

test("the text has everything of a round: what, since when, what to do, and what stays wrong", async () => {
  expect(await call("m.text(message)", message([services, disk, turn], [certificate])))
    .toBe(`BigBlueButton server bbb.school.eu, 2026-11-29 15:04 UTC

WRONG since 2026-11-29 14:59 UTC: services (systemctl is-active)
  freeswitch is failed
  to do: journalctl -u freeswitch says why

TO LOOK AT since 2026-11-29 14:59 UTC: disk
  9.3 of 80.0 GB <free> & falling

WELL AGAIN since 2026-11-29 14:59 UTC, after 25 min: TURN over TLS (tls turn.school.eu:443)
  relay 203.0.113.8

Still wrong: certificate (since 2026-11-28 15:04 UTC)
`);
  expect(await call("m.title(message)", message([services, disk, turn]))).toBe(
    "bbb.school.eu: wrong: services; to look at: disk; well again: TURN over TLS",
  );
});

test("the end says whether all is well", async () => {
  expect(await call("m.text(message)", message([services]))).toMatch(/\n\nNothing else is wrong\.\n$/);
  expect(await call("m.text(message)", message([turn]))).toMatch(/\n\nAll is well again\.\n$/);
});

test("a test message says what it is", async () => {
  expect(await call("m.title(message)", message([]))).toBe("bbb.school.eu: test of the alerts");
  expect(await call("m.text(message)", { ...message([]), role: "turn" })).toBe(
    "TURN server bbb.school.eu, 2026-11-29 15:04 UTC\n\n" +
      "Alerts of this server arrive here. It tells when something breaks, and when it is well again.\n",
  );
});

test("an e-mail has its headers, and a text of any script", async () => {
  const mail = await call<string>(
    `m.email(message, "bbb@school.eu", ["a@school.eu", "b@school.eu"]).as_bytes().decode()`,
    message([{ ...services, answer: "Größe: 日本" }]),
  );
  expect(mail).toMatch(/^From: bbb@school\.eu$/m);
  expect(mail).toMatch(/^To: a@school\.eu, b@school\.eu$/m);
  expect(mail).toMatch(/^Subject: bbb\.school\.eu: wrong: services$/m);
  expect(mail).toMatch(/^Date: Sun, 29 Nov 2026 15:04:00 \+0000$/m);
  expect(mail).toMatch(/^Message-ID: <.+@bbb\.school\.eu>$/m);
  expect(mail).toMatch(/^Auto-Submitted: auto-generated$/m);
  const many = Array.from({ length: 12 }, (_, number) => ({ ...services, name: `check number ${number}` }));
  const long = await call<string>(
    `m.email(message, "bbb@school.eu", ["a@school.eu"]).as_bytes().decode()`,
    message(many),
  );
  expect(long).toMatch(/^Subject: bbb\.school\.eu: wrong: check number 0, .*check number 11$/m);
  const [, encoded = ""] = mail.split("\n\n");
  expect(Buffer.from(encoded, "base64").toString() + mail).toContain("Größe: 日本");
});

test("slack's form escapes what it would take for its own marks", async () => {
  const { headers, body } = await post("slack", message([disk]));
  expect(headers).toEqual({ "Content-Type": "application/json; charset=utf-8" });
  const { text, ...rest } = JSON.parse(body) as { text: string };
  expect(rest).toEqual({});
  expect(text).toMatch(/^\*bbb\.school\.eu: to look at: disk\*\nBigBlueButton server/);
  expect(text).toContain("9.3 of 80.0 GB &lt;free&gt; &amp; falling");
});

test("matrix's form is a plain text, and the same as HTML", async () => {
  const { text, html } = JSON.parse((await post("matrix", message([disk]))).body) as Readonly<
    Record<string, string>
  >;
  expect(text).toContain("\n  9.3 of 80.0 GB <free> & falling\n");
  expect(html).toMatch(/^<strong>bbb\.school\.eu: to look at: disk<\/strong><br>BigBlueButton server/);
  expect(html).toContain("<br>  9.3 of 80.0 GB &lt;free&gt; &amp; falling<br>");
  expect(html).not.toContain("\n");
});

test("ntfy's form has title and urgency in its headers, and a body that stays a message", async () => {
  const bad = await post("ntfy", message([services]));
  expect(bad.headers).toEqual({
    ...{ "Content-Type": "text/plain; charset=utf-8", Title: "bbb.school.eu: wrong: services" },
    ...{ Priority: "high", Tags: "rotating_light" },
  });
  expect(bad.body).toContain("\n  freeswitch is failed\n");
  expect((await post("ntfy", message([turn]))).headers).toMatchObject({
    ...{ Priority: "default", Tags: "white_check_mark" },
  });
  const long = await post(
    "ntfy",
    message(Array.from({ length: 60 }, () => ({ ...services, answer: "ü".repeat(90) }))),
  );
  expect(Buffer.byteLength(long.body)).toBeLessThan(4096);
  expect(long.body).toMatch(/…\n$/);
  expect(long.body).not.toContain("\uFFFD");
});

test("the form for programs has every part by itself", async () => {
  const { body } = await post("json", message([turn], [certificate]));
  expect(JSON.parse(body)).toEqual({
    ...{ title: "bbb.school.eu: well again: TURN over TLS", test: false },
    text: expect.stringContaining("WELL AGAIN") as string,
    ...message([turn], [certificate]),
  });
});
