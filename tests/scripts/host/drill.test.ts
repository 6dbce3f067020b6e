import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { BackupHost, HOST } from "./backupHost";
import { PASSWORD } from "./quickRepository";
import { done, SCRIPTS, type Done } from "./scripts";

const OWN = "bbb-k3x9q2.school.eu";
const FILE = "/var/bigbluebutton/published/presentation/a-1/slide.svg";

interface Figures {
  readonly settings: object;
  readonly night: object & { readonly run: string; readonly files: Readonly<Record<string, string>> };
}

/** The saved server, whose place the test server takes then: restic saves whole paths, and a fake host's root is in them. */
let host: BackupHost;
let figures: Figures;

beforeAll(async () => {
  host = new BackupHost();
  await host.setUp();
  host.installGreenlight(3);
  host.put("root/greenlight-v3/.env", `${host.read("root/greenlight-v3/.env")}SMTP_SERVER=mail.school.eu\n`);
  host.put("etc/cron.daily/own-job", "#!/bin/sh\n");
  host.put("etc/nginx/conf.d/own.conf", "# ours\n");
  host.record("a-1");
  host.record("b-2", "video");
  host.put(FILE.slice(1), "<svg/>");
  await sleep(20);
  const { code, output } = await host.backup(["run"]);
  if (code !== 0) throw new Error(output);
  host.put("var/bigbluebutton/published/presentation/a-1/later.svg", "since");
  figures = documentIn((await drill("figures")).output) as Figures;
});
afterAll(() => host.remove());

/** Test server, as its deployment leaves it. */
beforeEach(() => {
  for (const name of readdirSync(host.root)) rmSync(join(host.root, name), { recursive: true });
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=3.0.4\n");
  host.put("var/bigbluebutton/published/.keep", "");
  host.installGreenlight(1);
  host.put("root/greenlight-v3/.env", "DATABASE_URL=postgres://postgres:new@postgres:5432/greenlight\n");
  host.fake("bbb-conf");
});

function drill(verb: string, input?: object): Promise<Done> {
  const command = ["/usr/bin/python3", "-B", join(SCRIPTS, "drill.py"), verb];
  const child = host.start(command, { BBB_DRILL_WAIT_SECONDS: "0" });
  return done(child, input === undefined ? "" : `${JSON.stringify(input)}\n`);
}

function documentIn(output: string): unknown {
  return JSON.parse(output.split("\n").find((line) => line.startsWith("{"))!);
}

const restore = (more: object = {}) => drill("restore", { ...figures, host: OWN, ...more });

test("the saved server's figures: what the night counted, and sums of files that have not changed since", () => {
  const { night, settings } = figures;
  expect(settings).toMatchObject({ password: PASSWORD });
  expect(night).toMatchObject({
    ...{ host: HOST, run: expect.stringMatching(/^run-/) as string },
    ...{ formats: { presentation: 1, video: 1 }, formatBytes: { presentation: 6 } },
    greenlight: { users: 3, rooms: 1, recordings: 0, files: 1 },
    files: { [FILE]: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
  });
  expect(Object.keys(night.files)).toEqual([FILE]);
});

test("without a whole backup there is nothing to drill", async () => {
  await host.setUp();
  const { code, output } = await drill("figures");
  expect([code, output]).toEqual([
    1,
    "FAILED: there is no whole backup yet, so there is nothing to restore: scripts/backup run STACK makes one\n",
  ]);
});

test("the test server gets all of it, the repository stays as it is, and no secret is left", async () => {
  const entries = () => readdirSync(host.repository, { recursive: true }).sort();
  const before = entries();
  const { code, output } = await restore();
  expect([code, output]).toEqual([0, expect.stringContaining("Greenlight: 3 of 3 users") as string]);
  expect(documentIn(output)).toEqual({
    found: {
      ...{ formats: { presentation: 1, video: 1 }, formatBytes: { presentation: 6 } },
      ...{ files: figures.night.files, greenlight: { users: 3, rooms: 1, recordings: 0, files: 1 } },
      health: { ok: false, told: expect.stringContaining("does not answer") as string },
      page: { ok: false, told: expect.stringContaining(`https://${OWN}/playback/a-1: `) as string },
    },
  });
  expect(entries()).toEqual(before);
  expect(existsSync(join(host.root, "var/lib/bbb-deploy/backup/keys"))).toBe(false);
  expect(output + host.log).not.toContain(PASSWORD);
});

test("what would act for others is not put in place: jobs, and the mail server's account", async () => {
  const { output } = await restore();
  expect(output).toContain(
    "not put in place here, since it would act for others: 1 jobs, hooks and the like",
  );
  expect(existsSync(join(host.root, "etc/cron.daily/own-job"))).toBe(false);
  expect(host.read("root/greenlight-v3/.env")).not.toContain("SMTP");
  expect(host.read("etc/nginx/conf.d/own.conf")).toBe("# ours\n");
});

test("a file that came back otherwise has another sum, one that did not come back none", async () => {
  const { night, settings } = figures;
  const missing = FILE.replace("slide", "missing");
  const { output } = await restore({ settings, night: { ...night, files: { [missing]: "0".repeat(64) } } });
  expect(documentIn(output)).toMatchObject({ found: { files: { [missing]: null } } });
});

test("a server with backups of its own is no test server, and is left as it is", async () => {
  await host.setUp();
  const { code, output } = await restore();
  expect([code, output]).toEqual([1, expect.stringContaining("so it is no test server") as string]);
  expect(existsSync(join(host.root, FILE))).toBe(false);
});

test("the result is kept for the check", async () => {
  await drill("note", { ok: true, run: "run-1", words: "" });
  expect(JSON.parse(host.read("var/lib/bbb-deploy/backup/drilled.json"))).toEqual({
    ...{ at: expect.any(Number) as number, ok: true, run: "run-1", words: "" },
  });
});

test("the script installs restic, and passes the request on", async () => {
  const request = `${JSON.stringify({ ...figures, host: OWN })}\n`;
  const { code, output } = await host.script("drill.sh", [], request, { BBB_DRILL_WAIT_SECONDS: "0" });
  expect([code, output]).toEqual([0, expect.stringContaining('{"found": ') as string]);
});
