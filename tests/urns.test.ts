/** Names of a stack's resources: another one would replace or delete what is deployed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { atAws, runProgram, type Variation } from "./support/program";

/** As the program had them before it could be a part of others. */
const before = JSON.parse(readFileSync(join(__dirname, "fixtures/urns.json"), "utf8")) as Readonly<
  Record<string, readonly string[]>
>;

const variations: Readonly<Record<string, Variation>> = {
  hetzner: {},
  aws: { settings: { ...atAws, dns: "route53" } },
  shared: {
    settings: { turn: { kind: "shared", stack: "prod" } },
    stacks: { "organization/bigbluebutton/prod": { turnHost: "turn.example.net", turnSecret: "x" } },
  },
};

test.each(Object.entries(variations))(
  "%s: no resource of a stack has another name",
  async (name, variation) => {
    const { resources } = await runProgram(variation);
    expect(resources.map(({ urn }) => urn).sort()).toEqual(before[name]);
  },
);
