import { must, outputs, update, type Outputs } from "../support/sandbox";
import { AWS } from "../support/scenarios";
import { refusalTests } from "../support/turnRefusals";

/** TURN server behind NAT, where coturn takes its own addresses for peers; a default subnet has no IPv6. */

let out: Outputs;

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", AWS.first);
  out = await outputs();
});

describe("TURN's peers on EC2", () => {
  refusalTests(AWS, ["ipv4"], () => out);
});
