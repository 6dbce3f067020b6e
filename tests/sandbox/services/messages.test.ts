import { renderMessages } from "../../../sandbox/services/messages";

test("messages are shown in their order, each with where it went and what it said", () => {
  expect(
    renderMessages([
      {
        ...{ kind: "email", at: "2026-11-29T15:04:00.000Z" },
        email: { from: "bbb@school.eu", to: ["a@school.eu", "b@school.eu"], text: "Subject: x\n\ntext\n" },
      },
      {
        ...{ kind: "webhook", at: "2026-11-29T15:05:00.000Z" },
        webhook: { method: "POST", url: "/hook?a=b", headers: {}, body: '{"text": "y"}' },
      },
    ]),
  ).toBe(`=== 2026-11-29T15:04:00.000Z  e-mail to a@school.eu, b@school.eu
Subject: x

text

=== 2026-11-29T15:05:00.000Z  POST /hook?a=b
{"text": "y"}
`);
  expect(renderMessages([])).toBe("");
});
