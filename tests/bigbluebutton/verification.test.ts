import { certificateSeen, verificationPage } from "../../bigbluebutton/verification";

const PAGE = (answer: string) =>
  `ok      0.1 s  certificate         bbb.example.org:443                     ${answer} [bbb 7/7]\n`;

test.each([
  ["TLSv1.3, valid until 2027-02-24T08:00:00Z, 89 days, by Let's Encrypt R11", "Let's Encrypt R11"],
  ["TLSv1.3, valid until 2027-02-24T08:00:00Z, 9 days, by X; not trusted by browsers (acmeServer)", "X"],
])("reads %s", (answer, issuedBy) => {
  const printed = PAGE("no answer").replace("bbb.", "turn.") + PAGE(answer);
  expect(certificateSeen(printed, "bbb.example.org")).toEqual({
    validUntil: "2027-02-24T08:00:00Z",
    issuedBy,
  });
  expect(certificateSeen(printed, "turn.example.org")).toBeUndefined();
});

test("its page is what the step printed, without the step's number and that it was started", () => {
  const printed = ["Verify it: started", "   took  check", "ok 0.1 s  api", "done in 3 s: Verify it"]
    .map((line) => `${line} [bbb 7/7]\n`)
    .join("");
  expect(verificationPage(printed)).toBe("   took  check\nok 0.1 s  api\ndone in 3 s: Verify it");
});
