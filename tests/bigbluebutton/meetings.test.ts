import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

import { signedApiUrl } from "../../bigbluebutton/api";
import { ANY_CERTIFICATE, countMeetings, endMeetings, runningMeetings } from "../../bigbluebutton/meetings";
import { serveSecurely } from "../support/secureServer";

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

test("all meetings that run are ended, each by its moderators' password", async () => {
  const asked: string[] = [];
  const running = ["0123", "b&amp;c", "<![CDATA[d&e]]>"].map(
    (id) =>
      `<meeting><meetingID>${id}</meetingID><moderatorPW>of ${id.length}</moderatorPW><hasBeenForciblyEnded>false</hasBeenForciblyEnded></meeting>`,
  );
  const server = await serveSecurely(({ url = "" }, response) => {
    asked.push(url);
    response.end(answer(`<meetings>${running.join("")}${meeting("over", "true")}</meetings>`));
  });
  const api = `https://${server.at}/bigbluebutton/api`;
  try {
    await endMeetings(api, "s3cret", ANY_CERTIFICATE);
  } finally {
    server.close();
  }
  const of = (meetingID: string, password: string) =>
    signedApiUrl(api, "end", { meetingID, password }, "s3cret").slice(`https://${server.at}`.length);
  expect(asked.slice(1)).toEqual([of("0123", "of 4"), of("b&c", "of 7"), of("d&e", "of 15")]);
});
