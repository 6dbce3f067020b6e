import { durations } from "../../../operator/plan/durations";
import type { PlannedResource } from "../../../operator/plan/program";
import { longestChain, stepsOf } from "../../../operator/plan/steps";

function resource(name: string, create: string | undefined, dependsOn: readonly string[]): PlannedResource {
  const type = create === undefined ? "hcloud:index/server:Server" : "command:remote:Command";
  return { urn: name, type, name, inputs: { create }, protect: false, dependsOn };
}

const step = (role: string, number: number, script: string, more = "") =>
  `sudo /usr/local/lib/bbb-deploy/step --unit '${role} ${number}/3' 'What it does' ${script} ${more} --script-hash 12`;

const resources = [
  resource("bbb-install", step("bbb", 2, "install-bbb.sh"), ["bbb-preflight"]),
  resource("turn-install", step("turn", 1, "install-turn.sh"), ["turn-host-server"]),
  resource("bbb-preflight", step("bbb", 1, "preflight.sh", "--dns-wait 600"), ["bbb-host-server"]),
  resource("bbb-host-server", undefined, []),
  resource("turn-host-server", undefined, []),
  resource("bbb-wire", step("bbb", 3, "wire.sh"), ["bbb-install", "turn-install"]),
];

test("steps are told host by host, in their order", () => {
  const told = stepsOf(resources).map(({ role, number, of, script }) => `${role} ${number}/${of} ${script}`);
  expect(told).toEqual([
    "bbb 1/3 preflight.sh",
    "bbb 2/3 install-bbb.sh",
    "bbb 3/3 wire.sh",
    "turn 1/3 install-turn.sh",
  ]);
  expect(stepsOf(resources)[0]).toEqual({
    ...{ role: "bbb", number: 1, of: 3, title: "What it does", script: "preflight.sh" },
    ...{ ...durations["preflight.sh"], dnsWaitSeconds: 600 },
  });
});

test("the time in all is that of the longest chain, not of all steps", () => {
  const chain = ["preflight.sh", "install-bbb.sh", "wire.sh"].map((script) => durations[script]!.seconds);
  const sum = (i: 0 | 1) => chain.reduce((total, seconds) => total + seconds[i], 0);
  expect(longestChain(resources)).toEqual([sum(0), sum(1)]);
});

test("a step without a figure is an error that names it", () => {
  expect(() => stepsOf([resource("bbb-new", step("bbb", 1, "new.sh"), [])])).toThrow("bbb-new");
});
