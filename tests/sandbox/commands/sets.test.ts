import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type * as Stacks from "../../../sandbox/commands/stacks";
import type * as Paths from "../../../sandbox/paths";

const STATE = mkdtempSync(join(tmpdir(), "sandbox-state-"));
const before = process.env.BBB_SANDBOX_STATE;
afterAll(() => {
  rmSync(STATE, { recursive: true });
  if (before === undefined) delete process.env.BBB_SANDBOX_STATE;
  else process.env.BBB_SANDBOX_STATE = before;
});

test("what a stack was last given by --set is known to later commands, and to nobody else; a destroyed one has none", () => {
  process.env.BBB_SANDBOX_STATE = STATE;
  jest.isolateModules(() => {
    /* eslint-disable @typescript-eslint/no-require-imports -- reads the environment when it is loaded */
    const { rememberSets, setsOf } = require("../../../sandbox/commands/stacks") as typeof Stacks;
    const { STACKS_DIR } = require("../../../sandbox/paths") as typeof Paths;
    /* eslint-enable @typescript-eslint/no-require-imports */
    expect(setsOf("prod")).toEqual([]);
    rememberSets("prod", ["greenlight=true"]);
    expect(setsOf("prod")).toEqual([]);
    const server = { type: "hcloud:index/server:Server", custom: true };
    mkdirSync(join(STACKS_DIR, "stacks"), { recursive: true });
    writeFileSync(
      join(STACKS_DIR, "stacks", "prod.json"),
      JSON.stringify({ deployment: { resources: [server] } }),
    );
    expect(setsOf("prod")).toEqual(["greenlight=true"]);
    expect(statSync(join(STACKS_DIR, "prod.set.json")).mode & 0o777).toBe(0o600);
  });
});

test("a stack that the tests deployed has a mark until somebody else deploys it", () => {
  process.env.BBB_SANDBOX_STATE = STATE;
  jest.isolateModules(() => {
    /* eslint-disable @typescript-eslint/no-require-imports -- reads the environment when it is loaded */
    const { rememberTests } = require("../../../sandbox/commands/stacks") as typeof Stacks;
    const { STACKS_DIR } = require("../../../sandbox/paths") as typeof Paths;
    /* eslint-enable @typescript-eslint/no-require-imports */
    const mark = join(STACKS_DIR, "prod.tests");
    const marked = (environment: string | undefined) => {
      const former = process.env.BBB_DEPLOYED_BY_TESTS;
      if (environment === undefined) delete process.env.BBB_DEPLOYED_BY_TESTS;
      else process.env.BBB_DEPLOYED_BY_TESTS = environment;
      rememberTests("prod");
      if (former !== undefined) process.env.BBB_DEPLOYED_BY_TESTS = former;
      return existsSync(mark);
    };
    expect([marked(undefined), marked("1"), marked("1"), marked(undefined)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});
