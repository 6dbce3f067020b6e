import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { releases } from "../../../bigbluebutton/releases";
import { build, rows, STANDIN } from "./standin";

const lines = rows("lines.tsv", /\s+/).map(([release, install, codename, ubuntu, line]) => ({
  release: release!,
  install: install!,
  codename: codename!,
  ubuntu: ubuntu!,
  line: line!,
}));
const sha256 = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

function contents(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(directory.length), sha256(path)];
    }),
  );
}

/** Stanzas of a repository's index. */
function packages(out: string, install: string, codename: string): Record<string, string>[] {
  const index = join(out, "bbb", install, `dists/bigbluebutton-${codename}/main/binary-amd64/Packages`);
  return readFileSync(index, "utf8")
    .trimEnd()
    .split("\n\n")
    .map((stanza) =>
      Object.fromEntries(
        stanza
          .split("\n")
          .filter((line) => !line.startsWith(" "))
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      ),
    );
}

let out: string;
beforeAll(() => (out = build()));
afterAll(() => rmSync(dirname(out), { recursive: true }));

test("the same sources give the same files", () => {
  const again = build();
  try {
    expect(contents(again)).toEqual(contents(out));
  } finally {
    rmSync(dirname(again), { recursive: true });
  }
});

test("a failed build leaves what was there", () => {
  const fake = join(dirname(out), "fake");
  mkdirSync(fake);
  writeFileSync(join(fake, "dpkg-deb"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const directory = join(dirname(out), "kept");
  writeFileSync(directory, "before");
  const { status, stderr } = spawnSync(join(STANDIN, "build"), [directory], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${fake}:${process.env.PATH}` },
  });
  expect(status).not.toBe(0);
  expect(stderr).toContain("error: build stopped");
  expect(readFileSync(directory, "utf8")).toBe("before");
  expect(readdirSync(dirname(out)).sort()).toEqual(["fake", "kept", "out"]);
});

describe.each(lines)("$release", ({ release, install, codename, ubuntu, line }) => {
  test("is the row of that name in the project's own table", () => {
    expect(releases[release as keyof typeof releases]).toMatchObject({
      installVersion: install,
      codename,
      ubuntu,
      version: line,
    });
  });

  test("has an installer with its digest, which says what it is and what it would install", () => {
    const installer = join(out, "bbb-install", release, "bbb-install.sh");
    const text = readFileSync(installer, "utf8");
    expect(readFileSync(`${installer}.sha256`, "utf8")).toBe(`${sha256(installer)}  bbb-install.sh\n`);
    expect(text).toContain(`STAND-IN ${line}`);
    expect(text).not.toMatch(/@[A-Z_]+@/);
    const { stderr } = spawnSync("bash", [installer, "-h"], { encoding: "utf8" });
    const options = [...stderr.matchAll(/^ {2}-(\w) (?:(<)| )/gm)].map(([, letter, argument]) =>
      argument ? `${letter}:` : letter,
    );
    const letters = "h s: r: c: v: e: p: m: t: x g a d w j i k".split(" ");
    expect(options.sort()).toEqual((line === "4.0" ? [...letters, "b"] : letters).sort());
  });

  test("has a repository that apt can use and that the installer finds", () => {
    const dist = join(out, "bbb", install, `dists/bigbluebutton-${codename}`);
    expect(existsSync(join(dist, "Release.gpg"))).toBe(true);
    const index = join(dist, "main/binary-amd64/Packages");
    expect(readFileSync(join(dist, "Release"), "utf8")).toContain(
      ` ${sha256(index)} ${statSync(index).size} main/binary-amd64/Packages\n`,
    );
    for (const { Filename, Size, SHA256, Description } of packages(out, install, codename)) {
      const file = join(out, "bbb", install, Filename!);
      expect([statSync(file).size, sha256(file)]).toEqual([Number(Size), SHA256]);
      expect(Description).toContain(`STAND-IN for BigBlueButton ${line}`);
    }
  });

  test("needs no package that the mirror is not told of", () => {
    const known = new Set(rows("dependencies.txt", /\s+/).map(([name]) => name));
    const all = packages(out, install, codename);
    const own = new Set(all.map((stanza) => stanza.Package));
    const needed = all.flatMap((stanza) => stanza.Depends!.split(", ").map((name) => name.split(" ")[0]));
    expect(needed.filter((name) => !known.has(name) && !own.has(name))).toEqual([]);
  });

  test("recommends what upstream's packages take from the distribution, but for what it has a form of its own of", () => {
    const stanzas = packages(out, install, codename);
    const recommended = stanzas.flatMap(({ Recommends }) => Recommends?.split(", ") ?? []);
    expect(recommended).toEqual(expect.arrayContaining(["openjdk-17-jdk", "ruby", "build-essential"]));
    const files = stanzas.flatMap(({ Filename }) =>
      spawnSync("dpkg-deb", ["--contents", join(out, "bbb", install, Filename!)], { encoding: "utf8" })
        .stdout.split("\n")
        .flatMap(
          (line) => /\/(?:usr\/bin|systemd\/system)\/([\w-]+)(?:\.service)?(?: ->|$)/.exec(line)?.[1] ?? [],
        ),
    );
    expect(files).toEqual(expect.arrayContaining(["ffmpeg", "redis-server"]));
    expect(recommended.filter((name) => files.includes(name))).toEqual([]);
  });

  test("has the services of its line", () => {
    const names = packages(out, install, codename).map((stanza) => stanza.Package);
    expect(names.includes("bbb-graphql-server")).toBe(line !== "2.7");
    expect(names.includes("bbb-etherpad")).toBe(line !== "4.0");
    expect(names.includes("bbb-livekit")).toBe(line === "4.0");
  });

  test("stops nginx and the databases with BigBlueButton, since 3.0", () => {
    const config = packages(out, install, codename).find((stanza) => stanza.Package === "bbb-config")!;
    const listed = spawnSync("dpkg-deb", ["--contents", join(out, "bbb", install, config.Filename!)], {
      encoding: "utf8",
    }).stdout;
    const joined = listed.match(/(?<=system\/)\S+(?=\.service\.d\/bigbluebutton\.conf)/g) ?? [];
    const expected = line === "2.7" ? [] : ["freeswitch", "nginx", "postgresql", "redis-server"];
    expect(joined.sort()).toEqual(expected);
  });
});

describe("bigbluebutton-exporter", () => {
  const archive = () => join(out, "exporter/bigbluebutton-exporter.tar.gz");

  test("its archive is packed as the real one's, and its hash is that of the programs in it", () => {
    const folder = mkdtempSync(join(tmpdir(), "exporter-"));
    try {
      const script = `tar -xzf "$1" --strip-components=2 --wildcards '*/bbb-exporter/*.py' && sha256sum -- *.py | sha256sum`;
      const { stdout } = spawnSync("bash", ["-c", script, "bash", archive()], {
        ...{ cwd: folder, encoding: "utf8" },
        env: { ...process.env, LC_ALL: "C" },
      });
      expect(stdout.slice(0, 64)).toMatch(/^[0-9a-f]{64}$/);
      expect(readFileSync(join(out, "exporter/bigbluebutton-exporter.sha256"), "utf8")).toBe(
        `${stdout.slice(0, 64)}\n`,
      );
      expect(readdirSync(folder)).toContain("server.py");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("the names of its metrics are the real one's", () => {
    const known = readFileSync(join(__dirname, "../../fixtures/metrics.txt"), "utf8")
      .split("\n")
      .map((name) => name.replace(/_(bucket|count|sum|total)$/, ""));
    const names =
      readFileSync(join(STANDIN, "exporter/server.py"), "utf8").match(/(?<=")bbb_\w+(?=")/g) ?? [];
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });
});
