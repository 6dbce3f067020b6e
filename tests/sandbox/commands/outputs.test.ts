import { meant } from "../../../sandbox/commands/outputs";

const exists = (stack: string) => stack === "prod";

test("the name of a stack means that stack", () => {
  expect(meant("prod", { stack: "sandbox" }, exists)).toEqual({ stack: "prod" });
});

test("any other name is an output's, as is every name where a stack is named", () => {
  expect(meant("url", { stack: "sandbox" }, exists)).toEqual({ stack: "sandbox", name: "url" });
  expect(meant("prod", { stack: "staging" }, exists)).toEqual({ stack: "staging", name: "prod" });
  expect(meant(undefined, { stack: "sandbox" }, exists)).toEqual({ stack: "sandbox" });
});
