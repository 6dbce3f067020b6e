import { longestChain, median } from "../../../sandbox/benchmark/chain";

const graph: Record<string, string[]> = {
  server: ["key", "host"],
  host: [],
  volume: ["host"],
  attach: ["server", "volume"],
  connect: ["attach", "records"],
  records: ["key"],
};
const needs = (urn: string) => graph[urn] ?? [];
const timed = (urn: string, start: number, end: number) => ({ urn, start, end });

describe("longestChain", () => {
  test("adds up what depends on one another, through what took no operation", () => {
    const chain = longestChain(
      [
        timed("key", 0, 10),
        timed("server", 10, 110),
        timed("volume", 0, 50),
        timed("records", 10, 90),
        timed("connect", 130, 160),
      ],
      needs,
    );
    expect(chain).toEqual({
      milliseconds: 140,
      links: [
        { urn: "key", milliseconds: 10 },
        { urn: "server", milliseconds: 100 },
        { urn: "connect", milliseconds: 30 },
      ],
    });
  });

  test("counts all operations of a resource, as of one that is replaced", () => {
    const operations = [timed("volume", 0, 5), timed("volume", 7, 10), timed("key", 0, 6)];
    expect(longestChain(operations, needs)).toMatchObject({ milliseconds: 8 });
  });

  test("is empty where nothing was done, and refuses a circle", () => {
    expect(longestChain([], needs)).toEqual({ milliseconds: 0, links: [] });
    expect(() => longestChain([timed("a", 0, 1)], (urn) => [urn === "a" ? "b" : "a"])).toThrow(
      "needs itself",
    );
  });
});

test("the median of an odd and of an even number of values", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 9, 2])).toBe(3);
  expect(() => median([])).toThrow("no values");
});
