import { packaged, FakeHost } from "./standin";

/** Stand-in of docker, which knows one container. */

const DOCKER = packaged("bbb-greenlight-standin", "/usr/bin/docker");
const HOME = "/root/greenlight-v3";
const ENV = "/var/lib/bbb-greenlight-standin/env";

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.command(
    "systemctl",
    "case $* in *' docker') exit ;; esac; case $1 in is-active) [[ -e $HOME/up ]] ;; restart) touch $HOME/up ;; disable) rm -f $HOME/up ;; esac",
  );
  host.command("curl", `for word; do [[ $last == -o ]] && echo image >"$word"; last=$word; done; printf 200`);
  host.write(`${HOME}/.env`, "A=1\n");
  compose("v3");
});
afterEach(() => host.remove());

const compose = (tag: string) =>
  host.write(
    `${HOME}/docker-compose.yml`,
    `services:\n  greenlight-v3:\n    image: bigbluebutton/greenlight:${tag}\n`,
  );
const docker = (...args: string[]) => host.run(DOCKER, args);
const up = () => docker("compose", "-f", host.path(`${HOME}/docker-compose.yml`), "up", "-d");
const restarts = () => host.calls().filter((line) => line.startsWith("systemctl restart")).length;
const pulls = () => host.calls().filter((line) => line.startsWith("curl")).length;

test("a container is made of .env and its image's version, and anew where one of them changes", () => {
  expect(up().status).toBe(0);
  expect(host.read(ENV)).toBe("A=1\n\nVERSION_TAG=release-3.7.1\n");
  expect(
    docker("image", "inspect", "--format", "{{json .Config.Env}}", "bigbluebutton/greenlight:v3").stdout,
  ).toBe('["LANG=C.UTF-8","VERSION_TAG=release-3.7.1"]\n');
  up();
  expect([restarts(), pulls()]).toEqual([1, 1]);
  host.write(`${HOME}/.env`, "A=2\n");
  up();
  compose("v3.8.2.4");
  up();
  expect([restarts(), pulls()]).toEqual([3, 2]);
  expect(host.read(ENV)).toBe("A=2\n\nVERSION_TAG=release-3.8.2.4\n");
});

test("an image that was fetched before is not fetched again, and one that there is not is refused", () => {
  expect(docker("pull", "bigbluebutton/greenlight:v3.8.0").status).toBe(0);
  compose("v3.8.0");
  up();
  expect(pulls()).toBe(1);
  const { status, stderr } = docker("pull", "bigbluebutton/greenlight:v9");
  expect([status, stderr]).toEqual([1, expect.stringContaining("manifest unknown")]);
});

test("a registry that has had enough is heard", () => {
  host.command("curl", "printf 429");
  const { status, stderr } = up();
  expect([status, stderr]).toEqual([1, expect.stringContaining("toomanyrequests")]);
});

test("in a container that does not run nothing can be done", () => {
  const { status, stderr } = docker("exec", "-i", "greenlight-v3", "bundle", "exec", "rake", "admin:create");
  expect([status, stderr]).toEqual([1, expect.stringContaining("container greenlight-v3 is not running")]);
});

test("without the daemon nothing can be done, but to ask for versions", () => {
  host.command("systemctl", "exit 3");
  const { status, stderr } = docker("compose", "exec", "-T", "postgres", "psql");
  expect([status, stderr]).toEqual([1, expect.stringContaining("Is the docker daemon running?")]);
  expect(docker("--version").status).toBe(0);
});
