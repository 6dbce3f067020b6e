/**
 * Loads TypeScript as Node.js loads JavaScript, for the program (Pulumi.yaml's nodeargs) and the operator's commands:
 * sucrase takes the types away, line by line. What it made, and what Node has compiled, is kept from one start to the
 * next, the SDK's modules included.
 *
 * A cache in the system's temporary directory could be planted by somebody else; where node_modules cannot be written
 * there is none.
 */
const { createHash } = require("node:crypto");
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require("node:fs");
const { enableCompileCache } = require("node:module");
const { dirname, join, relative } = require("node:path");

const project = join(__dirname, "../..");
const cache = join(project, "node_modules/.cache");
const { version } = require("sucrase/package.json");

if (!process.env.NODE_COMPILE_CACHE) enableCompileCache?.(join(cache, "compiled"));

require.extensions[".ts"] = (module, path) => module._compile(javascriptOf(path), path);

/** JavaScript of a file: the kept one, unless it was made of another text. */
function javascriptOf(path) {
  const source = readFileSync(path, "utf8");
  const origin = `// ${version} ${createHash("sha256").update(source).digest("hex")}`;
  const kept = join(cache, "javascript", `${relative(project, path).replaceAll("..", "_")}.js`);
  const before = readKept(kept);
  if (before.endsWith(origin)) return before;
  // Only now: a start without changes has no use for it.
  const { transform } = require("sucrase");
  const { code } = transform(source, { transforms: ["imports", "typescript"], filePath: path });
  const made = `${code}\n${origin}`;
  keep(kept, made);
  return made;
}

function readKept(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Writes a file as a whole: another start may read it. */
function keep(path, text) {
  const part = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(part, text);
    renameSync(part, path);
  } catch {
    // Made anew at the next start.
  }
}
