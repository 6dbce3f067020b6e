/** Groups of servers that run on different machines of a cloud. */
import { spreadGroups } from "../../clouds/spread";

test("each group has so many servers, and is made once, when its first one asks", () => {
  const made: number[] = [];
  const groupOf = spreadGroups(7, (number) => {
    made.push(number);
    return `group ${number}`;
  });
  expect(groupOf(undefined)).toBeUndefined();
  expect(made).toEqual([]);
  expect([1, 2, 7, 8, 14, 15].map(groupOf)).toEqual([
    ...["group 1", "group 1", "group 1", "group 2", "group 2", "group 3"],
  ]);
  expect(made).toEqual([1, 2, 3]);
});
