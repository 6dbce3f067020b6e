import { certificateSeen } from "../../bigbluebutton/verification";

const PAGE = (answer: string) =>
  `[bbb 7/7]   ok      0.1 s  certificate         bbb.example.org:443                     ${answer}\n`;

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
