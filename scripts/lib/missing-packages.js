/**
 * Compares node_modules with package-lock.json:  node missing-packages.js DIRECTORY
 *
 * Prints a line for each package that is missing, of another version, or too many; exit code 1 if there is one. An optional
 * package may be missing where it is not for Linux on x86_64 with glibc, and nowhere else. Any Node.js can run it.
 */
const { readFileSync } = require("fs");
const { join } = require("path");

const MACHINE = { os: "linux", cpu: "x64", libc: "glibc" };

/** npm's rule: one that is excluded ("!linux") never fits; where any are named, one of them must be ours. */
function fits(entry) {
  return Object.entries(MACHINE).every(([field, ours]) => {
    const listed = [].concat(entry[field] || []);
    if (listed.includes(`!${ours}`)) return false;
    const named = listed.filter((name) => !name.startsWith("!"));
    return named.length === 0 || named.includes(ours) || named.includes("any");
  });
}

/** Path in the lock file of what `name` is to the package at `path`, as Node.js resolves it. */
function resolve(packages, path, name) {
  for (let directory = path; ;) {
    const candidate = `${directory === "" ? "" : `${directory}/`}node_modules/${name}`;
    if (packages[candidate]) return candidate;
    if (directory === "") return undefined;
    directory = directory.slice(0, Math.max(directory.lastIndexOf("node_modules/"), 0)).replace(/\/$/, "");
  }
}

/** Paths of all that has to be installed on this machine: whatever the project needs, directly or not. */
function needed(packages) {
  const found = new Set();
  const open = Object.keys(packages).filter((path) => !path.includes("node_modules/"));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const entry = packages[path];
    const isRoot = !path.includes("node_modules/");
    const optionalPeers = entry.peerDependenciesMeta || {};
    const peers = Object.keys(entry.peerDependencies || {}).filter(
      (name) => !(optionalPeers[name] || {}).optional,
    );
    const names = [
      ...Object.keys(entry.dependencies || {}),
      ...Object.keys(entry.optionalDependencies || {}),
      ...(isRoot ? Object.keys(entry.devDependencies || {}) : []),
      ...peers,
    ];
    for (const name of names) {
      const target = resolve(packages, path, name);
      if (target === undefined || found.has(target) || !fits(packages[target])) continue;
      found.add(target);
      open.push(target);
    }
  }
  return found;
}

function same(wanted, installed) {
  return wanted.link === true
    ? installed.link === true
    : wanted.version === installed.version && wanted.integrity === installed.integrity;
}

const read = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
const [root] = process.argv.slice(2);
const wanted = read(join(root, "package-lock.json"));
const installed = read(join(root, "node_modules", ".package-lock.json"));
const must = needed(wanted);

const differences = [];
for (const path of must) if (!installed[path]) differences.push(`${path} is missing`);
for (const path of Object.keys(installed).filter((key) => key.includes("node_modules/"))) {
  if (!wanted[path]) differences.push(`${path} is not in the lock file`);
  else if (!same(wanted[path], installed[path])) differences.push(`${path} is of another version`);
}
if (differences.length > 0) {
  console.log(differences.sort().join("\n"));
  process.exitCode = 1;
}
