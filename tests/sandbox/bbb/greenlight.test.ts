import { readdirSync } from "node:fs";

import { packaged, FakeHost } from "./standin";

/** Stand-in of docker, which knows two containers. */

const DOCKER = packaged("bbb-greenlight-standin", "/usr/bin/docker");
const HOME = "/root/greenlight-v3";
const STATE = "/var/lib/bbb-greenlight-standin";
const ENV = `${STATE}/greenlight-v3.env`;

let host: FakeHost;
beforeEach(() => {
  host = new FakeHost();
  host.command(
    "systemctl",
    "case $* in *' docker') exit ;; esac; case $1 in is-active) [[ -e $HOME/${!#} ]] ;; restart) touch $HOME/$2 ;; disable | enable) [[ $* != *--now* ]] || { [[ $1 == enable ]] && touch $HOME/${!#} || rm -f $HOME/${!#}; } ;; esac",
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
const composed = (...args: string[]) =>
  docker("compose", "-f", host.path(`${HOME}/docker-compose.yml`), ...args);
const up = () => composed("up", "-d");
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

describe("with a database", () => {
  const running = () => docker("ps").stdout.split("\n").filter(Boolean);
  const dump = () => composed("exec", "-T", "postgres", "pg_dump", "-U", "postgres");

  beforeEach(() => {
    host.write(
      `${HOME}/docker-compose.yml`,
      "services:\n  postgres:\n    environment:\n      - POSTGRES_PASSWORD=secret\n    volumes:\n      - ./data/rows:/var/lib/postgresql/data\n  greenlight-v3:\n    image: bigbluebutton/greenlight:v3\n",
    );
    host.write(
      `${STATE}/images/postgres/usr/lib/postgresql/15/bin/pg_dump`,
      '#!/bin/bash\necho "$PGHOST $*"',
      0o755,
    );
  });

  test("its container has the password and the place that the compose file says", () => {
    expect(up().status).toBe(0);
    expect(host.read(`${STATE}/postgres.env`)).toBe(
      `POSTGRES_PASSWORD=secret\nDATA=${host.path(HOME)}/data/rows\n`,
    );
    expect(running()).toEqual(["postgres", "greenlight-v3"]);
  });

  test("one container is stopped and started without the other, and made anew where its part has changed", () => {
    up();
    composed("stop", "greenlight-v3");
    expect(running()).toEqual(["postgres"]);
    composed("start", "greenlight-v3");
    expect(running()).toEqual(["postgres", "greenlight-v3"]);
    const before = restarts();
    host.write(`${HOME}/.env`, "A=2\n");
    up();
    expect(restarts()).toBe(before + 1);
    composed("down");
    expect(running()).toEqual([]);
  });

  test("programs of the image run in it while it runs; what it does not have, and one that is down, are refused", () => {
    expect([dump().status, dump().stderr]).toEqual([1, 'service "postgres" is not running\n']);
    up();
    expect(dump().stdout).toBe("/run/greenlight-postgres -U postgres\n");
    expect(docker("exec", "postgres", "pg_dump", "now").stdout).toBe("/run/greenlight-postgres now\n");
    expect(docker("exec", "postgres", "vacuum").stderr).toContain('"vacuum": executable file not found');
  });
});

test("the image of PostgreSQL has its packages and the libraries that the system lacks, without LLVM and Perl", () => {
  const program = packaged("bbb-greenlight-standin", "/usr/lib/bbb-standin/postgres_image.sh");
  host.command("apt-cache", 'echo "  Depends: postgresql-15"');
  host.command(
    "apt-get",
    `case $2 in -s) printf 'Inst %s (1 x)\\n' libllvm14 libz3-4 libjson-perl libperl5.36 perl libxslt1.1 libpq5 postgresql-15 ;; download) touch a.deb b.deb ;; esac`,
  );
  host.command("dpkg-deb", 'mkdir -p "$3/usr/bin" "$3/usr/share/doc"; touch "$3/usr/bin/${2%.deb}"');
  expect(host.run(program, [host.path("image")]).status).toBe(0);
  expect(host.calls().filter((call) => call.startsWith("apt-get -q download"))).toEqual([
    "apt-get -q download libpq5 libxslt1.1 postgresql-15 postgresql-client-15 python3-psycopg2",
  ]);
  expect(readdirSync(host.path("image/usr/bin"))).toEqual(["a", "b"]);
  expect(readdirSync(host.path("image"))).toEqual(["usr"]);
});
