import { told } from "../../../scripts/operator/pulumiCli";

test.each([
  [`code: 255\n stdout: \n stderr: Command failed\nerror: no such thing\n`, "no such thing"],
  [`code: 1\n stdout: x\n stderr: error: passphrase must be set\n err?: Error: y`, "passphrase must be set"],
  ["something else\nand more", "something else"],
])("an error of the CLI is one line: %j", (message, line) => {
  expect(told(new Error(message))).toBe(line);
});
