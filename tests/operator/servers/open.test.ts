import { Mistake } from "../../../cli/mistake";
import { openServers } from "../../../operator/servers/open";

const clouds = (settings: object, environment = { HCLOUD_TOKEN: "t" }) => {
  const { bbb, turn } = openServers({ ...settings }, environment);
  return [bbb.cloud, turn.cloud];
};

test.each([
  [{}, ["hetzner", "hetzner"]],
  [{ cloud: "aws" }, ["aws", "aws"]],
  [{ turnCloud: "aws" }, ["hetzner", "aws"]],
  [{ cloud: "aws", turnCloud: "hetzner" }, ["aws", "hetzner"]],
  [{ cloud: "", turnCloud: "" }, ["hetzner", "hetzner"]],
])("%j", (settings, expected) => expect(clouds(settings)).toEqual(expected));

test("a missing token is a mistake; a stack at AWS needs none", () => {
  const none = { HCLOUD_TOKEN: "" };
  expect(() => clouds({}, none)).toThrow(Mistake);
  expect(clouds({ "hcloud:token": "t" }, none)).toEqual(["hetzner", "hetzner"]);
  expect(clouds({ cloud: "aws" }, none)).toEqual(["aws", "aws"]);
});
