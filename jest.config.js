/** `unit` needs nothing but Node; `fresh` needs root, the others the sandbox (see scripts/test). */
const common = {
  rootDir: __dirname,
  testEnvironment: "node",
  transform: {
    "^.+\\.ts$": [
      "@swc/jest",
      { jsc: { parser: { syntax: "typescript" }, target: "es2022" }, module: { type: "commonjs" } },
    ],
  },
};

/** @type {import("jest").Config} */
module.exports = {
  // Not for a test to be fast, but for one that hangs to end.
  testTimeout: 180_000,
  testSequencer: "<rootDir>/tests/e2e/sequencer.js",
  projects: [
    {
      ...common,
      displayName: "unit",
      testMatch: ["<rootDir>/tests/**/*.test.ts"],
      testPathIgnorePatterns: ["/node_modules/", "<rootDir>/tests/e2e/"],
    },
    {
      ...common,
      displayName: "e2e",
      // The faults' telling part.
      testMatch: ["<rootDir>/tests/e2e/*.test.ts", "<rootDir>/tests/e2e/faults/steps.test.ts"],
    },
    {
      ...common,
      displayName: "mixes",
      testMatch: ["<rootDir>/tests/e2e/mixes/*.test.ts"],
    },
    {
      ...common,
      displayName: "environments",
      testMatch: ["<rootDir>/tests/e2e/environments/*.test.ts"],
    },
    {
      ...common,
      displayName: "faults",
      testMatch: ["<rootDir>/tests/e2e/faults/*.test.ts"],
    },
    {
      ...common,
      displayName: "browser",
      testMatch: ["<rootDir>/tests/e2e/browser/*.test.ts"],
    },
    {
      ...common,
      displayName: "fresh",
      testMatch: ["<rootDir>/tests/e2e/fresh/*.test.ts"],
    },
  ],
};
