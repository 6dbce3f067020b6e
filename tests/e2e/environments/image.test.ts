import { expectDifferent, imageTests, testServer } from "../support/images";
import { AT_HETZNER } from "../support/places";
import { sandbox } from "../support/sandbox";

imageTests(AT_HETZNER);

test("a server that is no copy has nothing in common with one, and the check has nothing to ask of it", async () => {
  const of = async (name: string, ...more: string[]) => {
    const made = await testServer("up", "--name", name, ...AT_HETZNER.small, ...more, "--json");
    return (JSON.parse(made) as { hosts: string[] }).hosts;
  };
  const stock = await of("stock", "--set", "image=ubuntu-22.04", "--set", "turnImage=ubuntu-24.04");
  const copy = await of("first");
  for (const host of [0, 1]) await expectDifferent([stock[host]!, copy[host]!], host === 0);
  const { stdout } = await sandbox(["operator", "check", "test-stock", "--json", "--sandbox"]);
  expect(stdout).not.toContain('"identity"');
});
