import * as pulumi from "@pulumi/pulumi";

import { warnOfFewOperations } from "../../components/parallel";

let warned: jest.SpyInstance;
beforeEach(() => {
  warned = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
});
afterEach(() => jest.restoreAllMocks());

test("too few operations for servers that wait are told, with a number that is enough", () => {
  warnOfFewOperations(5, 8);
  expect(warned).toHaveBeenCalledWith(
    expect.stringMatching(/8 operations at once.*pulumi up --parallel 18$/),
  );
});

test.each([9, 2147483647, 0, -1, NaN])("%d are enough for five, or not bounded", (parallel) => {
  warnOfFewOperations(5, parallel);
  expect(warned).not.toHaveBeenCalled();
});
