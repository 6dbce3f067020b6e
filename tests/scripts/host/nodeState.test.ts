/** State of a pool's server, as its balancer asks for it. */
import { createHmac } from "node:crypto";

import { get } from "../../sandbox/bbb/scaleliteWorld";
import { MeetingsApi } from "./meetingsApi";
import { FakeHost } from "./scripts";
import { serveState, type StateService } from "./stateService";

const ID = `${"a".repeat(40)}-1700000000000`;
const STATUS = "var/bigbluebutton/recording/status";

let host: FakeHost;
let api: MeetingsApi;
let server: StateService;

beforeEach(async () => {
  host = new FakeHost();
  api = new MeetingsApi();
  await api.listen();
  host.put("etc/bigbluebutton/bbb-web.properties", "securitySalt=of-this-server\n");
  server = await serveState(host, api.url);
});
afterEach(() => {
  server.process.kill();
  api.close();
  host.remove();
});

const token = (secret: string) => createHmac("sha256", secret).update("bbb-deploy node state").digest("hex");
const ask = (secret: string) =>
  get(`http://127.0.0.1:${server.port}/bbb-deploy/state`, { authorization: `Bearer ${token(secret)}` });
const told = async () =>
  JSON.parse((await ask("of-this-server")).text) as { meetings: object[] | null; unprocessed: string[] };

test("only who knows the secret of its API is answered", async () => {
  expect((await ask("of-another")).status).toBe(404);
  expect((await ask("of-this-server")).status).toBe(200);
  // As after a rotation, without a restart.
  host.put("etc/bigbluebutton/bbb-web.properties", "securitySalt=new\n");
  expect((await ask("of-this-server")).status).toBe(404);
  expect((await ask("new")).status).toBe(200);
});

test("meetings and breakout rooms count, with their people; those that were ended do not", async () => {
  const meeting = (id: string, more: string) =>
    `<meeting><meetingID>${id}</meetingID><participantCount>3</participantCount>${more}</meeting>`;
  api.meetings =
    meeting("m", "<isBreakout>false</isBreakout>") +
    meeting("room", "<isBreakout>true</isBreakout>") +
    meeting("over", "<hasBeenForciblyEnded>true</hasBeenForciblyEnded>");
  expect((await told()).meetings).toEqual([
    { id: "m", people: 3, breakout: false },
    { id: "room", people: 3, breakout: true },
  ]);
});

test("an API that does not answer is not the same as no meetings", async () => {
  expect((await told()).meetings).toEqual([]);
  api.close();
  expect((await told()).meetings).toBeNull();
});

test.each(["ended", "recorded", "archived", "sanity"])(
  "a recording in %s is not processed yet",
  async (step) => {
    host.put(`${STATUS}/${step}/${ID}.done`, "");
    expect((await told()).unprocessed).toEqual([ID]);
  },
);

test.each([
  ["published", `published/${ID}-presentation.done`],
  ["given up", `processed/${ID}-presentation.fail`],
  ["of a meeting in which nobody recorded", `archived/${ID}.norecord`],
])("one that is %s is none any more", async (_, marker) => {
  host.put(`${STATUS}/sanity/${ID}.done`, "");
  host.put(`${STATUS}/${marker}`, "");
  expect((await told()).unprocessed).toEqual([]);
});
