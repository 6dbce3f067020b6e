import { sizeOf } from "../../clouds/serverTypes";
import { capacities, defaultServerTypes, type CloudName } from "../../bigbluebutton/capacity";

test.each([
  ["hetzner", "ccx33", { cpus: 8, cores: 8, memoryGb: 32, dedicated: true }],
  ["hetzner", "CPX42", { cpus: 8, cores: 8, memoryGb: 16, dedicated: false }],
  ["aws", "c7a.2xlarge", { cpus: 8, cores: 8, memoryGb: 16, dedicated: true }],
  ["aws", "c7i.2xlarge", { cpus: 8, cores: 4, memoryGb: 16, dedicated: true }],
  ["aws", "m7a.4xlarge", { cpus: 16, cores: 16, memoryGb: 64, dedicated: true }],
  ["aws", "t3.large", { cpus: 2, cores: 1, memoryGb: undefined, dedicated: false }],
] as const)("%s's %s", (cloud, type, size) => {
  expect(sizeOf(cloud, type)).toEqual(size);
});

test.each([
  ["hetzner", "ccx99"],
  ["hetzner", "c7a.2xlarge"],
  ["aws", "ccx33"],
  ["aws", "c7a.metal-48xl"],
] as const)("nothing is known of %s's %s", (cloud, type) => {
  expect(sizeOf(cloud, type)).toBeUndefined();
});

test("the types that the docs name are known, with its cores and memory", () => {
  for (const { cores, types } of capacities) {
    for (const [cloud, { name, memoryGb }] of Object.entries(types)) {
      expect({ name, ...sizeOf(cloud as CloudName, name) }).toMatchObject({ name, cores, memoryGb });
    }
  }
  for (const [cloud, { test, prod }] of Object.entries(defaultServerTypes)) {
    for (const name of [test.bbb, test.turn, prod.bbb, prod.turn]) {
      expect({ name, size: sizeOf(cloud as CloudName, name) }).not.toMatchObject({ size: undefined });
    }
  }
});
