import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

import { greenlightImage, type GreenlightWishes } from "../../../bigbluebutton/greenlight";
import { GreenlightDatabase } from "./greenlightDatabase";
import { GreenlightHost, SECRET } from "./greenlightHost";
import { run, SCRIPTS, type Done } from "./scripts";

const PASSWORD = "aB3-dE6_gH9.jK2mN5pQ8rS1";
const ada = { name: "Ada Lovelace, née Byron", email: "ada@school.eu", password: PASSWORD };

const database = new GreenlightDatabase();
beforeAll(() => database.start());
afterAll(() => database.stop());

let greenlight: GreenlightHost;
beforeEach(() => {
  greenlight = new GreenlightHost(database);
});
afterEach(() => greenlight.stop());

const setUp = (
  wishes: GreenlightWishes,
  admin?: typeof ada,
  env: NodeJS.ProcessEnv = {},
  upgrade = "",
): Promise<Done> =>
  greenlight.host.script("greenlight.sh", [], greenlight.request(wishes, admin, upgrade), {
    ...greenlight.env,
    ...env,
  });

const accounts = () => greenlight.rows("SELECT name, email, role, status FROM users");
const settings = () =>
  greenlight.rows(
    "SELECT value FROM site_settings WHERE name IN ('RegistrationMethod', 'DefaultRole') ORDER BY name",
  );
const limits = () => greenlight.rows("SELECT role, value FROM room_limits ORDER BY role");

/** What a check of the host says: its verdict, answer and advice. */
async function inPython(expression: string, given: unknown): Promise<string> {
  const program = `
import json, sys, time
sys.path.insert(0, ${JSON.stringify(SCRIPTS)})
import greenlight_check
from checks import Wrong
given = json.load(sys.stdin)

def well(base):
    for _ in range(100):
        try:
            return greenlight_check.ask_health(base)
        except Wrong:
            time.sleep(0.1)

try:
    print("ok", ${expression})
except Wrong as wrong:
    print(wrong.verdict, wrong, "→", wrong.remedy)
`;
  const { output } = await run(["/usr/bin/python3", "-c", program], JSON.stringify(given));
  return output.trim();
}

const check = (admin = ada): Promise<string> =>
  inPython("greenlight_check.check_administrator(*given)", [greenlight.url, admin, greenlight.api, SECRET]);

