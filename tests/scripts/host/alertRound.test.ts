import { rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";

import { AlertHost, PASSWORD } from "./alertHost";
import type { Record } from "./checks";
import { done } from "./scripts";

const record = (name: string, verdict: Record["verdict"], answer: string): Record => ({
  ...{ name, asked: "", verdict, answer, seconds: 0.1 },
});
const DOWN = record("services", "FAIL", "freeswitch is failed");
const WELL = record("services", "ok", "all 9 active");
const STATE = "var/lib/bbb-deploy/alerts/state.json";

let host: AlertHost;
beforeEach(async () => {
  host = await AlertHost.make();
});
afterEach(() => host.remove());

async function rounds(count: number): Promise<string> {
  let output = "";
  for (let number = 0; number < count; number++) {
    const ended = await host.round();
    expect(ended).toMatchObject({ code: 0 });
    output += ended.output;
  }
  return output;
}

const subjects = () => host.mails.map(({ text }) => /^Subject: (.*)$/m.exec(text)?.[1]);
const hookTexts = () => host.hooks.map(({ body }) => (JSON.parse(body) as { title: string }).title);

test("a round keeps what it has cost, what it ran included", async () => {
  host.use({ email: host.email() });
  await rounds(1);
  const { round } = JSON.parse(host.read(STATE)) as { round: { processor: number } };
  // Two starts of Python at least.
  expect(round.processor).toBeGreaterThan(0.02);
  expect(round.processor).toBeLessThan(20);
});

test("a fault and its end are told by e-mail, after log-in and by TLS, and nothing in between", async () => {
  host.use({ email: host.email({ to: ["a@school.eu", "b@school.eu"] }) });
  host.finds(DOWN);
  expect(await rounds(5)).toBe("email: bbb.school.eu: wrong: services\n");
  host.finds(WELL);
  expect(await rounds(3)).toBe("email: bbb.school.eu: well again: services\n");
  expect(subjects()).toEqual(["bbb.school.eu: wrong: services", "bbb.school.eu: well again: services"]);
  expect(host.mails[0]).toMatchObject({
    ...{ from: "bbb@school.eu", to: ["a@school.eu", "b@school.eu"], user: "bbb" },
    text: expect.stringContaining("freeswitch is failed") as string,
  });
});

test("all ways get the same message, a round's faults in one", async () => {
  host.use({ email: host.email(), webhook: { form: "json", url: host.url("/hook?token=secret") } });
  host.finds(DOWN, record("disk", "warn", "9 GB free"));
  await rounds(3);
  expect(subjects()).toEqual(["bbb.school.eu: wrong: services; to look at: disk"]);
  expect(hookTexts()).toEqual(subjects());
  expect(host.hooks[0]).toMatchObject({ method: "POST", url: "/hook?token=secret" });
});

test("what can't be sent is kept, told together later, and shown to scripts/check meanwhile", async () => {
  host.use({ email: host.email(), webhook: { form: "json", url: host.url("/hook") } });
  host.finds(DOWN);
  await rounds(1);
  await host.stopMail();
  expect(await rounds(1)).toMatch(
    /^email: not sent: the mail server localhost:\d+ can't be reached: Connection refused\n/,
  );
  host.finds(WELL);
  await rounds(2);
  expect(JSON.parse(host.read(STATE))).toMatchObject({
    failing: { email: { words: expect.stringContaining("refused") as string } },
  });
  await host.startMail();
  await rounds(2);
  expect(subjects()).toEqual(["bbb.school.eu: wrong: services; well again: services"]);
  // The other way was there all the time.
  expect(hookTexts()).toEqual(["bbb.school.eu: wrong: services", "bbb.school.eu: well again: services"]);
  const { failing, pending } = JSON.parse(host.read(STATE)) as { failing: object; pending: object };
  expect({ failing, pending }).toEqual({ failing: {}, pending: { email: [], webhook: [] } });
});

test("no reboot makes it forget, or say a word", async () => {
  host.use({ email: host.email() });
  host.finds(DOWN);
  await rounds(2);
  rmSync(join(host.root, "run"), { recursive: true });
  await rounds(2);
  host.finds(WELL);
  rmSync(join(host.root, "run"), { recursive: true });
  await rounds(2);
  expect(subjects()).toEqual(["bbb.school.eu: wrong: services", "bbb.school.eu: well again: services"]);
});

test("a disk that takes nothing does not keep it from telling once", async () => {
  host.use({ email: host.email() });
  host.finds(record("disk", "FAIL", "full"));
  await rounds(1);
  // Nobody can write a file where a directory is.
  rmSync(join(host.root, STATE));
  host.put(`${STATE}/full`, "");
  await rounds(4);
  expect(subjects()).toEqual(["bbb.school.eu: wrong: disk"]);
});

test("a state that was cut off is begun anew", async () => {
  host.use({ email: host.email() });
  host.put(STATE, '{"rounds": 7, "che');
  host.finds(DOWN);
  await rounds(2);
  expect(subjects()).toHaveLength(1);
});

test("nothing is checked while a step of an update is at work", async () => {
  host.use({ email: host.email() });
  host.finds(DOWN);
  host.put("var/lib/bbb-deploy/lock", "");
  const lock = join(host.root, "var/lib/bbb-deploy/lock");
  const holder = host.start(["flock", "--no-fork", lock, "sleep", "60"]);
  try {
    for (let tries = 0; (await done(host.start(["flock", "-n", lock, "true"]))).code === 0; tries++) {
      expect(tries).toBeLessThan(100);
    }
    await rounds(3);
  } finally {
    holder.kill();
  }
  expect(host.asked).toBeUndefined();
  expect(JSON.parse(host.read(STATE))).toMatchObject({
    round: { quiet: "an update is at work on this host" },
  });
});

test("nothing is checked from an update's first step to its last, at most for an hour and a half", async () => {
  host.use({ email: host.email() });
  host.finds(DOWN);
  host.put("var/lib/bbb-deploy/numbers", "alerts.sh 7/7\n");
  host.age("alerts/settings.json", 6000);
  await rounds(1);
  expect(host.asked).toBeUndefined();
  host.age("numbers", 5500);
  await rounds(1);
  expect(host.asked).toBeDefined();
});

test("after an update, whose last step brings the settings, everything is checked", async () => {
  host.put("var/lib/bbb-deploy/numbers", "alerts.sh 7/7\n");
  host.age("numbers", 5);
  host.use({ email: host.email() });
  await rounds(1);
  expect(host.asked).toBeDefined();
});

test("nothing is checked in the first minutes after a start", async () => {
  host.use({ email: host.email() });
  const ended = await host.round({ BBB_ALERTS_BOOT_SECONDS: String(1e9) });
  expect(ended.code).toBe(0);
  expect(host.asked).toBeUndefined();
});

test("pending updates are not asked for, the costly checks once an hour, and the API by its own host only", async () => {
  host.use({ email: host.email() });
  host.finds(record("bbb-conf", "ok", "no problems"), record("mail", "ok", "takes mail"));
  await rounds(1);
  expect(host.asked).toEqual({
    role: "bbb",
    secret: "x",
    wait: 0,
    meeting: false,
    omit: ["updates"],
    other: true,
  });
  await rounds(1);
  expect(host.asked).toMatchObject({ omit: ["updates", "bbb-conf", "mail"] });
  host.use({ email: host.email() }, "turn");
  await rounds(1);
  expect(host.asked?.["omit"]).toEqual(expect.arrayContaining(["API", "signed call", "front page"]));
});

test("a check that a setting no longer asks for is forgotten, and not before a round came to its end", async () => {
  const backup = record("backup", "FAIL", "the last one is 3 days old");
  const [slow, disk] = [record("bbb-conf", "FAIL", "of no use"), record("disk", "ok", "90 GB free")];
  const known = () => Object.keys((JSON.parse(host.read(STATE)) as { checks: object }).checks);
  host.use({ email: host.email() });
  host.finds(backup, slow, disk);
  await rounds(2);
  expect(known()).toEqual(["backup", "bbb-conf"]);
  writeFileSync(join(host.lib, "cut-off"), "");
  host.finds(disk);
  await rounds(1);
  expect(known()).toEqual(expect.arrayContaining(["backup", "bbb-conf"]));
  rmSync(join(host.lib, "cut-off"));
  await rounds(1);
  // Not asked for within the hour, it is as it was.
  expect(known()).toEqual(["bbb-conf"]);
});

test("a check that does not come to its end is told", async () => {
  host.use({ email: host.email() });
  writeFileSync(join(host.lib, "cut-off"), "");
  await rounds(3);
  expect(subjects()).toEqual(["bbb.school.eu: to look at: the check itself"]);
});

test("the dead man's switch is asked after each round, at /fail while a failure is told", async () => {
  host.use({ healthcheckUrl: host.url("/ping/uuid?rid=1") });
  host.finds(record("disk", "warn", "9 GB free"));
  await rounds(3);
  host.finds(DOWN);
  await rounds(2);
  host.put("var/lib/bbb-deploy/numbers", "alerts.sh 7/7\n");
  host.age("alerts/settings.json", 60);
  await rounds(1);
  const fine = "/ping/uuid?rid=1";
  const bad = "/ping/uuid/fail?rid=1";
  expect(host.hooks.map(({ url }) => url)).toEqual([fine, fine, fine, fine, bad, bad]);
});

test.each([
  [
    "another password",
    { password: "wrong" },
    /refused user and password: 535 5\.7\.8 .*alerts\.email\.password/s,
  ],
  [
    "a recipient",
    { to: ["nobody@school.eu"] },
    /refused a recipient: nobody@school\.eu: 550 5\.1\.1 .*alerts\.email\.to/s,
  ],
  ["one of two recipients", { to: ["nobody@school.eu", "a@school.eu"] }, /nobody@school\.eu: 550/],
  [
    "a name that is not in the certificate",
    { server: "127.0.0.1" },
    /is not trusted: .*alerts\.email\.server/s,
  ],
  ["a port at which nobody listens", { port: 1 }, /can't be reached: Connection refused.*ports 25 and 465/s],
])("a test message that is refused says by what, and what to do: %s", async (_name, more, told) => {
  host.put("new.json", host.settings({ email: host.email(more) }));
  const announce = ["--announce", join(host.root, "new.json")];
  const { code, output } = await done(
    host.start(["/usr/bin/python3", "-B", join(host.lib, "alert_round.py"), ...announce]),
  );
  expect(code).toBe(1);
  expect(output).toMatch(told);
  expect(output).not.toContain(PASSWORD);
});

test("no password is sent to a mail server without STARTTLS", async () => {
  const heard: string[] = [];
  const server = createServer((socket) => {
    socket.write("220 plain ESMTP\r\n");
    socket.on("data", (data: Buffer) => {
      heard.push(data.toString());
      socket.write("250 plain\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  host.use({ email: host.email({ port }) });
  host.finds(DOWN);
  expect(await rounds(2)).toMatch(/ offers no STARTTLS, so the password was not sent\n$/);
  server.close();
  expect(heard.join("")).toMatch(/^ehlo /);
  expect(heard.join("")).not.toMatch(/auth/i);
});

test("a recipient that is refused has the others get it once only", async () => {
  host.use({ email: host.email({ to: ["nobody@school.eu", "a@school.eu"] }) });
  host.finds(DOWN);
  await rounds(4);
  expect(host.mails.map(({ to }) => to)).toEqual([["a@school.eu"]]);
  expect(JSON.parse(host.read(STATE))).toMatchObject({
    failing: { email: { words: expect.stringContaining("nobody@school.eu: 550") as string } },
  });
});

test("a webhook's refusal is told without its URL", async () => {
  await host.stopWeb();
  host.put("new.json", host.settings({ webhook: { form: "slack", url: host.url("/services/T0/secret") } }));
  const { code, output } = await done(
    host.start([
      "/usr/bin/python3",
      "-B",
      join(host.lib, "alert_round.py"),
      "--announce",
      join(host.root, "new.json"),
    ]),
  );
  expect(code).toBe(1);
  expect(output).toMatch(
    /^webhook: not sent: localhost can't be reached: Connection refused\nto do for webhook: .*alerts\.webhook\.url/,
  );
  expect(output).not.toContain("secret");
});

describe("a pool", () => {
  const server = (number: number, verdict: Record["verdict"]) =>
    record(`server bbb-${number}`, verdict, "its API does not answer the balancer");
  const nodes = ["bbb-1.school.eu", "bbb-2.school.eu"];
  const use = (...names: string[]) =>
    host.use({ email: host.email() }, "balancer", { request: { role: "balancer", nodes: names } });

  test("what another of its hosts tells is not asked", async () => {
    host.use({ email: host.email() }, "bbb", { omit: ["other host", "TURN"] });
    await rounds(1);
    expect(host.asked?.["omit"]).toEqual(expect.arrayContaining(["updates", "other host", "TURN"]));
  });

  test("servers that fall at once are one message of the balancer's", async () => {
    use(...nodes);
    host.finds(server(1, "warn"), server(2, "warn"));
    await rounds(3);
    expect(subjects()).toEqual(["balancer.school.eu: to look at: server bbb-1, server bbb-2"]);
    expect(host.mails[0]!.text).toContain("Balancer balancer.school.eu");
  });

  test("a server that was told to be away, and that an update took out of the pool, is forgotten", async () => {
    use(...nodes);
    host.finds(server(1, "ok"), server(2, "warn"));
    await rounds(2);
    use(nodes[0]!);
    host.finds(server(1, "ok"), DOWN);
    await rounds(2);
    expect(host.mails.at(-1)!.text).toContain("Nothing else is wrong.");
    expect(JSON.parse(host.read(STATE))).toMatchObject({
      checks: expect.not.objectContaining({ "server bbb-2": expect.anything() }) as object,
    });
  });
});
