import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { python } from "./checks";
import { FakeHost } from "./scripts";

/** State that is carried to a server that was installed anew: what is set, what is left, and what is told. */

const WEB = "/etc/bigbluebutton/bbb-web.properties";
const SFU = "/etc/bigbluebutton/bbb-webrtc-sfu/production.yml";

let host: FakeHost;
let tree: string;
beforeEach(() => {
  host = new FakeHost();
  tree = join(host.directory, "tree");
  host.put("etc/bigbluebutton/bigbluebutton-release", "BIGBLUEBUTTON_RELEASE=4.0.1\n");
  host.fake("dpkg-query", "exit 1");
  host.fake("nginx");
});
afterEach(() => host.remove());

/** Puts a file of the old server into the tree. */
function saved(path: string, text: string): void {
  mkdirSync(dirname(join(tree, path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

interface Outcome {
  readonly keys: number;
  readonly put: readonly string[];
  readonly lines: readonly string[];
}

async function merge(paths: readonly string[], more: object = {}): Promise<Outcome> {
  const carried = {
    ...{ host: "old.school.eu", newHost: "new.school.eu", bigbluebutton: "4.0", changedPackageFiles: [] },
    owners: Object.fromEntries(paths.map((path) => [path, ["root", "root"]])),
    ...more,
  };
  const output = await python(
    host,
    `import carry
outcome = carry.merge(${JSON.stringify(tree)}, json.loads(${JSON.stringify(JSON.stringify(carried))}))
print(json.dumps({"keys": outcome.keys, "put": list(outcome.put), "lines": outcome.lines}))`,
  );
  return JSON.parse(output) as Outcome;
}

test("keys are set one by one; secrets, addresses and the server's own name are the new one's", async () => {
  saved(
    WEB,
    "securitySalt=old\nbigbluebutton.web.serverURL=https://old.school.eu\ndefaultWelcomeMessage=Hello\ndefaultGuestCTAUrl=https://old.school.eu/x\n",
  );
  saved(SFU, "freeswitch:\n  ip: 203.0.113.5\n  esl_password: secret\nmediasoup:\n  workers: 4\n");
  host.put(WEB.slice(1), "# ours\nsecuritySalt=new\nbigbluebutton.web.serverURL=https://new.school.eu\n");
  host.put(SFU.slice(1), "freeswitch:\n  ip: 203.0.113.9\n");
  expect(await merge([WEB, SFU])).toMatchObject({ keys: 3, lines: [] });
  expect(host.read(WEB.slice(1))).toBe(
    "# ours\nsecuritySalt=new\nbigbluebutton.web.serverURL=https://new.school.eu\ndefaultWelcomeMessage=Hello\ndefaultGuestCTAUrl=https://new.school.eu/x\n",
  );
  expect(host.read(SFU.slice(1))).toBe("freeswitch:\n  ip: 203.0.113.9\nmediasoup:\n  workers: 4\n");
  expect((await merge([WEB, SFU])).keys).toBe(0);
});

test("a key of the settings stays as they have it", async () => {
  saved(WEB, "muteOnStart=true\nallowModsToUnmuteUsers=true\n");
  host.put(WEB.slice(1), "muteOnStart=false\n");
  const keys = [{ key: "muteOnStart", setting: "meetings.muteOnStart", before: null }];
  host.put(
    "var/lib/bbb-deploy/owned-keys.json",
    JSON.stringify({ files: { [WEB]: { format: "properties", keys } } }),
  );
  expect((await merge([WEB])).keys).toBe(1);
  expect(host.read(WEB.slice(1))).toBe("muteOnStart=false\nallowModsToUnmuteUsers=true\n");
});

test("on another release a key that it does not have is left out, and named", async () => {
  saved(WEB, "lockSettingsDisableNote=true\nmuteOnStart=true\n");
  host.put(WEB.slice(1), "");
  const { keys, lines } = await merge([WEB], { bigbluebutton: "3.0" });
  expect(keys).toBe(1);
  expect(lines).toEqual([
    "note: the backup is of BigBlueButton 3.0, this server has 4.0: look at each changed setting once",
    "note: lockSettingsDisableNote of bbb-web.properties was left out: BigBlueButton 4.0 does not have it; now it is lockSettingsDisableNotes",
  ]);
});

test("changed files of packages are named, and not copied", async () => {
  saved("/usr/share/x.properties", "changed");
  host.put("usr/share/x.properties", "packaged");
  const { lines, put } = await merge([], { changedPackageFiles: ["/usr/share/x.properties"] });
  expect([put, lines]).toEqual([
    [],
    [
      expect.stringMatching(
        /^note: \/usr\/share\/x\.properties of a package had been changed .* The old text is in /,
      ),
    ],
  ]);
  expect(host.read("usr/share/x.properties")).toBe("packaged");
});

test("what is saved: people's files, without those of packages, of the deployment and of installers", async () => {
  for (const path of ["own", "bbb-deploy-recordings", "packaged"]) host.put(`etc/cron.daily/${path}`, "x");
  host.put("etc/bigbluebutton/turn-stun-servers.xml", "x");
  host.put("etc/bigbluebutton/bbb-html5.yml", "x: 1\n");
  host.put("etc/nginx/sites-available/bigbluebutton", "x");
  host.put("etc/letsencrypt/live/old/privkey.pem", "x");
  host.fake("dpkg-query", "echo cron: /etc/cron.daily/packaged");
  const output = await python(host, "import carry\nprint(json.dumps(carry.places()))");
  expect(JSON.parse(output)).toEqual([
    "/etc/bigbluebutton/bbb-html5.yml",
    "/etc/cron.daily/own",
    "/etc/letsencrypt/live",
  ]);
});
