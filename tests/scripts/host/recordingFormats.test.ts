import { ownedKeysOf, type GroupValues } from "../../../bigbluebutton/optionGroups";
import { check, python } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.put("var/lib/bbb-deploy/apt-updated", "");
  archive("bbb-playback-video", "bbb-playback-podcast");
  host.fake("dpkg-query", "exit 1");
  host.fake("dpkg");
  host.fake("systemctl", "echo active");
});
afterEach(() => host.remove());

/** Gives the archive these packages, each of which brings its scripts. */
function archive(...names: string[]): void {
  host.fake("apt-cache", `[[ " ${names.join(" ")} " != *" $2 "* ]] || echo '  Candidate: 3.0'`);
  host.fake(
    "apt-get",
    `for word; do
  if [[ $word == bbb-playback-* ]]; then
    for stage in process publish; do
      mkdir -p "$BBB_DEPLOY_ROOT/usr/local/bigbluebutton/core/scripts/$stage"
      touch "$BBB_DEPLOY_ROOT/usr/local/bigbluebutton/core/scripts/$stage/\${word#bbb-playback-}.rb"
    done
  fi
done`,
  );
}

const install = (formats: string) => host.script("recording-formats.sh", ["--formats", formats]);
const installed = () => host.called("apt-get").filter((call) => call.includes(" install "));

test("the packages of the formats are installed", async () => {
  const { code, output } = await install("video podcast");
  expect([code, installed()]).toEqual([
    0,
    [expect.stringContaining("bbb-playback-video bbb-playback-podcast")],
  ]);
  expect(output).toContain("recordings can be published as video podcast");
});

test("packages that the archive does not have are all named, and nothing is installed", async () => {
  archive("bbb-playback-video");
  const { code, output } = await install("video screenshare podcast");
  expect([code, installed()]).toEqual([1, []]);
  expect(output).toContain("BigBlueButton's archive has no bbb-playback-screenshare bbb-playback-podcast");
  expect(host.called("apt-get").some((call) => call.endsWith(" update"))).toBe(true);
});

test("a package that processes nothing is told", async () => {
  host.fake("apt-get");
  const { code, output } = await install("video");
  expect([code, output]).toEqual([
    1,
    expect.stringContaining("bbb-playback-video brings no process/video.rb"),
  ]);
});

const recordings = (values: NonNullable<GroupValues["recordings"]>) => ownedKeysOf({ recordings: values });
const checked = (values: NonNullable<GroupValues["recordings"]>) =>
  check(host, "recording_formats", "check_processing", host.root, recordings(values));

test("the check names formats without their scripts, and hours without their timer", async () => {
  await install("video");
  expect(await checked({ formats: ["video"] })).toMatchObject({ verdict: "ok", answer: "video" });
  expect(await checked({ formats: ["video", "podcast"] })).toMatchObject({
    verdict: "warn",
    answer: expect.stringMatching(
      /^podcast has no .*process\/podcast\.rb \(recordings\.formats\); podcast has/,
    ),
  });
  expect(await checked({ hours: "22:00-06:00" })).toMatchObject({ verdict: "ok", answer: "in their hours" });
  host.fake("systemctl", "echo inactive; exit 3");
  expect(await checked({ hours: "22:00-06:00" })).toMatchObject({
    verdict: "warn",
    answer: "bbb-deploy-processing-hours.timer is inactive (recordings.hours)",
  });
});

test.each([
  [{ formats: ["video"] }, true],
  [{ hours: "22:00-06:00" }, true],
  [{ mp4: true }, false],
])("%j is a matter of that check: %s", async (values, concerned) => {
  const text = JSON.stringify(JSON.stringify(recordings(values)));
  expect(
    await python(host, `import recording_formats\nprint(recording_formats.concerns(json.loads(${text})))`),
  ).toBe(concerned ? "True\n" : "False\n");
});
