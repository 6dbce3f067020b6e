import { awsTags, snapshotTag } from "../../../clouds/aws/tags";

test("what AWS takes stays as it is", () => {
  const labels = { project: "bigbluebutton", stack: "prod_1.a", role: "bbb" };
  expect(awsTags({ name: "bbb.example.org recordings", labels })).toEqual({
    Name: "bbb.example.org recordings",
    ...labels,
  });
});

test.each([
  ["a&b<c>", "a-b-c-"],
  ["Grüße 1", "Grüße 1"],
  ["x".repeat(300), "x".repeat(256)],
])("%s becomes %s", (value, expected) => {
  expect(awsTags({ name: "n", labels: { value } }).value).toBe(expected);
});

test("a deployment's volumes have one tag that no other deployment's have", () => {
  expect(snapshotTag({ project: "bigbluebutton", stack: "prod", role: "bbb" })).toEqual({
    snapshots: "bigbluebutton/prod",
  });
});
