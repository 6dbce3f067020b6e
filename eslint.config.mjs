import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", "coverage/", "dist/", "docs/api/", "examples/*/node_modules/"] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      // noUncheckedIndexedAccess makes the sure cases verbose; a wrong one fails loudly.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["index.ts", "{clouds,components,steps}/**/*.ts"],
    plugins: { "@pulumi": { rules: pulumi.rules } },
    rules: { "@pulumi/no-output-in-template-literal": "error" },
  },
  {
    files: ["**/*.ts"],
    // Programs of their own read theirs.
    ignores: ["settings/**", "tests/**", "sandbox/benchmark/baseline/**", "{examples,templates}/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "NewExpression > :matches(Identifier[name='Config'], MemberExpression[property.name='Config'])",
          message: "settings/ alone reads the configuration.",
        },
        {
          selector: "CallExpression > MemberExpression[property.name=/^(allConfig|getConfig)$/]",
          message: "settings/ alone reads the configuration.",
        },
      ],
    },
  },
  {
    files: ["**/*.{js,cjs}"],
    languageOptions: {
      globals: {
        ...{ module: "writable", require: "readonly", __dirname: "readonly" },
        ...{ console: "readonly", process: "readonly" },
      },
    },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
  prettier,
);
