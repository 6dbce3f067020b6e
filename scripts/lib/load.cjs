/**
 * Loads TypeScript as Node.js loads JavaScript, for the program (Pulumi.yaml's nodeargs) and the operator's commands:
 * sucrase takes the types away, and what Node has compiled is kept from one start to the next, the SDK's modules included.
 *
 * A compile cache in the system's temporary directory could be planted by somebody else; where node_modules cannot be
 * written there is none.
 */
const { enableCompileCache } = require("node:module");
const { join } = require("node:path");

const project = join(__dirname, "../..");

if (!process.env.NODE_COMPILE_CACHE) enableCompileCache?.(join(project, "node_modules/.cache/compiled"));
require("sucrase/register/ts");
