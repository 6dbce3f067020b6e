import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

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

/** Somebody at coturn's port, who answers or not. */
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
  /** setpriv … test -FLAG PATH, as an account that may do all but this. */
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
