import js from "@eslint/js";
import pulumi from "@pulumi/eslint-plugin";
import prettier from "eslint-config-prettier";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["node_modules/", "coverage/", "dist/", "docs/api/", "examples/*/node_modules/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      // noUncheckedIndexedAccess makes the sure cases verbose; a wrong one fails loudly.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      // `return fail(…)`, `return void …` and `void (await …)` end what gives nothing.
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-meaningless-void-operator": "off",
      // What an async function throws is a rejection, whether it waits for something or not.
      "@typescript-eslint/require-await": "off",
      // Nothing rejects with anything but an Error.
      "@typescript-eslint/use-unknown-in-catch-callback-variable": "off",
      // Providers give less than their SDKs' types promise: in a preview, in older versions, in JSON.
      "@typescript-eslint/no-unnecessary-condition": "off",
      "@typescript-eslint/no-useless-default-assignment": "off",
      // A property of JSON is a text or a number where its key says so.
      "@typescript-eslint/no-base-to-string": "off",
      // Objects are made of closures, which know no `this`.
      "@typescript-eslint/unbound-method": "off",
      // A type parameter of a result is its caller's word for what is read there.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      // Streams and clients have stand-ins with the few members that are used.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
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
    // Their types come with the package, which tests install.
    files: ["{examples,templates}/**/*.ts"],
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    files: ["tests/**/*.ts"],
    rules: {
      // Tests replace classes by others with the members that are asked for.
      "@typescript-eslint/no-extraneous-class": "off",
      // Tests read answers of any form, and a wrong guess fails them.
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-call": "off",
      "@typescript-eslint/no-unsafe-member-access": "off",
      "@typescript-eslint/no-unsafe-return": "off",
      "@typescript-eslint/restrict-plus-operands": "off",
      // A test's World is spread with one method of its own.
      "@typescript-eslint/no-misused-spread": "off",
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
  },
  prettier,
);
