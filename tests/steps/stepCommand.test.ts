import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";

import { scriptHash, stepCommand } from "../../steps/stepCommand";
import { stepTable } from "../../steps/table";
import { scripts } from "../support/program";

const base = {
  sudo: false,
  role: "bbb" as const,
  title: "Install BigBlueButton 3.0",
  script: "install-bbb.sh" as const,
  run: "plain" as const,
  flags: {},
  scriptHash: "0123456789ab",
};

test("is one command line, what it is first, and nothing of its number", () => {
  expect(stepCommand({ ...base, flags: { email: "a@example.org", greenlight: true, count: 4 } })).toBe(
    "/usr/local/lib/bbb-deploy/step --time-limit 4200 bbb 'Install BigBlueButton 3.0' install-bbb.sh " +
      "--email a\\@example.org --greenlight --count 4 --script-hash 0123456789ab",
  );
});

test("leaves out what is not set", () => {
  const flags = { ipv6: undefined, greenlight: false, empty: "" };
  expect(stepCommand({ ...base, flags })).toMatch(/install-bbb\.sh --empty '' --script-hash 0123456789ab$/);
});

test("says of a script that only looks that it does", () => {
  expect(stepCommand({ ...base, script: "verify.sh" })).toMatch(/step --time-limit 1800 --read-only bbb /);
});

test("says where it runs as a unit, and as root", () => {
  expect(stepCommand({ ...base, run: "unit", sudo: true })).toMatch(
    /^sudo \/usr\/local\/lib\/bbb-deploy\/step --unit --time-limit 4200 bbb /,
  );
});

test.each([
  "it's $HOME and `date`; rm -rf / # !x",
  'a "quoted" \\ text',
  "https://a.example/x?y=1&z=[2]",
  "c:\\d e:*",
  "two\nlines",
  "ünïcode – –flag",
  "~root {a,b} %1 ^2",
  "'!'",
])("a shell reads %j as it was", (text) => {
  const command = stepCommand({ ...base, title: text, flags: { upgrade: text } });
  for (const shell of ["bash", "sh"]) {
    const words = execFileSync(shell, ["-c", `printf '%s\\0' ${command}`], { encoding: "utf8" }).split("\0");
    expect(words[4]).toBe(text);
    expect(words[7]).toBe(text);
  }
});

describe("the hash", () => {
  const hashOf = (changes: Readonly<Record<string, string>> = {}, followed?: string[]) =>
    scriptHash(
      scripts.map(({ name, content }) => ({ name, content: changes[name] ?? content })),
      "wire.sh",
      followed,
    );

  test("has 12 hexadecimal digits and is always the same", () => {
    expect(hashOf()).toMatch(/^[0-9a-f]{12}$/);
    expect(hashOf()).toBe(hashOf());
  });

  test.each(["wire.sh", "wire_files.py", "api_check.py", "checks.py", "lib.sh", "step"])(
    "changes with %s",
    (name) => {
      expect(hashOf({ [name]: "changed" })).not.toBe(hashOf());
    },
  );

  test("does not change with another step's script or helper", () => {
    expect(hashOf({ "verify.sh": "other", "turn_check.py": "other", "connect.sh": "other" })).toBe(hashOf());
  });

  test("changes with what the step reruns with", () => {
    expect(hashOf({}, ["x"])).not.toBe(hashOf());
    expect(hashOf({}, ["x"])).not.toBe(hashOf({}, ["y"]));
  });

  test("is that of the servers that there are, for each of several steps of the same files", () => {
    const names = ["wire.sh", ...stepTable["wire.sh"].needs, "lib.sh", "step"];
    const texts = names.map((name) => scripts.find((file) => file.name === name)!.content);
    const sha256 = (all: readonly string[]) => createHash("sha256").update(JSON.stringify(all)).digest("hex");
    for (const followed of [[], ["x"], ["x", 'y", "z'], []]) {
      expect(scriptHash(scripts, "wire.sh", followed)).toBe(sha256([...texts, ...followed]).slice(0, 12));
    }
  });

  test("a missing script is named", () => {
    expect(() => scriptHash([], "wire.sh")).toThrow("scripts/host/wire.sh is missing");
  });
});
