/**
 * Entry of the component provider that `pulumi package add` makes of a clone: package.ts, with its types taken away.
 * The SDK would check them by the tsconfig.json of whichever folder the CLI was started in, or by none.
 */
require("./scripts/lib/load.cjs");

module.exports = require("./package.ts");
