import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket as Connection } from "node:net";

import { check } from "./checks";
import { FakeHost } from "./scripts";

let host: FakeHost;
let server: Socket | undefined;

beforeEach(() => {
  host = new FakeHost();
  host.fake("systemctl", 'case $1 in is-active) echo active ;; show) echo "since then" ;; esac');
});

afterEach(() => {
  server?.close();
  server = undefined;
  host.remove();
});

/** Listens at coturn's port; answers or not. */
async function listening(answers: boolean): Promise<void> {
  const made = createSocket("udp4", (request, { port, address }) => {
    if (answers)
      made.send(Buffer.concat([Buffer.from([1, 1, 0, 0]), request.subarray(4, 20)]), port, address);
  });
  server = made;
  made.bind(3478, "127.0.0.9");
  await once(made, "listening");
}

const coturn = () => check(host, "service_check", "check_coturn", ["127.0.0.9"]);

test("a coturn that does not run is told", async () => {
  host.fake("systemctl", "echo inactive");
  expect(await coturn()).toMatchObject({
    verdict: "FAIL",
    answer: "coturn is inactive",
    remedy: expect.stringContaining("systemctl restart coturn") as string,
  });
});

test("a coturn that answers is well", async () => {
  await listening(true);
  expect(await coturn()).toMatchObject({ verdict: "ok", answer: "answers, active since since then" });
});

test("a coturn that is active and answers nobody hangs, and a restart is the way", async () => {
  await listening(false);
  expect(await coturn()).toMatchObject({
    verdict: "FAIL",
    answer: "coturn is active, but hangs: it does not answer at 127.0.0.9, 3478/udp",
    remedy: expect.stringMatching(/^systemctl restart coturn/) as string,
  });
});

describe("a file that a service needs", () => {
  const PATH = "/etc/turnserver/privkey.pem";
  const readable = () =>
    check(host, "service_check", "check_readable", "turnserver", [PATH], "systemctl restart coturn");
  /** Stand-in for `setpriv … test -FLAG PATH`, for an account with all rights but this one. */
  const denying = (flag: string, path: string) =>
    host.fake("setpriv", `[[ "\${*: -2}" != "-${flag} ${host.root}${path}" ]]`);

  beforeEach(() => host.put(PATH, "key"));

  test("is well where its account can read it", async () => {
    denying("r", "/nothing");
    expect(await readable()).toMatchObject({ verdict: "ok", answer: "1 files" });
    expect(host.called("setpriv").at(-1)).toContain(
      "--reuid=turnserver --regid=turnserver --init-groups test -r",
    );
  });

  test("fails where it can't, with owner and mode that help", async () => {
    denying("r", PATH);
    expect(await readable()).toMatchObject({
      verdict: "FAIL",
      answer: `turnserver can't read ${PATH}`,
      remedy: `chown root:turnserver ${PATH} && chmod 640 ${PATH}, then systemctl restart coturn`,
    });
  });

  test("fails where its directory is closed, by the directory's name", async () => {
    denying("x", "/etc/turnserver");
    expect(await readable()).toMatchObject({
      verdict: "FAIL",
      answer: `turnserver can't read ${PATH}, since it may not enter /etc/turnserver`,
      remedy: "chgrp turnserver /etc/turnserver && chmod g+rx /etc/turnserver, then systemctl restart coturn",
    });
  });

  test("leaves it open where there is no such account", async () => {
    host.fake("setpriv", "echo 'setpriv: failed to parse reuid'; exit 1");
    expect(await readable()).toMatchObject({
      verdict: "warn",
      answer: expect.stringMatching(/^nobody can be turnserver here/) as string,
    });
  });
});

