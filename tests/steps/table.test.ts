import { readScripts } from "../../steps/hostScripts";
import { commonScripts, stepTable, type HostScript } from "../../steps/table";

const files = new Map(readScripts().map(({ name, content }) => [name, content]));

/** The files that one reads in, runs by Python or imports, as its text says. */
function named(name: string): string[] {
  const text = files.get(name)!;
  const words = name.endsWith(".py")
    ? [
        ...[...text.matchAll(/^\s*(?:import|from) (\w+)/gm)].map(([, module]) => `${module}.py`),
        ...[...text.matchAll(/"(\w+\.rb)"/g)].map(([, ruby]) => ruby!),
      ]
    : [
        ...[...text.matchAll(/^\. "[^"]*\/([\w-]+\.sh)"$/gm)].map(([, sourced]) => sourced!),
        ...[...text.matchAll(/\/bin\/bash "?\$LIB\/([\w-]+\.sh)/g)].map(([, run]) => run!),
        ...[...text.matchAll(/\b(\w+\.py)\b/g)].map(([, python]) => python!),
      ];
  return words.filter((word) => files.has(word) && !commonScripts.some((common) => common === word));
}

function needsOf(script: string): string[] {
  const found = new Set<string>([script]);
  // What a set is given while it is walked through is walked through, too.
  for (const name of found) named(name).forEach((other) => found.add(other));
  found.delete(script);
  return [...found].sort();
}

test.each(Object.entries<HostScript>(stepTable))(
  "%s needs what it reads in, runs and imports",
  (script, row) => {
    expect([...row.needs].sort()).toEqual(needsOf(script));
  },
);

test("the table's scripts are there, and read lib.sh in, but for the first", () => {
  for (const script of Object.keys(stepTable).filter((name) => name !== "connect.sh")) {
    expect(files.get(script)).toContain('. "$(dirname "$0")/lib.sh"');
  }
  for (const common of commonScripts) expect(files.has(common)).toBe(true);
});

test("what this test reads out of scripts is not nothing", () => {
  expect(needsOf("verify.sh")).toEqual(
    expect.arrayContaining(["host_check.py", "checks.py", "wire_files.py"]),
  );
  expect(needsOf("install-turn.sh")).toEqual(expect.arrayContaining(["acme_failure.py", "certbot.sh"]));
});
