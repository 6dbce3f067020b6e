import { releases } from "../../bigbluebutton/releases";
import {
  capacities,
  defaultServerTypes,
  hostMinimum,
  isArmServerType,
  isPartTimeServerType,
} from "../../bigbluebutton/capacity";

test.each([
  "cax11",
  "CAX41",
  "t4g.large",
  "c7g.2xlarge",
  "c6gn.xlarge",
  "m6gd.large",
  "im4gn.large",
  "a1.large",
])("%s is ARM", (type) => expect(isArmServerType(type)).toBe(true));

test.each([
  "ccx33",
  "cx23",
  "cpx22",
  "c7i.2xlarge",
  "c7a.large",
  "m6i.xlarge",
  "g5.xlarge",
  "t3.small",
  "c5a.large",
])("%s is x86", (type) => expect(isArmServerType(type)).toBe(false));

test.each([
  "t2.large",
  "t3.2xlarge",
  "t3a.medium",
  "t4g.small",
  "c7i-flex.xlarge",
  "m8i-flex.large",
  "cx23",
  "cpx32",
])("%s gives its cores part of the time", (type) => expect(isPartTimeServerType(type)).toBe(true));

test.each(["c7a.2xlarge", "c7i.xlarge", "m7i.4xlarge", "f2.6xlarge", "trn1.2xlarge", "ccx33"])(
  "%s has cores of its own",
  (type) => expect(isPartTimeServerType(type)).toBe(false),
);

test("no default is ARM", () => {
  for (const { test: small, prod } of Object.values(defaultServerTypes)) {
    for (const { bbb, turn } of [small, prod]) expect([bbb, turn].some(isArmServerType)).toBe(false);
  }
});

test("the defaults are sizes that the docs speak of", () => {
  for (const cloud of ["hetzner", "aws"] as const) {
    const { test: small, prod } = defaultServerTypes[cloud];
    expect(capacities.map(({ types }) => types[cloud].name)).toEqual([small.bbb, prod.bbb]);
  }
});

test("a BigBlueButton host must have what its release asks for, a TURN host much less", () => {
  expect(hostMinimum("bbb", releases["jammy-30"])).toEqual({
    memoryKb: 3_940_000,
    cores: 4,
    ipv6: true,
    diskGb: 20,
  });
  expect(hostMinimum("turn", releases["jammy-30"])).toMatchObject({ cores: 1, ipv6: false });
});
