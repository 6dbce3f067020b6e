import { readFileSync } from "node:fs";

import { onHost, outside, sandbox, type Names } from "./sandbox";
import type { OwnTests } from "./scenarios";

/** Tests of the sandbox itself, on a deployment at any cloud. */
export function sandboxTests(names: Names): OwnTests {
  return (test) => {
    test("exec passes input, output, exit code and arguments untouched", async () => {
      const args = [
        "",
        " ",
        "a b",
        "*",
        "$HOME",
        'say "no"',
        "it's",
        "--help",
        "--",
        "-x",
        "a\nb",
        "\\",
        "é",
      ];
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, n) => (n * 7) % 256));
      for (const place of [["--at", names.turn], ["--as", "operator"], []]) {
        const shown = await sandbox(["exec", ...place, "--", "printf", "<%s>", ...args]);
        expect(shown).toMatchObject({ code: 0, stdout: args.map((arg) => `<${arg}>`).join("") });
        const sum = await sandbox(["exec", ...place, "--", "od", "-An", "-v", "-tu1"], { input: bytes });
        expect(sum.stdout.trim().split(/\s+/).map(Number)).toEqual([...bytes]);
        const failed = await sandbox([
          "exec",
          ...place,
          "--",
          "bash",
          "-c",
          "echo out; echo err >&2; exit 42",
        ]);
        expect(failed).toEqual({ code: 42, stdout: "out\n", stderr: "err\n" });
      }
    });

    test("the outside clients see the machine's files, and the hosts are not the machine", async () => {
      expect((await outside(["cat", __filename])).stdout).toBe(readFileSync(__filename, "utf8"));
      const os = await onHost(names.bbb, [
        "bash",
        "-c",
        ". /etc/os-release && echo $ID $VERSION_ID && hostname -f && nproc --all",
      ]);
      expect(os.split("\n").slice(0, 3)).toEqual(["ubuntu 22.04", names.bbb, "4"]);
      expect(await onHost(names.turn, ["hostname", "-f"])).toBe(`${names.turn}\n`);
    });
  };
}
