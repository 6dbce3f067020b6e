import { cliReason } from "../../operator/pulumiCli";

test.each([
  [`code: 255\n stdout: \n stderr: Command failed\nerror: no such thing\n`, "no such thing"],
  [`code: 1\n stdout: x\n stderr: error: passphrase must be set\n err?: Error: y`, "passphrase must be set"],
  ["something else\nand more", "something else"],
])("an error of the CLI is one line: %j", (message, line) => {
  expect(cliReason(new Error(message))).toBe(line);
});

test("of an update, every resource's own reason is told, once, with its name", () => {
  const message = [
    "code: 255",
    " stdout: Destroying (test-a):",
    " -  hcloud:index:Server bbb-host-server deleting (0s) error: deleting urn:pulumi:test-a::b::hcloud:index/server:Server::bbb-host-server: 1 error occurred:",
    " -  hcloud:index:Server bbb-host-server **deleting failed** error: 1 error occurred:",
    "Diagnostics:",
    "  pulumi:pulumi:Stack (bigbluebutton-test-a):",
    "    error: update failed",
    "",
    "  hcloud:index:Server (bbb-host-server):",
    "    error:   sdk-v2/provider2.go:572: sdk.helper_schema: server with ID '17' not found: provider=hcloud@1.41.0",
    "    error: deleting urn:pulumi:test-a::b::hcloud:index/server:Server::bbb-host-server: 1 error occurred:",
    "    \t* server with ID '17' not found",
    "",
    "  hcloud:index:Firewall (bbb-host-firewall):",
    "    warning: slow",
    "    error: it is in use",
    "",
    "Resources:",
    "    - 3 deleted",
    "",
    " stderr: Command failed with exit code 255",
  ].join("\n");
  expect(cliReason(new Error(message))).toBe(
    "bbb-host-server: server with ID '17' not found; bbb-host-firewall: it is in use",
  );
});
