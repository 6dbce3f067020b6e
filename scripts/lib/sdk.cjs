/**
 * Takes from the SDK what a start of the program (Pulumi.yaml's nodeargs) has no use for, a fifth of its time:
 * - TypeScript and npm's resolver of dependencies, which it loads for functions in a state; no resource has any
 * - source maps, which it reads for stacks: scripts/lib/load.cjs keeps the lines
 * - long stacks, of which it makes one for each promise: three lines tell where an error comes from
 */
const { createRequire } = require("node:module");

const sdk = createRequire(require.resolve("@pulumi/pulumi"));
for (const name of ["typescript", "@npmcli/arborist", "source-map-support/register"])
  loadLater(sdk.resolve(name));
Error.stackTraceLimit = 3;

/** Loads a module when something of it is first used, instead of when it is required. */
function loadLater(path) {
  let loaded;
  const load = () => {
    delete require.cache[path];
    return require(path);
  };
  const get = (own, key) => (key in own ? own[key] : (loaded ??= load())[key]);
  require.cache[path] = { loaded: true, exports: new Proxy({ __esModule: true }, { get }) };
}
