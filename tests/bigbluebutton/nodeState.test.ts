import { runningWords, type NodeState } from "../../bigbluebutton/nodeState";

const of = (people: readonly number[], rooms = 0, ...unprocessed: string[]): NodeState => ({
  meetings: [
    ...people.map((one) => ({ people: one, breakout: false })),
    ...Array.from({ length: rooms }, () => ({ people: 1, breakout: true })),
  ],
  unprocessed,
});

test.each([
  [of([]), ""],
  [of([1]), "1 meeting (1 person)"],
  [of([20, 11], 1), "2 meetings (32 people) and 1 breakout room"],
  [of([], 2, "a"), "2 breakout rooms and 1 recording that is not processed yet"],
  [of([], 0, "a", "b"), "2 recordings that are not processed yet"],
])("what runs, in words: %#", (state, words) => expect(runningWords(state)).toBe(words));
