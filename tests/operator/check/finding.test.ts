import { runInNewContext } from "node:vm";

import { ask, Doubtful, NotAsked, oneLine, worst, Wrong } from "../../../operator/check/finding";

const HERE = expect.stringMatching(/^see that this machine resolves names/) as string;

const fail = (error: unknown) => () => {
  throw error;
};

test.each([
  ["an answer", () => "fine", { verdict: "ok", answer: "fine" }],
  ["a later answer", () => Promise.resolve("two\nlines"), { verdict: "ok", answer: "two lines" }],
  ["a failure", fail(new Wrong("bad", "mend it")), { verdict: "FAIL", answer: "bad", remedy: "mend it" }],
  ["a doubt", fail(new Doubtful("soon", "see")), { verdict: "warn", answer: "soon", remedy: "see" }],
  ["nothing asked", fail(new NotAsked("no token")), { verdict: "skip", answer: "no token" }],
  [
    "an error",
    fail(new Error("boom")),
    { verdict: "FAIL", answer: "could not be asked: boom", remedy: HERE },
  ],
  [
    "an error of several attempts",
    fail(new AggregateError([new Error("refused"), new Error("refused"), new Error("no route")])),
    { verdict: "FAIL", answer: "could not be asked: refused, no route", remedy: HERE },
  ],
  [
    "an error of several attempts, made by Node itself",
    fail(runInNewContext(`new AggregateError([new Error("refused"), new Error("no route")])`)),
    { verdict: "FAIL", answer: "could not be asked: refused, no route", remedy: HERE },
  ],
  [
    "an error without words",
    fail(new TypeError()),
    { verdict: "FAIL", answer: "could not be asked: TypeError", remedy: HERE },
  ],
])("%s becomes a finding", async (_, check, expected) => {
  const finding = await ask("name", "asked", check);
  expect(finding).toEqual({
    name: "name",
    asked: "asked",
    seconds: expect.any(Number) as number,
    ...expected,
  });
});

test("a check without an end has one", async () => {
  const finding = await ask("name", "asked", () => new Promise<string>(() => undefined), 0.01);
  expect(finding).toMatchObject({ verdict: "FAIL", answer: "no answer within 0.01 s" });
});

test("of several answers the worst decides and comes first", () => {
  const caught = (answers: Parameters<typeof worst>[0]) => {
    try {
      return worst(answers);
    } catch (error) {
      const { verdict, message, remedy } = error as Wrong;
      return { verdict, message, remedy };
    }
  };
  expect(caught(["one", "two"])).toBe("one; two");
  expect(caught(["one", new Doubtful("two", "x"), new Doubtful("three", "x")])).toEqual({
    verdict: "warn",
    message: "two; three; one",
    remedy: "x",
  });
  expect(caught([new Doubtful("one", "x"), "two", new Wrong("three")])).toEqual({
    verdict: "FAIL",
    message: "three; one; two",
    remedy: "x",
  });
});

test("what others say can't steer a terminal", () => {
  expect(oneLine("a\u001b[31mred\u0007\r\nb\u009b2J  c ")).toBe("a [31mred b 2J c");
});
