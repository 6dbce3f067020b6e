/** Step that makes the places of a pool's recordings on its balancer: balancer-recordings.sh. */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

import { FakeHost } from "./scripts";

let host: FakeHost;

beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl");
  host.fake("nginx");
  // The id of an image is that of its name here; a copy has a player in it.
  host.fake(
    "docker",
    `case $1 in image) echo "sha256:\${!#}" ;; cp) mkdir -p "$3/playback/presentation/2.3"; echo player >"$3/playback/presentation/2.3/index.html" ;; esac`,
  );
});
afterEach(() => host.remove());

const gather = (...flags: string[]) => host.script("balancer-recordings.sh", flags);
const IMAGE = ["--player-image", "scalelite:v1-nginx"];
const at = (path: string) => join(host.root, path);
const PLAYER = "usr/local/share/bbb-deploy-playback/playback/presentation/2.3/index.html";

test("the places are there, and none but the importer looks into the spool", async () => {
  expect(await gather(...IMAGE)).toMatchObject({ code: 0 });
  for (const place of ["published", "unpublished", "recording/scalelite", "spool"])
    expect(statSync(at(`var/bigbluebutton/${place}`)).isDirectory()).toBe(true);
  expect(statSync(at("var/bigbluebutton/spool")).mode & 0o777).toBe(0o700);
  expect(host.called("systemctl")).toContain("systemctl enable bbb-deploy-collect.timer");
  expect(host.read("etc/systemd/system/bbb-deploy-collect.service")).toContain(
    "RequiresMountsFor=/var/bigbluebutton",
  );
});

test("the player is copied out of the image once, and anew out of another one", async () => {
  await gather(...IMAGE);
  expect(host.read(PLAYER)).toBe("player\n");
  host.forgetCalls();
  await gather(...IMAGE);
  expect(host.called("docker").filter((call) => call.startsWith("docker cp"))).toEqual([]);
  await gather("--player-image", "scalelite:v2-nginx");
  expect(host.called("docker").filter((call) => call.startsWith("docker cp"))).toHaveLength(1);
});

test("an image without a player is told, and the one that is there stays", async () => {
  await gather(...IMAGE);
  host.fake("docker", `case $1 in image) echo "sha256:other" ;; cp) exit 1 ;; esac`);
  const { code, output } = await gather(...IMAGE);
  expect([code, output]).toEqual([1, expect.stringContaining("has no player of recordings")]);
  expect(host.read(PLAYER)).toBe("player\n");
});

test("nginx asks Scalelite who may see a recording, and is reloaded only where something changed", async () => {
  await gather(...IMAGE);
  const text = host.read("etc/bbb-deploy/balancer-nginx/recordings.conf");
  expect(text).toMatch(/location \/static-resource\/ {\n {2}internal;/);
  expect(text).toContain("proxy_pass http://127.0.0.1:3000;");
  const reloads = () => host.called("systemctl").filter((call) => call === "systemctl reload nginx");
  expect(reloads()).toHaveLength(1);
  await gather(...IMAGE);
  expect(reloads()).toHaveLength(1);
});

test("a reload that failed is made up for by the next run", async () => {
  host.fake("nginx", "exit 1");
  expect(await gather(...IMAGE)).toMatchObject({ code: 1 });
  host.fake("nginx");
  expect(await gather(...IMAGE)).toMatchObject({ code: 0 });
  expect(host.called("systemctl")).toContain("systemctl reload nginx");
});

test("recordings go each day after the setting's days, and without it never", async () => {
  await gather(...IMAGE, "--published-days", "30");
  expect(host.read("etc/cron.daily/bbb-deploy-recordings")).toContain("pool_recordings.py expire --days 30");
  await gather(...IMAGE);
  expect(existsSync(at("etc/cron.daily/bbb-deploy-recordings"))).toBe(false);
});
