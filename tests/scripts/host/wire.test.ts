import { createHmac } from "node:crypto";
import { chmodSync, existsSync, statSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { apiChecksum } from "../../../bigbluebutton/api";
import { renderTurnStunServers } from "../../../bigbluebutton/turnStunServers";
import { FakeHost, type Done } from "./scripts";

const SECRET = "Zq3vT8mW1xK5nB7cR2yH9dL4";
const XML_PATH = "/etc/bigbluebutton/turn-stun-servers.xml";
const PROPERTIES = "etc/bigbluebutton/bbb-web.properties";
const AKKA = "etc/bigbluebutton/bbb-apps-akka.conf";

let host: FakeHost;
let api: Server;
let known: string;
let meetings: string;

/** Stand-in for bbb-web for wire.sh: it knows one secret. */
beforeAll(async () => {
  api = createServer((request, response) => {
    const call = new URL(request.url!, "http://localhost");
    const good =
      call.pathname === "/bigbluebutton/api" ||
      call.searchParams.get("checksum") === apiChecksum("getMeetings", "", known);
    response.end(
      `<response><returncode>${good ? "SUCCESS" : "FAILED"}</returncode><meetings>${meetings}</meetings></response>`,
    );
  });
  await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
});

afterAll(() => api.close());

beforeEach(() => {
  known = SECRET;
  meetings = "";
  host = new FakeHost();
  host.put(
    PROPERTIES,
    "# mine\nsecuritySalt=old\nbigbluebutton.web.serverURL=https://bbb.example.test\nsecuritySalt=older",
  );
  host.put(
    AKKA,
    '// mine\ninclude "default"\nservices {\n  bbbWebAPI="https://x"\n  sharedSecret="old"\n}\n',
  );
  host.fake("systemctl");
  host.fake("docker");
});

afterEach(() => host.remove());

const xml = (secret = "turnsecret") =>
  renderTurnStunServers({ form: "override", host: "turn.example.test", secret });

function wire(input = `${SECRET}\n${xml()}`, flags: readonly string[] = []): Promise<Done> {
  const { port } = api.address() as AddressInfo;
  return host.script("wire.sh", ["--xml-path", XML_PATH, ...flags], input, {
    BBB_DEPLOY_API: `http://127.0.0.1:${port}`,
    BBB_DEPLOY_PATIENCE: "1",
  });
}

const restarted = () =>
  host
    .called("systemctl")
    .flatMap((line) =>
      line.startsWith("systemctl restart ") ? [line.replace("systemctl restart ", "")] : [],
    );

test("secret and servers come into every file that holds them, all else stays", async () => {
  const { code } = await wire();
  expect(code).toBe(0);
  expect(host.read(PROPERTIES)).toBe(
    `# mine\nsecuritySalt=${SECRET}\nbigbluebutton.web.serverURL=https://bbb.example.test\n`,
  );
  expect(host.read(AKKA)).toBe(
    `// mine\ninclude "default"\nservices {\n  bbbWebAPI="https://x"\n  sharedSecret="${SECRET}"\n}\n`,
  );
  expect(host.read(XML_PATH)).toBe(xml());
  expect(statSync(join(host.root, XML_PATH)).mode & 0o777).toBe(0o640);
  expect(restarted()).toEqual(["bbb-apps-akka", "bbb-web"]);
});

test("files with the secret are closed to other users, however packages left them, and a second run changes nothing", async () => {
  for (const [file, mode] of [
    [PROPERTIES, 0o644],
    [AKKA, 0o664],
  ] as const)
    chmodSync(join(host.root, file), mode);
  await wire();
  const modes = () => [PROPERTIES, AKKA].map((file) => statSync(join(host.root, file)).mode & 0o777);
  expect(modes()).toEqual([0o640, 0o640]);
  host.forgetCalls();
  const { code, output } = await wire();
  expect([code, output]).toEqual([0, expect.stringContaining("nothing to restart")]);
  expect(host.called()).toEqual([]);
  chmodSync(join(host.root, PROPERTIES), 0o644);
  await wire();
  expect([modes(), restarted()]).toEqual([[0o640, 0o640], []]);
});

test("a new TURN secret alone restarts bbb-web alone", async () => {
  await wire();
  host.forgetCalls();
  expect((await wire(`${SECRET}\n${xml("another")}`)).code).toBe(0);
  expect(restarted()).toEqual(["bbb-web"]);
});

test("while a meeting runs, nothing is touched where something would be restarted, unless it is allowed", async () => {
  await wire();
  meetings = "<meeting><meetingID>a</meetingID></meeting>";
  host.forgetCalls();
  expect((await wire()).code).toBe(0);
  const refused = await wire(`${SECRET}\n${xml("another")}`);
  expect(refused).toMatchObject({
    code: 1,
    output: expect.stringMatching(/1 meeting\(s\) run.*duringMeetings/),
  });
  expect([host.read(XML_PATH), restarted()]).toEqual([xml(), []]);
  const allowed = await wire(`${SECRET}\n${xml("another")}`, ["--put-back"]);
  expect([allowed.code, host.read(XML_PATH), restarted()]).toEqual([0, xml("another"), ["bbb-web"]]);
});

describe("on a server of a pool", () => {
  let balancer: Server;
  let asked: Record<string, unknown>[];
  let answer: object;
  beforeEach(async () => {
    [asked, answer] = [[], { go: true, despite: "" }];
    balancer = createServer((request, response) => {
      let body = "";
      request.on("data", (text) => (body += text));
      request.on("end", () => {
        asked.push({ ...JSON.parse(body), token: request.headers.authorization });
        response.end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => balancer.listen(0, "127.0.0.1", resolve));
    await wire();
    host.put("etc/systemd/system/bbb-deploy-node-state.service", "");
    host.forgetCalls();
    meetings = "<meeting><meetingID>a</meetingID></meeting>";
  });
  afterEach(() => balancer.close());

  const pooled = (input: string) => {
    const { port } = balancer.address() as AddressInfo;
    return host.script(
      "wire.sh",
      [
        ...["--xml-path", XML_PATH, "--balancer", `127.0.0.1:${port}`, "--node", "bbb-2.example.test"],
        ...["--rotate-turn-secret", "v2"],
      ],
      input,
      {
        BBB_DEPLOY_API: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
        BBB_DEPLOY_PATIENCE: "1",
        BBB_DEPLOY_SCHEME: "http",
      },
    );
  };

  test("a restart is asked of the balancer, with a token of the secret that both know, whatever runs here", async () => {
    expect(await pooled(`${SECRET}\n${xml("another")}`)).toMatchObject({ code: 0 });
    const token = createHmac("sha256", SECRET).update("bbb-deploy lease").digest("hex");
    expect(asked).toEqual([
      expect.objectContaining({
        ...{ node: "bbb-2.example.test", anyway: false, token: `Bearer ${token}` },
        what: "a restart of BigBlueButton with its new settings",
      }),
    ]);
    expect(restarted()).toEqual(["bbb-web"]);
  });

  test("where nothing is to be restarted, nobody is asked", async () => {
    expect(await pooled(`${SECRET}\n${xml()}`)).toMatchObject({ code: 0 });
    expect(asked).toEqual([]);
  });

  test("nothing is touched where the balancer lets it not go, and duringMeetings is named", async () => {
    answer = { refused: "there is 1 meeting (2 people)" };
    const { code, output } = await pooled(`${SECRET}\n${xml("another")}`);
    expect([code, restarted(), host.read(XML_PATH)]).toEqual([1, [], xml()]);
    expect(output).toContain("there is 1 meeting (2 people). Run pulumi up again");
    expect(output).toContain("give the setting duringMeetings the value of rotateTurnSecret (v2)");
  });

  test("duringMeetings is told to the balancer", async () => {
    host.put("var/lib/bbb-deploy/during-meetings", "v2");
    expect(await pooled(`${SECRET}\n${xml("another")}`)).toMatchObject({ code: 0 });
    expect(asked).toEqual([expect.objectContaining({ anyway: true })]);
  });
});

describe("with backups", () => {
  const saved = () => host.called("systemctl").filter((line) => line.includes("start bbb-backup-state"));
  beforeEach(async () => {
    await wire();
    host.put("etc/systemd/system/bbb-backup-state.service", "");
  });

  test.each(["--rotate-shared-secret", "--rotate-turn-secret"])(
    "the state is saved before %s, once for each new text",
    async (flag) => {
      const { output } = await wire(undefined, [flag, "2026"]);
      expect(output).toContain("saving the state before the new secret");
      await wire(undefined, [flag, "2026"]);
      expect(saved()).toHaveLength(1);
      await wire(undefined, [flag, "2027"]);
      expect(saved()).toHaveLength(2);
    },
  );

  test("not before other settings, nor before a wiring that is put back", async () => {
    await wire(`${SECRET}\n${xml("another")}`, ["--upgrade", "2026"]);
    await wire(undefined, ["--put-back"]);
    expect(saved()).toEqual([]);
  });
});

describe("the text of duringMeetings, while a meeting runs", () => {
  const allow = (text: string) => host.put("var/lib/bbb-deploy/during-meetings", text);
  const change = (secret: string, ...flags: string[]) => wire(`${SECRET}\n${xml(secret)}`, flags);
  beforeEach(async () => {
    await wire();
    meetings = "<meeting><meetingID>a</meetingID></meeting>";
  });

  test.each(["--rotate-shared-secret", "--rotate-turn-secret", "--upgrade"])(
    "allows what %s has it for, once",
    async (flag) => {
      allow("2026-11-21");
      expect(await change("b", flag, "2026-11-2")).toMatchObject({ code: 1 });
      expect(await change("b", flag, "2026-11-21")).toMatchObject({
        code: 0,
        output: expect.stringContaining("as the setting duringMeetings allows"),
      });
      expect(await change("c", flag, "2026-11-21")).toMatchObject({ code: 1 });
      expect(host.read(XML_PATH)).toBe(xml("b"));
    },
  );

  test("allows no later rotation, though the upgrade that it named is still among the settings", async () => {
    allow("2026-11-21");
    await change("b", "--upgrade", "2026-11-21");
    const later = await change("c", "--rotate-shared-secret", "2027", "--upgrade", "2026-11-21");
    expect(later).toMatchObject({
      code: 1,
      output: expect.stringMatching(/allow it: .* duringMeetings the value of rotateSharedSecret \(2027\)\n/),
    });
    allow("2027");
    expect(await change("c", "--rotate-shared-secret", "2027", "--upgrade", "2026-11-21")).toMatchObject({
      code: 0,
    });
  });

  test("is good until the change that it names has come to its end", async () => {
    allow("2026-11-21");
    host.fake("systemctl", "[[ $1 == is-active ]]");
    expect((await change("b", "--rotate-turn-secret", "2026-11-21")).code).toBe(1);
    host.fake("systemctl");
    expect((await change("c", "--rotate-turn-secret", "2026-11-21")).code).toBe(0);
  });

  test("is not used by the wiring that is put back after an installer, nor is it new again after that", async () => {
    allow("2026-11-21");
    await change("b", "--put-back");
    expect((await change("c", "--upgrade", "2026-11-21")).code).toBe(0);
    await change("b", "--put-back");
    expect((await change("c", "--upgrade", "2026-11-21")).code).toBe(1);
  });

  test("is used up by a change that no meeting was in the way of", async () => {
    allow("2026-11-21");
    const running = meetings;
    meetings = "";
    await change("b", "--upgrade", "2026-11-21");
    meetings = running;
    expect(await change("c", "--upgrade", "2026-11-21")).toMatchObject({
      code: 1,
      output: expect.stringContaining(
        "allow it: give rotateSharedSecret or rotateTurnSecret or upgrade a new text, and duringMeetings the same",
      ),
    });
  });
});

test("what was written last is kept, for root only, to be put back after the installer", async () => {
  await wire();
  const kept = join(host.root, "var/lib/bbb-deploy/wire/written");
  expect(host.read("var/lib/bbb-deploy/wire/written/input")).toBe(`${SECRET}\n${xml()}`);
  expect(statSync(kept).mode & 0o777).toBe(0o700);
});

test("a restart that an interruption prevented is made up for", async () => {
  host.fake("systemctl", "exit 1");
  expect(await wire()).toMatchObject({
    code: 1,
    output: expect.stringContaining("see journalctl -u bbb-apps-akka"),
  });
  host.fake("systemctl");
  host.forgetCalls();
  expect((await wire()).code).toBe(0);
  expect(restarted()).toEqual(["bbb-apps-akka", "bbb-web"]);
});

test("webhooks and Greenlight get the secret where they are installed", async () => {
  host.put(
    "usr/local/bigbluebutton/bbb-webhooks/config/default.yml",
    "bbb:\n  sharedSecret: old\n  serverDomain: x\n",
  );
  host.put("root/greenlight-v3/.env", "A=1\nBIGBLUEBUTTON_SECRET=old\nB=2\n");
  expect((await wire()).code).toBe(0);
  expect(host.read("usr/local/bigbluebutton/bbb-webhooks/config/default.yml")).toBe(
    `bbb:\n  sharedSecret: ${SECRET}\n  serverDomain: x\n`,
  );
  expect(host.read("root/greenlight-v3/.env")).toBe(`A=1\nBIGBLUEBUTTON_SECRET=${SECRET}\nB=2\n`);
  expect(restarted()).toEqual(["bbb-apps-akka", "bbb-web", "bbb-webhooks"]);
  expect(host.called("docker")).toContain("docker compose up -d");
});

test("apps-akka without a file of its own gets one that includes the packaged one", async () => {
  const packaged = "usr/share/bbb-apps-akka/conf/application.conf";
  const bare = new FakeHost();
  bare.put(PROPERTIES, "");
  bare.put(packaged, "");
  bare.fake("systemctl");
  const { port } = api.address() as AddressInfo;
  await bare.script("wire.sh", ["--xml-path", XML_PATH], `${SECRET}\n${xml()}`, {
    BBB_DEPLOY_API: `http://127.0.0.1:${port}`,
  });
  expect(bare.read(AKKA)).toBe(`include "/${packaged}"\nservices {\n  sharedSecret="${SECRET}"\n}\n`);
  expect(bare.read(PROPERTIES)).toBe(`securitySalt=${SECRET}\n`);
  bare.remove();
});

test.each([
  ["a secret that bbb-conf could not take", `short/secret&more-and-more\n${xml()}`, "letters and digits"],
  ["XML that bbb-web could not read", `${SECRET}\n<beans>`, "not well-formed"],
  ["nothing at all", "", "shared secret is missing"],
])("%s is refused before anything is written", async (_, input, message) => {
  const { code, output } = await wire(input);
  expect([code, output]).toEqual([1, expect.stringContaining(message)]);
  expect(existsSync(join(host.root, XML_PATH))).toBe(false);
  expect(host.read(AKKA)).toContain('"old"');
});

test("a server that goes on with another secret fails the step", async () => {
  known = "another";
  const { code, output } = await wire();
  expect([code, output]).toEqual([1, expect.stringContaining("refuses calls signed with the shared secret")]);
});

test("no secret is in a command line or in the log", async () => {
  host.fake("curl", 'exec /usr/bin/curl "$@"');
  host.fake("bash", 'exec /bin/bash "$@"');
  const { output } = await wire();
  expect(output).not.toMatch(/Zq3vT8|turnsecret/);
  expect(host.called().length).toBeGreaterThan(2);
  expect(host.called().join("\n")).not.toMatch(/Zq3vT8|turnsecret/);
});
