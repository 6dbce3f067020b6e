import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { sandboxArguments } from "./pulumiShim";

const words = (command: string) => command.split(" ");

test.each([
  ["preview --stack staging --diff --non-interactive", "preview"],
  ["up --stack staging --yes --non-interactive", "up"],
  ["up -s staging -y", "up"],
  ["destroy --stack staging --yes --non-interactive --exclude-protected", "destroy"],
])("pulumi %s is the sandbox's", (command, action) => {
  expect(sandboxArguments(words(command))).toEqual([action, "--stack", "staging"]);
});

test.each([
  ["up --stack staging --non-interactive", /--yes must be passed/],
  ["up --yes", /--stack/],
  ["up --stack staging --yess", /--yess/],
  ["preview --stack staging --yes", /--yes/],
  ["refresh --stack staging", /refresh/],
  ["stack select staging", /stack/],
  ["up --stack staging --yes prod", /arguments/],
])("pulumi %s fails in one line", (command, reason) => {
  expect(() => sandboxArguments(words(command))).toThrow(reason);
});

test("the command itself ends with exit code 1 where it does not know what is asked", () => {
  const { status, stdout, stderr } = spawnSync(join(__dirname, "bin/pulumi"), ["login"], {
    encoding: "utf8",
  });
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: "",
    stderr: "error: pulumi login: not known to the sandbox: error: unknown command 'login'\n",
  });
});