describe("services that are active", () => {
  beforeEach(() =>
    host.fake("systemctl", "if [[ $1 = is-active ]]; then shift; for unit; do echo active; done; fi"),
  );
  const servers: Server[] = [];
  const connections: Connection[] = [];
  afterEach(() => {
    for (const connection of connections.splice(0)) connection.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  /** Port of a service, and the first text that it got; `serve` handles a connection. */
  async function serving(
    serve: (connection: Connection) => void,
  ): Promise<{ port: number; heard: string[] }> {
    const heard: string[] = [];
    const server = createServer((connection) => {
      connections.push(connection);
      connection.on("error", () => undefined);
      connection.on("data", (data) => heard.push(data.toString("latin1")));
      serve(connection);
    });
    servers.push(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return { port: (server.address() as AddressInfo).port, heard };
  }

  const onceAsked = (answer: string) => (connection: Connection) =>
    connection.once("data", () => connection.end(answer));
  const silent = () => undefined;
  const answers = (...services: { unit: string; port: number; speaks: string }[]) =>
    check(host, "service_check", "check_answers", services, 2);
  const service = (unit: string, { port }: { port: number }, speaks = "http") => ({ unit, port, speaks });

  test("and answer are well, each asked in its own way", async () => {
    const web = await serving(onceAsked("HTTP/1.1 404 Not Found\r\n\r\n"));
    const redis = await serving(onceAsked("-NOAUTH Authentication required.\r\n"));
    const database = await serving(onceAsked("N"));
    const events = await serving((connection) => connection.write("Content-Type: auth/request\n\n"));
    const closing = await serving((connection) => connection.end());
    expect(
      await answers(
        service("bbb-web", web),
        service("redis-server", redis, "redis"),
        service("postgresql", database, "postgres"),
        service("freeswitch", events, "freeswitch"),
        service("etherpad", closing),
      ),
    ).toMatchObject({ verdict: "ok", answer: "5 answer" });
    expect(web.heard.join()).toMatch(/^GET \/ HTTP\/1\.1\r\nHost: /);
    expect(redis.heard).toEqual(["PING\r\n"]);
    expect(database.heard).toEqual(["\0\0\0\b\x04\xd2\x16\x2f"]);
  });

  test("but say nothing are named, with what helps", async () => {
    const web = await serving(onceAsked("HTTP/1.1 200 OK\r\n\r\n"));
    const middleware = await serving(silent);
    const redis = await serving(silent);
    expect(
      await answers(
        service("bbb-web", web),
        service("bbb-graphql-middleware", middleware),
        service("redis-server", redis, "redis"),
      ),
    ).toMatchObject({
      verdict: "FAIL",
      answer:
        `bbb-graphql-middleware is active, but hangs: it does not answer at port ${middleware.port}, ` +
        `redis-server is active, but hangs: it does not answer at port ${redis.port}`,
      remedy:
        "systemctl restart bbb-graphql-middleware redis-server; " +
        "journalctl -u bbb-graphql-middleware -u redis-server may say why",
    });
  });

  test("at a port where nobody listens nothing is missed, nor of those that do not run", async () => {
    const gone = await serving(silent);
    servers[0]!.close();
    const down = await serving(silent);
    host.fake(
      "systemctl",
      `case $1 in is-active) shift; for unit; do [[ $unit = etherpad ]] && echo inactive || echo active; done ;; esac`,
    );
    expect(await answers(service("bbb-web", gone), service("etherpad", down))).toMatchObject({
      verdict: "ok",
      answer: "1 answer",
    });
  });

  test("and whose process is stopped are named, those without a port, too", async () => {
    host.put("proc/4711/stat", "4711 (bbb (x) y) T 1 4711 4711 0\n");
    host.put("proc/4712/stat", "4712 (bbb) S 1 4712 4712 0\n");
    host.fake(
      "systemctl",
      `case $1 in
         is-active) shift; for unit; do [[ $unit = bbb-fsesl-akka || $unit = bbb-web ]] && echo active || echo inactive; done ;;
         show) if [[ $* = *fsesl* ]]; then echo 4711; else echo 4712; fi ;;
       esac`,
    );
    expect(await answers()).toMatchObject({
      verdict: "FAIL",
      answer: "bbb-fsesl-akka is active, but hangs: its process is stopped",
      remedy: expect.stringMatching(/^systemctl restart bbb-fsesl-akka;/) as string,
    });
  });
});
