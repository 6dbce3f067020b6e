import { check } from "./checks";
import { FakeHost, run } from "./scripts";

const FILE = "usr/local/bigbluebutton/core/scripts/bigbluebutton.yml";
const NAME = "bbb.example.test";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
});

afterEach(() => host.remove());

const checked = (text?: string) => {
  if (text !== undefined) host.put(FILE, text);
  return check(host, "playback", "check_playback", host.root, NAME);
};

test.each([
  `playback_host: ${NAME}\nplayback_protocol: https\n`,
  `playback_host: "${NAME}" # mine\nplayback_protocol: 'https'\n`,
])("%j leads to the server by its name", async (text) => {
  expect(await checked(text)).toMatchObject({ verdict: "ok", answer: `https://${NAME}` });
});

test("what an upgrade without the installer leaves is a warning, whose remedy mends it", async () => {
  const found = await checked("playback_host: 203.0.113.10\nplayback_protocol: http\nsteps: x\n");
  expect(found).toMatchObject({
    verdict: "warn",
    answer: expect.stringMatching(/^playback_host is 203\.0\.113\.10, playback_protocol is http: links/),
  });
  const [sed] = found.remedy!.split("; ");
  await run(["bash", "-c", sed!.replace(` /${FILE}`, ` ${host.root}/${FILE}`)]);
  expect(host.read(FILE)).toBe(`playback_host: ${NAME}\nplayback_protocol: https\nsteps: x\n`);
});

test("a value that is missing is told, and a host without recordings is no matter", async () => {
  expect(await checked()).toMatchObject({ verdict: "ok" });
  expect(await checked(`playback_host: ${NAME}\n`)).toMatchObject({
    verdict: "warn",
    answer: expect.stringMatching(/^playback_protocol is not set/),
  });
});
