import { deploy } from "./components/deployment";
import type * as Pool from "./components/pool";
import { refuseOtherShape } from "./components/shape";
import { loadSettings } from "./settings/configuration";

/**
 * Reads the stack's settings and returns its outputs: components/deployment.ts has a server's whole deployment on a page,
 * components/pool.ts a pool's.
 */
export = async () => {
  const settings = loadSettings();
  const before = await refuseOtherShape(settings);
  if (!settings.pool) return (await deploy(settings)).outputs;
  // A single server's start does not load what pools are made of.
  const { deployPool } = require("./components/pool") as typeof Pool; // eslint-disable-line @typescript-eslint/no-require-imports
  return (await deployPool(settings, settings.pool, before)).outputs;
};
