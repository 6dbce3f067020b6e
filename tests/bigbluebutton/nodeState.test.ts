import { createHmac } from "node:crypto";

import { ANY_CERTIFICATE } from "../../bigbluebutton/meetings";
import { nodeState, runningWords, type NodeState } from "../../bigbluebutton/nodeState";
import { serveSecurely } from "../support/secureServer";

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

test("a server is asked by the token of its secret, which it knows itself; one whose API is off does not tell", async () => {
  const told: NodeState = { meetings: [{ people: 3, breakout: false }], unprocessed: [] };
  let answer: NodeState = told;
  const token = createHmac("sha256", "s3cret").update("bbb-deploy node state").digest("hex");
  const server = await serveSecurely(({ url, headers }, response) => {
    const known = url === "/bbb-deploy/state" && headers.authorization === `Bearer ${token}`;
    response.writeHead(known ? 200 : 404).end(JSON.stringify(answer));
  });
  try {
    expect(await nodeState(server.at, "s3cret", ANY_CERTIFICATE)).toEqual(told);
    await expect(nodeState(server.at, "another", ANY_CERTIFICATE)).rejects.toThrow("HTTP status 404");
    answer = { meetings: null, unprocessed: [] };
    await expect(nodeState(server.at, "s3cret", ANY_CERTIFICATE)).rejects.toThrow("its API does not answer");
    await expect(nodeState(server.at, "s3cret", {})).rejects.toThrow("self-signed");
  } finally {
    server.close();
  }
});
