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

describe("its page in a terminal", () => {
  const printed = `${[
    "Verify it: started",
    "             took  check               asked                                   came back",
    "ok      0.2 s  services            systemctl is-active                     all 17 active",
    "FAIL   12.0 s  API                 GET bbb.example.org/bigbluebutton/api   HTTP status 502 instead of an answer, as of a service that does not run, asked four times",
    "               to do: look on that host for what bbb-web says: journalctl -u bbb-web | tail -n 50 shows it",
    "ok      0.0 s  memory                                                      15.0 of 16.7 GB available, no swap",
    "verified: all that this host can ask works",
  ].join(" [bbb 7/7]\n")}\n`;

  test.each([
    [
      76,
      [
        "      check               asked: came back",
        "ok    services            systemctl is-active: all 17 active",
        "FAIL  API                 GET bbb.example.org/bigbluebutton/api: HTTP status",
        "                          502 instead of an answer, as of a service that",
        "                          does not run, asked four times",
        "      to do: look on that host for what bbb-web says: journalctl -u bbb-web",
        "             | tail -n 50 shows it",
        "ok    memory              15.0 of 16.7 GB available, no swap",
        "verified: all that this host can ask works",
      ],
    ],
    [
      116,
      [
        "         took  check               asked                                   came back",
        "ok      0.2 s  services            systemctl is-active                     all 17 active",
        "FAIL   12.0 s  API                 GET bbb.example.org/bigbluebutton/api   HTTP status 502 instead of an answer, as",
        "                                                                           of a service that does not run, asked",
        "                                                                           four times",
        "               to do: look on that host for what bbb-web says: journalctl -u bbb-web | tail -n 50 shows it",
        "ok      0.0 s  memory                                                      15.0 of 16.7 GB available, no swap",
        "verified: all that this host can ask works",
      ],
    ],
  ])("of %d columns is wrapped", (width, lines) => {
    expect(verificationPage(printed, width).split("\n")).toEqual(lines);
  });
});
