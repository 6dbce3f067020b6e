import { expectService } from "../support/checks";
import { allInventory, subnetWith } from "../support/clouds";
import { counts } from "../support/hosts";
import { inSubnet, MIXES } from "../support/mixes";
import { IN_ROUTE53, must, outputs, update, type Names } from "../support/sandbox";

/** Deploys as a user would, uses the deployment, brings it up again without a change, and takes it down. */
async function deploys(args: readonly string[], names: Names): Promise<void> {
  const first = await update("up", "embedded", args);
  expect(Object.keys(first.summary)).toEqual(["created"]);
  await expectService(await outputs(), names.turn);
  const before = await counts();
  const second = await update("up", "embedded", args);
  expect(second.summary).toEqual({ unchanged: first.summary.created });
  expect(await counts()).toEqual(before);
  // Without a word of which cloud it is.
  expect((await update("destroy", "embedded")).summary.deleted).toBeGreaterThan(20);
  expect(await allInventory()).toEqual({});
}

beforeEach(() => must(["reset"]));

for (const { name, args, names } of MIXES) {
  test(name, () => deploys(args, names));
}

test("EC2 in a subnet without IPv6", async () => {
  await update("preview", "embedded", ["--cloud", "aws"]);
  const args = inSubnet(await subnetWith({ ipv6: false }));
  await deploys(args, IN_ROUTE53);
});
