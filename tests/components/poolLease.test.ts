import { createHmac } from "node:crypto";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import { leavePool } from "../../components/poolLease";
import { Authority } from "../settings/formats/authority";

const authority = new Authority();
authority.leaf("balancer", ["localhost"]);
afterAll(() => authority.remove());

let server: Server;
/** Answers, one for each question; the last one is repeated. */
let answers: (object | number)[];
let questions: { readonly token: string | undefined; readonly body: Record<string, unknown> }[];
let told: string[];
let warned: string[];

beforeEach(async () => {
  [answers, questions, told, warned] = [[], [], [], []];
  const chain = authority.read("balancer.pem") + authority.intermediate;
  server = createServer({ cert: chain, key: authority.read("balancer.key") }, (asked, answer) => {
    void text(asked).then((body) => {
      const { authorization } = asked.headers;
      questions.push({ token: authorization, body: JSON.parse(body) as Record<string, unknown> });
      const next = answers.length > 1 ? answers.shift()! : answers[0]!;
      if (typeof next === "number") answer.statusCode = next;
      answer.end(typeof next === "number" ? "" : JSON.stringify(next));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
});
afterEach(() => server.close());

const leave = ({ anyway = false, silentMs = 0 } = {}) =>
  leavePool(
    {
      ...{ fqdn: "bbb-2.example.org", secret: "s" },
      balancer: `localhost:${(server.address() as AddressInfo).port}`,
      trust: { ca: [authority.root] },
    },
    { what: "changing serverType", anyway, orAllow: "; or allow it: X" },
    {
      ...{ pauseMs: 1, silentMs },
      tell: (words) => told.push(words),
      warn: (words) => warned.push(words),
    },
  );

test("asks with a token of the server's secret until it may go, and tells what it waits for once", async () => {
  const wait = { wait: "waiting for its turn: bbb-1 is out of the pool" };
  answers = [wait, wait, { go: true, despite: "" }];
  await leave();
  const token = createHmac("sha256", "s").update("bbb-deploy lease").digest("hex");
  expect(questions.map((asked) => asked.token)).toEqual(Array(3).fill(`Bearer ${token}`));
  expect(questions[0]!.body).toMatchObject({
    node: "bbb-2.example.org",
    what: "changing serverType",
    anyway: false,
  });
  expect(new Set(questions.map(({ body }) => body.run)).size).toBe(1);
  expect(told).toEqual([`bbb-2.example.org: ${wait.wait}`]);
});

test("a refusal has its reason, and what to do", async () => {
  answers = [{ refused: "there is 1 meeting (2 people), after 30 minutes" }];
  await expect(leave()).rejects.toThrow(
    "changing serverType, and on bbb-2.example.org there is 1 meeting (2 people), after 30 minutes; nothing was changed. Run pulumi up again when they have ended; or allow it: X",
  );
});

test("a server that does not come back is told by name", async () => {
  answers = [{ stuck: "bbb-1.example.org is out of the pool for 130 min" }];
  await expect(leave()).rejects.toThrow(
    "changing serverType, and too few others would serve: bbb-1.example.org is out of the pool for 130 min; nothing was changed",
  );
});

test("what it goes despite is said", async () => {
  answers = [{ go: true, despite: "there is 1 meeting (2 people)" }];
  await leave({ anyway: true });
  expect(questions[0]!.body.anyway).toBe(true);
  expect(warned).toEqual([
    "changing serverType although, on bbb-2.example.org, there is 1 meeting (2 people)",
  ]);
});

test("a balancer that does not answer is asked again for a while; then nothing is changed, unless that is allowed", async () => {
  answers = [502, { go: true }];
  await leave({ silentMs: 10_000 });
  expect(told).toEqual([expect.stringContaining("HTTP status 502")]);
  answers = [403];
  await expect(leave()).rejects.toThrow(
    /it knows another secret of the server\); nothing was changed\. Bring the balancer back/,
  );
  await leave({ anyway: true });
  expect(warned).toEqual([expect.stringContaining("going on, as duringMeetings allows")]);
});
