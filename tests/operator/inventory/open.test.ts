import { cloudsOf, openInventories } from "../../../operator/inventory/open";
import { Mistake } from "../../../cli/mistake";

test.each([
  [{}, true, []],
  [{ cloud: "aws" }, false, ["eu-central-1"]],
  [{ cloud: "aws", location: "eu-west-1" }, false, ["eu-west-1"]],
  [{ cloud: "aws", dns: "hetzner" }, true, ["eu-central-1"]],
  [{ cloud: "aws", turnCloud: "hetzner", location: "us-east-1" }, true, ["us-east-1"]],
  [{ turnCloud: "aws", location: "hel1" }, true, ["eu-central-1"]],
  [{ turnCloud: "aws", turnLocation: "eu-north-1" }, true, ["eu-north-1"]],
  [{ cloud: "", turnCloud: "", location: "", dns: "route53" }, true, []],
])("%j is in these places", (settings, hetzner, regions) => {
  expect(cloudsOf(settings)).toEqual({ hetzner, regions });
});

const clouds = (...args: Parameters<typeof openInventories>) =>
  openInventories(...args).map(({ cloud }) => cloud);
const withToken = { HCLOUD_TOKEN: "t" };

test("what the settings use is asked, and what is told to be", () => {
  expect(clouds([], [], {})).toEqual([]);
  expect(clouds([{}, { cloud: "hetzner" }], [], withToken)).toEqual(["hetzner"]);
  expect(clouds([{ turnCloud: "aws" }], [], withToken)).toEqual(["hetzner", "aws"]);
  expect(clouds([{ cloud: "aws" }, { cloud: "aws", location: "eu-west-1" }], [], {})).toEqual(["aws", "aws"]);
  expect(clouds([], ["aws"], {})).toEqual(["aws"]);
});

test("a token in the settings will do", () => {
  expect(clouds([{}, { "hcloud:token": "t" }], [], {})).toEqual(["hetzner"]);
});

test("a missing token is told in one line", () => {
  expect(() => openInventories([{}], [], { HCLOUD_TOKEN: "" })).toThrow(Mistake);
  expect(() => openInventories([{}], [], {})).toThrow(
    /^there is no token for Hetzner Cloud: set HCLOUD_TOKEN [^\n]*$/,
  );
});
