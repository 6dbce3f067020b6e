import { execFileSync } from "node:child_process";

import { scriptHash, stepCommand } from "../../steps/stepCommand";

const base = {
  sudo: false,
  label: "bbb 5/7",
  title: "Install BigBlueButton 3.0",
  script: "install-bbb.sh",
  run: "plain" as const,
  flags: {},
  scriptHash: "0123456789ab",
};

test("is one command line, its number and title first", () => {
  expect(stepCommand({ ...base, flags: { email: "a@example.org", greenlight: true, count: 4 } })).toBe(
    "/usr/local/lib/bbb-deploy/step 'bbb 5/7' 'Install BigBlueButton 3.0' install-bbb.sh " +
      "--email a\\@example.org --greenlight --count 4 --script-hash 0123456789ab",
  );
});

test("leaves out what is not set", () => {
  const flags = { ipv6: undefined, greenlight: false, empty: "" };
  expect(stepCommand({ ...base, flags })).toMatch(/install-bbb\.sh --empty '' --script-hash 0123456789ab$/);
});

test("says where it runs as a unit, and as root", () => {
  expect(stepCommand({ ...base, run: "unit", sudo: true })).toMatch(
    /^sudo \/usr\/local\/lib\/bbb-deploy\/step --unit 'bbb 5\/7' /,
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
    expect(words[2]).toBe(text);
    expect(words[5]).toBe(text);
  }
});

describe("the hash", () => {
  const files = {
    "a.sh": "a: runs help.py",
    "b.sh": "b",
    "help.py": "import sys\nfrom more import x",
    "more.py": "def f():\n    import last",
    "last.py": "import help",
    "other.py": "import more",
    "lib.sh": "lib",
    step: "step",
  };
  const hashOf = (changes: Partial<typeof files> = {}, followed?: string[]) =>
    scriptHash(
      Object.entries({ ...files, ...changes }).map(([name, content]) => ({ name, content })),
      "a.sh",
      followed,
    );

  test("has 12 hexadecimal digits and is always the same", () => {
    expect(hashOf()).toMatch(/^[0-9a-f]{12}$/);
    expect(hashOf()).toBe(hashOf());
  });

  test.each(["a.sh", "help.py", "more.py", "last.py", "lib.sh", "step"])("changes with %s", (name) => {
    expect(hashOf({ [name]: `${files[name as keyof typeof files]} changed` })).not.toBe(hashOf());
  });

  test("does not change with another step's script or helper", () => {
    expect(hashOf({ "b.sh": "other", "other.py": "other" })).toBe(hashOf());
  });

  test("changes with what the step follows", () => {
    expect(hashOf({}, ["x"])).not.toBe(hashOf());
    expect(hashOf({}, ["x"])).not.toBe(hashOf({}, ["y"]));
  });

  test("a missing script is named", () => {
    expect(() => scriptHash([], "wire.sh")).toThrow("scripts/host/wire.sh is missing");
  });
});