describe("the administrator", () => {
  test("is made once and can sign in; the password is in no command line, environment, file or line", async () => {
    await greenlight.start();
    const { code, output } = await setUp({}, ada);
    expect([code, output]).toEqual([
      0,
      expect.stringContaining("made the administrator ada@school.eu, who signs in"),
    ]);
    expect(accounts()).toEqual(["Ada Lovelace, née Byron|ada@school.eu|Administrator|active"]);
    expect(await check()).toBe("ok signed in, made a room, started its meeting, removed both");
    expect(greenlight.apiCalls).toEqual(["create", "getMeetingInfo", "end"]);
    expect(greenlight.rows("SELECT name FROM rooms")).toEqual([]);

    const encoded = Buffer.from(PASSWORD).toString("base64").slice(0, 20);
    expect(greenlight.seen()).toContain("bundle exec rails runner -");
    const kept = readdirSync(greenlight.host.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
    for (const text of [greenlight.seen(), greenlight.host.called().join("\n"), output, ...kept]) {
      expect(text).not.toContain(PASSWORD);
      expect(text).not.toContain(encoded);
    }
  });

  test("that is there is left alone: its name and its password stay, and the check does not call that a fault", async () => {
    await greenlight.start();
    await setUp({}, ada);
    const before = greenlight.rows("SELECT * FROM users");
    const { code, output } = await setUp({}, { ...ada, name: "Another", password: "Other-Password1" });
    expect([code, output]).toEqual([0, expect.stringContaining("is there already, and left alone")]);
    expect(greenlight.rows("SELECT name, password FROM users")[0]).toBe(
      before[0]!
        .split("|")
        .filter((_, i) => i === 1 || i === 3)
        .join("|"),
    );
    expect(await check({ ...ada, password: "Other-Password1" })).toMatch(
      /^skip ada@school\.eu has another password/,
    );
  });

  test("is not made beside another one", async () => {
    await greenlight.start();
    await setUp({});
    await greenlight.rake("admin:create[Grace,grace@school.eu,Grace-Hopper1]");
    const { code, output } = await setUp({}, ada);
    expect([code, output]).toEqual([
      0,
      expect.stringContaining("another administrator than ada@school.eu already"),
    ]);
    expect(accounts()).toEqual(["Grace|grace@school.eu|Administrator|active"]);
  });

  test("is nobody who registered with that address", async () => {
    await greenlight.start();
    await setUp({});
    await greenlight.rake("user:create[Mallory,ada@school.eu,Mallory-Pass1,User]");
    const { code, output } = await setUp({}, ada);
    expect(code).toBe(1);
    expect(output).toMatch(
      /ada@school\.eu has an account that is no administrator's: .*greenlight\.admin\.email.*set_admin_role/,
    );
    expect(accounts()).toEqual(["Mallory|ada@school.eu|User|active"]);
  });
});

test("a container that fails and repeats all that it was given: the end of what it said, without a secret", async () => {
  await greenlight.install();
  greenlight.host.fake(
    "docker",
    `[[ $1 == exec ]] || exit 0; cat; echo "password ${PASSWORD} of no use"; echo "PG::ConnectionBad"; exit 1`,
  );
  const { code, output } = await setUp({}, ada);
  expect([code, output]).toEqual([
    1,
    expect.stringContaining(
      "Greenlight's container refused (exit code 1): PG::ConnectionBad. docker logs greenlight-v3",
    ),
  ]);
  expect(output).toContain('REQUEST = "(secret)"');
  expect(output).toContain("password (secret) of no use");
  expect(output).not.toContain(PASSWORD);
});

describe("settings", () => {
  const wishes = { registration: "invite", defaultRole: "Guest", roomLimit: 5 } as const;

  test("are written, written again after a change by hand, and go back to what was before", async () => {
    await greenlight.start();
    await setUp({ registration: "approval" });
    expect(settings()).toEqual(["User", "approval"]);
    expect((await setUp(wishes)).output).toMatch(/RegistrationMethod: approval -> invite[^]*Guest: 100 -> 5/);
    expect(settings()).toEqual(["Guest", "invite"]);
    expect(limits()).toEqual(["Administrator|100", "Guest|5", "User|100"]);

    expect((await setUp(wishes)).output).not.toContain("->");
    greenlight.rows("UPDATE site_settings SET value = 'open' WHERE name = 'RegistrationMethod'");
    expect((await setUp(wishes)).output).toContain("RegistrationMethod: open -> invite");

    expect((await setUp({ roomLimit: 7 })).code).toBe(0);
    expect(settings()).toEqual(["User", "open"]);
    expect(limits()).toEqual(["Administrator|100", "Guest|100", "User|7"]);
    await setUp({}, ada);
    expect(limits()).toEqual(["Administrator|100", "Guest|100", "User|100"]);
  });

  test("of a role that there is not: nothing is changed, and the roles are told", async () => {
    await greenlight.start();
    const { code, output } = await setUp({ registration: "invite", defaultRole: "Teacher", roomLimit: 3 });
    expect(code).toBe(1);
    expect(output).toMatch(
      /there is no role Teacher with a limit of rooms; there is no role Teacher; there are Administrator, User, Guest/,
    );
    expect(settings()).toEqual(["User", "open"]);
  });
});

describe("without a Greenlight that is well", () => {
  test("none installed", async () => {
    const { code, output } = await setUp({}, ada);
    expect([code, output]).toEqual([
      1,
      expect.stringContaining(
        "there is no /root/greenlight-v3/.env and no /root/greenlight-v3/docker-compose.yml. Give the setting upgrade",
      ),
    ]);
  });

  test.each([
    ["no database", { DATABASE_URL: "" }, /Unable to connect to Database - .*docker logs postgres/],
    [
      "another secret",
      { BIGBLUEBUTTON_SECRET: "wrong", SMTP_HEALTH_CHECK_DISABLED: "true" },
      /Unable to connect to BigBlueButton - the shared secret was refused.*bbb-conf --secret/,
    ],
  ])("%s: the cause and the remedy, after a bounded wait", async (_, env, said) => {
    await greenlight.start(env);
    const { code, output } = await setUp({}, ada, { BBB_DEPLOY_PATIENCE: "1" });
    expect(code).toBe(1);
    expect(output).toMatch(said);
    expect(accounts()).toEqual([]);
  });

  test("its container does not run", async () => {
    await greenlight.install();
    const { output } = await setUp({}, ada, {
      BBB_DEPLOY_PATIENCE: "1",
      BBB_DEPLOY_GREENLIGHT: "http://127.0.0.1:9",
    });
    expect(output).toMatch(/not well after 1 s: does not answer: .*refused.*docker logs greenlight-v3/);
  });
});

describe("the image", () => {
  const { version } = greenlightImage;
  const tag = () =>
    /greenlight:(\S+)/.exec(greenlight.host.read("root/greenlight-v3/docker-compose.yml"))?.[1];
  const pulled = () => greenlight.host.called("docker").filter((line) => line.startsWith("docker pull"));
  const running = (text: string) => writeFileSync(join(greenlight.host.directory, "version"), text);
  const run = (wishes: GreenlightWishes = {}, upgrade = "") => setUp(wishes, undefined, {}, upgrade);

  test("is pinned at first, and fetched before Greenlight is made anew with it", async () => {
    await greenlight.install();
    expect((await run()).output).toContain(`fetching bigbluebutton/greenlight:v${version}`);
    expect([tag(), pulled()]).toEqual([`v${version}`, [`docker pull bigbluebutton/greenlight:v${version}`]]);
    await run();
    expect(pulled()).toHaveLength(1);
  });

  test("stays until there is a new text of upgrade, whatever version the project has by then", async () => {
    await greenlight.install();
    await run({ version: "3.8.0" });
    await run();
    expect(tag()).toBe("v3.8.0");
    await run({}, "2026-12-01");
    expect(tag()).toBe(`v${version}`);
  });

  test.each(['["PATH=/bin","VERSION_TAG=release-3.8.10"]', '["VERSION_TAG=v3.8.10"]'])(
    "is never an older one than runs: %j",
    async (said) => {
      await greenlight.install();
      running(said);
      expect((await run()).output).toContain("note: Greenlight 3.8.10 is newer than 3.8.2.4, and stays");
      expect(tag()).toBe("v3.8.10");
    },
  );

  test.each(["[]", "null", '["VERSION_TAG=master-1a2b3c4"]', ""])(
    "stays where it does not tell its version: %j",
    async (said) => {
      await greenlight.install();
      running(said);
      const { code, output } = await run();
      expect([code, output]).toEqual([0, expect.stringContaining("v3 does not tell its version, and stays")]);
      expect([tag(), pulled()]).toEqual(["v3", []]);
    },
  );

  test("keeps a tag that somebody wrote by hand since, and is told", async () => {
    await greenlight.install();
    await run();
    const file = "root/greenlight-v3/docker-compose.yml";
    greenlight.host.put(file, greenlight.host.read(file).replace(`v${version}`, "v3.8.1"));
    expect((await run()).output).toContain(
      "note: Greenlight's image has the tag v3.8.1 by hand, and keeps it",
    );
    expect(tag()).toBe("v3.8.1");
  });

  test("of somebody else stays", async () => {
    await greenlight.install();
    greenlight.host.put(
      "root/greenlight-v3/docker-compose.yml",
      "services:\n  x:\n    image: school/greenlight:v3\n",
    );
    expect((await run()).output).toContain("names another image than bigbluebutton/greenlight, which stays");
    expect(pulled()).toEqual([]);
  });

  test("that can't be fetched: one that was asked for ends the step, with nothing changed", async () => {
    await greenlight.install();
    const { code, output } = await run({ version: "3.9.9" });
    expect(code).toBe(1);
    expect(output).toMatch(
      /greenlight:v3\.9\.9 could not be fetched: manifest unknown\..*greenlight\.version/,
    );
    expect(tag()).toBe("v3");
  });
});

describe(".env", () => {
  const mail = { server: "127.0.0.1", port: 9, sender: "bbb@school.eu", senderName: "Schule Köln #1 $HOME" };
  const account = { user: "greenlight", password: `p"a$s #\\ö` };
  const environment = () => greenlight.host.read("root/greenlight-v3/.env");

  test("has its keys quoted as Compose reads them, beside what somebody wrote by hand, for root only", async () => {
    await greenlight.install({ SMTP_PORT: "25", RELATIVE: "kept # as it is" });
    const { code, output } = await setUp({ smtp: { ...mail, ...account } });
    expect([code, output]).toEqual([0, expect.stringContaining("for greenlight, greenlight.smtp")]);
    expect(environment()).toContain("RELATIVE=kept # as it is\nSMTP_HEALTH_CHECK_DISABLED=true\n");
    expect(environment().split("\n")).toEqual(
      expect.arrayContaining([
        "SMTP_PORT=9",
        `SMTP_PASSWORD='${account.password}'`,
        "SMTP_SENDER_NAME='Schule Köln #1 $HOME'",
        "SMTP_AUTH=plain",
        "SMTP_DOMAIN=bbb.school.eu",
      ]),
    );
    expect(statSync(join(greenlight.home, ".env")).mode & 0o777).toBe(0o600);
    const record = readFileSync(join(greenlight.host.root, "var/lib/bbb-deploy/greenlight/env.json"), "utf8");
    for (const text of [output, record, greenlight.seen()]) expect(text).not.toContain(account.password);
  });

  test("is written once, and its containers are made anew where it changed by hand", async () => {
    await greenlight.install();
    await setUp({ smtp: mail });
    const before = environment();
    greenlight.host.forgetCalls();
    expect((await setUp({ smtp: mail })).output).not.toContain("writing");
    expect(environment()).toBe(before);
    greenlight.host.put("root/greenlight-v3/.env", before.replace("SMTP_PORT=9", "SMTP_PORT=10"));
    expect((await setUp({ smtp: mail })).output).toContain(
      "writing /root/greenlight-v3/.env, for greenlight.smtp",
    );
    expect(environment()).toBe(before);
  });

  test("goes back to what it was, key by key, where a wish is taken back", async () => {
    await greenlight.install({ SMTP_SERVER: "by-hand.school.eu" });
    const before = environment();
    const provider = {
      issuer: "https://id.school.eu",
      clientId: "c",
      clientSecret: "s",
      matchByEmail: false,
    };
    await setUp({ smtp: mail, openidConnect: provider });
    expect(environment()).toContain("OPENID_CONNECT_ISSUER=https://id.school.eu\n");
    await setUp({});
    expect(environment()).toBe(`${before}SMTP_HEALTH_CHECK_DISABLED=true\n`);
  });

  test("is checked key by key, without a value in any word", async () => {
    await greenlight.install();
    const look = () =>
      inPython("greenlight_check.check_environment(*given)", [
        join(greenlight.home, ".env"),
        join(greenlight.host.root, "var/lib/bbb-deploy/greenlight/deployed.json"),
      ]);
    expect(await look()).toMatch(/^skip the deployment has written none of it/);
    await setUp({ smtp: { ...mail, ...account } });
    expect(await look()).toBe("ok 12 keys as deployed");
    greenlight.host.put(
      "root/greenlight-v3/.env",
      environment()
        .replace("SMTP_PORT=9", "SMTP_PORT=10")
        .replace(/^SMTP_PASSWORD=.*\n/m, ""),
    );
    expect(await look()).toMatch(/^warn SMTP_PORT, SMTP_PASSWORD in \.env are another than deployed → /);
  });

  test("containers that do not start end the step with where to look", async () => {
    await greenlight.install();
    greenlight.host.fake("docker", "[[ $2 == version ]]");
    const { code, output } = await setUp({ smtp: mail });
    expect([code, output]).toEqual([
      1,
      expect.stringContaining(
        "Greenlight's containers did not start (exit code 1): the log, and docker compose logs",
      ),
    ]);
  });
});

describe("the mail server", () => {
  /** Answer of the check to an .env of these settings. */
  async function mailCheck(settings: Readonly<Record<string, string>>): Promise<string> {
    const file = Object.entries(settings)
      .map(([key, value]) => `${key}='${value}'\n`)
      .join("");
    greenlight.host.put("env", file);
    return inPython("greenlight_check.check_mail(given)", join(greenlight.host.root, "env"));
  }

  /** Mail server that takes one account. */
  async function serve(work: (port: string, heard: string[]) => Promise<void>): Promise<void> {
    const heard: string[] = [];
    const server = createServer((socket) => {
      const answer = (line: string) => socket.write(`${line}\r\n`);
      answer("220 mail");
      socket.on("error", () => undefined);
      socket.on("data", (data) => {
        const line = data.toString().trim();
        heard.push(line);
        if (line.startsWith("ehlo")) answer("250-mail\r\n250 AUTH PLAIN");
        else if (line.startsWith("AUTH PLAIN")) {
          answer(Buffer.from(line.slice(11), "base64").toString() === "\0bbb\0right" ? "235 ok" : "535 no");
        } else answer(line === "QUIT" ? "221 bye" : "250 ok");
      });
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    try {
      await work(String((server.address() as AddressInfo).port), heard);
    } finally {
      server.close();
    }
  }

  const plain = {
    SMTP_SERVER: "127.0.0.1",
    SMTP_STARTTLS: "false",
    SMTP_STARTTLS_AUTO: "false",
    SMTP_TLS: "false",
  };

  test("takes the account, and no letter is sent", () =>
    serve(async (port, heard) => {
      const answer = await mailCheck({
        ...plain,
        SMTP_PORT: port,
        SMTP_USERNAME: "bbb",
        SMTP_PASSWORD: "right",
      });
      expect(answer).toBe(`ok 127.0.0.1:${port} takes the account bbb`);
      expect(heard.filter((line) => /^(mail|rcpt|data)/i.test(line))).toEqual([]);
    }));

  test("refuses the account: a warning without the password", () =>
    serve(async (port) => {
      const answer = await mailCheck({
        ...plain,
        SMTP_PORT: port,
        SMTP_USERNAME: "bbb",
        SMTP_PASSWORD: "wrong",
      });
      expect(answer).toMatch(
        /^warn 127\.0\.0\.1:\d+ refuses the account bbb \(code 535\) → give greenlight\.smtp\.user/,
      );
      expect(answer).not.toContain("wrong");
    }));

  test("has no STARTTLS where that is asked for: a warning", () =>
    serve(async (port) => {
      expect(await mailCheck({ ...plain, SMTP_STARTTLS: "true", SMTP_PORT: port })).toMatch(
        /^warn .* takes no mail: STARTTLS/,
      );
    }));

  test("does not answer: a warning that knows of the clouds' closed ports", async () => {
    expect(await mailCheck({ ...plain, SMTP_PORT: "9" })).toMatch(
      /^warn 127\.0\.0\.1:9 takes no mail: .*refused.*port 587 is open/,
    );
  });

  test("is none: nothing to ask", async () => {
    expect(await mailCheck({})).toMatch(/^skip no mail server is set/);
  });

  test("is none in Greenlight's own health check either, which is no fault", async () => {
    await greenlight.start();
    await setUp({});
    greenlight.host.put(
      "root/greenlight-v3/.env",
      greenlight.host.read("root/greenlight-v3/.env").replace("DISABLED=true", "DISABLED=false"),
    );
    await greenlight.composeUp();
    expect(await inPython("well(given)", greenlight.local)).toBe(
      "ok well but for mail: it reaches no mail server",
    );
  });
});

test.each([
  [
    "OpenID Connect",
    { OPENID_CONNECT_ISSUER: "https://id.school.eu" },
    "skip people sign in at the OpenID Connect provider",
  ],
  ["hCaptcha", { HCAPTCHA_SITE_KEY: "key" }, "skip the sign-in asks for an hCaptcha"],
])("with %s the administrator's sign-in can't be asked", async (_, env, said) => {
  await greenlight.start(env);
  const { code, output } = await setUp({}, ada);
  expect([code, output]).toEqual([0, expect.stringContaining("not signed in: ")]);
  expect(await check()).toContain(said);
});

test("a meeting that is not on this server is a fault", async () => {
  await greenlight.start();
  await setUp({}, ada);
  greenlight.apiSecret = "another";
  expect(await check()).toMatch(/^FAIL signed in, but then: HTTP status 400, checksumError/);
  expect(greenlight.rows("SELECT name FROM rooms")).toEqual([]);
});

test.each([
  ["without Greenlight", {}, true, []],
  ["with Greenlight alone", { greenlight: true }, true, ["Greenlight", "Greenlight's settings", "mail"]],
  [
    "with an administrator, who is signed out nowhere by a mere look",
    { greenlight: true, greenlightAdmin: ada },
    false,
    ["Greenlight", "Greenlight's settings", "mail"],
  ],
  [
    "with an administrator, where a meeting is made also",
    { greenlight: true, greenlightAdmin: ada },
    true,
    ["Greenlight", "Greenlight's settings", "mail", "administrator"],
  ],
])("the page %s", async (_, request, meeting, wanted) => {
  const program = `
import json, sys
sys.path.insert(0, ${JSON.stringify(SCRIPTS)})
import host_check

class Page:
    def check(self, name, *_, **__):
        print(name)

given, meeting = json.load(sys.stdin)
host_check.check_greenlight(Page(), {"bbbHost": "bbb.school.eu", "sharedSecret": "x", **given}, {"wait": 0, "meeting": meeting})
`;
  const { output } = await run(["/usr/bin/python3", "-c", program], JSON.stringify([request, meeting]));
  expect(output.split("\n").filter(Boolean)).toEqual(wanted);
});
