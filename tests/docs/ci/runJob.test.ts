import { githubJobs, gitlabJobs } from "./jobs";
import { evaluated, inSandbox, NOT_RUN } from "./runJob";

const texts = [...githubJobs(), ...gitlabJobs()].flatMap(({ scripts }) => scripts.map(({ text }) => text));

test("each line that is named as not run is one of the examples'", () => {
  const lines = new Set(texts.flatMap((text) => text.split("\n")));
  for (const line of Object.keys(NOT_RUN)) expect(lines).toContain(line);
});

test("what reaches for a cloud is sent to the sandbox, all else stays as it is", () => {
  const before = [
    "npm ci --omit=dev --ignore-scripts",
    './scripts/test-server up --name "$NAME" --json >server.json',
    './scripts/check "$STACK"',
    "./scripts/plan prod",
    "pulumi up --stack prod",
  ];
  expect(inSandbox(before.join("\n")).split("\n")).toEqual([
    './scripts/test-server up --sandbox --name "$NAME" --json >server.json',
    './scripts/check --sandbox "$STACK"',
    "./scripts/plan --set acmeServer=https://acme.example.org/directory prod",
    "pulumi up --stack prod",
  ]);
  for (const text of texts) {
    expect(inSandbox(text)).not.toMatch(/scripts\/(check|test-server \w+) (?!--sandbox)/);
  }
});

test("expressions are what the system would make of them", () => {
  expect(
    evaluated("pr-${{ github.event.pull_request.number }}", { "github.event.pull_request.number": "7" }),
  ).toBe("pr-7");
  expect(evaluated("${{ secrets.HCLOUD_TOKEN }}${{ vars.PULUMI_BACKEND_URL }}", {})).toBe("");
  expect(() => evaluated("${{ github.actor }}", {})).toThrow("github.actor");
});
