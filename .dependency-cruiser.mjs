/**
 * Who may import whom:  npx depcruise .
 *
 * The product reads as one column, in which a room imports only those below it:
 * index.ts, package.ts → components → steps → clouds → settings → bigbluebutton.
 */

/** Each room with the rooms that it may import; tests may import all. */
const rooms = {
  bigbluebutton: [],
  settings: ["bigbluebutton"],
  clouds: ["bigbluebutton", "settings"],
  steps: ["bigbluebutton", "settings", "clouds"],
  components: ["bigbluebutton", "settings", "clouds", "steps"],
  cli: ["bigbluebutton", "settings"],
  sandbox: ["bigbluebutton", "settings", "cli"],
  operator: ["bigbluebutton", "settings", "clouds", "steps", "components", "cli", "sandbox"],
  scripts: ["bigbluebutton", "settings"],
};
const product = ["bigbluebutton", "settings", "clouds", "steps", "components"];

const within = (names) => `^(${names.join("|")})/`;
const program = "(index|package)\\.ts$";
const everywhere = `^(${program}|(${Object.keys(rooms).join("|")})/)`;
const theProduct = `^(${program}|(${product.join("|")})/)`;
const except = (names) => Object.keys(rooms).filter((room) => !names.includes(room));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `${room}-imports`,
      comment: `${room}/ imports only ${[room, ...allowed].map((name) => `${name}/`).join(", ")}.`,
      severity: "error",
      from: { path: within([room]) },
      to: { path: within(except([room, ...allowed])) },
    })),
    {
      name: "program-imports",
      comment:
        "index.ts and package.ts are the product, which knows neither the operator's commands nor the sandbox.",
      severity: "error",
      from: { path: `^${program}` },
      to: { path: within(except(product)) },
    },
    {
      name: "nothing-imports-the-program",
      comment:
        "index.ts is run by the engine, and by `plan` against mocks; package.ts is for other programs. What others need of it belongs in a room.",
      severity: "error",
      from: { path: everywhere, pathNot: "^operator/plan/program\\.ts$" },
      to: { path: `^${program}` },
    },
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { path: everywhere },
      to: { path: "^tests/" },
    },
    {
      name: "one-door-to-the-sandbox",
      comment:
        "operator/ reaches the sandbox through operator/sandboxStacks.ts alone, which is loaded only inside of it.",
      severity: "error",
      from: { path: "^operator/", pathNot: "^operator/sandboxStacks\\.ts$" },
      to: { path: "^sandbox/" },
    },
    {
      name: "bigbluebutton-is-pure",
      comment: "bigbluebutton/ says what is true about BigBlueButton: no engine, no cloud, no network.",
      severity: "error",
      from: { path: "^bigbluebutton/" },
      to: { path: "(^|/)node_modules/(@pulumi|@aws-sdk|ssh2)/" },
    },
    {
      name: "clouds-behind-the-seam",
      comment: "A third cloud is one folder: the product asks clouds/, never clouds/NAME/.",
      severity: "error",
      from: { path: theProduct, pathNot: "^clouds/" },
      to: { path: "^clouds/[^/]+/" },
    },
    {
      name: "clouds-apart",
      comment: "A cloud's folder imports nothing of another's.",
      severity: "error",
      from: { path: "^clouds/([^/]+)/" },
      to: { path: "^clouds/[^/]+/", pathNot: "^clouds/$1/" },
    },
    {
      name: "hooks-ask-no-provider",
      comment:
        "With all operations of an update in hooks that do, the Pulumi engine waits for ever: clouds/hetzner/ask.ts.",
      severity: "error",
      from: { path: "^clouds/hetzner/(ask|leftovers|parked)\\.ts$" },
      to: { path: "(^|/)node_modules/@pulumi/hcloud/", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "no-circles",
      severity: "error",
      from: { path: everywhere, pathNot: "^sandbox/" },
      to: { circular: true },
    },
    {
      name: "no-circles-in-the-sandbox",
      comment: "Types alone may be imported in a circle: an emulated cloud and its actions know each other.",
      severity: "error",
      from: { path: "^sandbox/" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "known-rooms",
      comment:
        "A new folder gets its place in the table above; examples/ and templates/ are programs of their own.",
      severity: "error",
      from: { pathNot: `^([^/]+$|(tests|examples|templates|${Object.keys(rooms).join("|")})/)` },
      to: {},
    },
    {
      name: "packages-of-operators",
      comment: "An operator's installation leaves out what development needs.",
      severity: "error",
      from: {
        path: `^(${program}|(${[...product, "cli", "operator"].join("|")})/)`,
      },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: ["type-only"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    // What `npm run build` and `npm run docs` make.
    exclude: { path: "^(dist|docs/api|examples/[^/]+/node_modules)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
  },
};
