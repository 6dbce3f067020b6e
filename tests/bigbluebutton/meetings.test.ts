import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { ANY_CERTIFICATE, countMeetings, runningMeetings } from "../../bigbluebutton/meetings";

const meeting = (id: string, ended = "false") =>
  `<meeting><meetingID>${id}</meetingID><hasBeenForciblyEnded>${ended}</hasBeenForciblyEnded></meeting>`;
const answer = (inner: string) => `<response><returncode>SUCCESS</returncode>${inner}</response>`;

test.each([
  [answer("<meetings/><messageKey>noMeetings</messageKey>"), 0],
  [answer("<meetings></meetings>"), 0],
  [answer(`<meetings>${meeting("a")}</meetings>`), 1],
  [answer(`<meetings>${meeting("a")}${meeting("b")}${meeting("c")}</meetings>`), 3],
  [answer(`<meetings>${meeting("a")}${meeting("b", "true")}</meetings>`), 1],
])("%s has %d", (xml, count) => expect(countMeetings(xml)).toBe(count));

test.each([
  [
    "<response><returncode>FAILED</returncode><messageKey>checksumError</messageKey></response>",
    "FAILED, checksumError",
  ],
  ["<html><body>502 Bad Gateway</body></html>", "no XML of its own"],
  ["not found", "no XML of its own"],
])("%s is no answer", (xml, told) => {
  expect(() => countMeetings(xml)).toThrow(`the API answered ${told}`);
});

test("a server that is not there is told in one line", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  await expect(
    runningMeetings(`https://127.0.0.1:${port}/bigbluebutton/api`, "s", ANY_CERTIFICATE),
  ).rejects.toThrow(/ECONNREFUSED/);
});
