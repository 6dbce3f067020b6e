import { hetznerLabels } from "../../../clouds/hetzner/labels";

test.each([
  ["staging", "staging"],
  ["school/staging", "school-staging"],
  ["_my stack_", "my-stack"],
  ["v1.2_x-3", "v1.2_x-3"],
  ["", ""],
  ["größe", "gr--e"],
  ["a".repeat(62) + "--b", "a".repeat(62)],
])("%j becomes %j", (text, label) => {
  expect(hetznerLabels({ stack: text })).toEqual({ stack: label });
  expect(label).toMatch(/^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/);
});
