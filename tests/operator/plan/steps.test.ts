import type { PlannedResource } from "../../../operator/plan/program";
import { longestChain, stepsOf } from "../../../operator/plan/steps";
import { stepTable } from "../../../steps/table";

function resource(name: string, create: string | undefined, dependsOn: readonly string[]): PlannedResource {
  const type = create === undefined ? "hcloud:index/server:Server" : "command:remote:Command";
  return { urn: name, type, name, inputs: { create }, protect: false, dependsOn };
}

const step = (role: string, script: string, more = "") =>
  `sudo /usr/local/lib/bbb-deploy/step --unit --time-limit 60 ${role} 'What it does' ${script} ${more} --script-hash 12`;

const resources = [
  resource("bbb-connect", "sudo bash -s -- bbb 'Connect and so on' ubuntu", ["bbb-host-server"]),
  resource("bbb-install", step("bbb", "install-bbb.sh"), ["bbb-preflight"]),
  resource("turn-install", step("turn", "install-turn.sh"), ["turn-host-server"]),
  resource("bbb-preflight", step("bbb", "preflight.sh", "--dns-wait 600"), ["bbb-connect"]),
  resource("bbb-host-server", undefined, []),
  resource("turn-host-server", undefined, []),
  resource("bbb-wire", step("bbb", "wire.sh"), ["bbb-install", "turn-install"]),
];

test("steps are told host by host, in their order", () => {
  const told = stepsOf(resources).map(({ role, number, of, script }) => `${role} ${number}/${of} ${script}`);
  expect(told).toEqual([
    "bbb 1/4 connect.sh",
    "bbb 2/4 preflight.sh",
    "bbb 3/4 install-bbb.sh",
    "bbb 4/4 wire.sh",
    "turn 1/1 install-turn.sh",
  ]);
  const { seconds, basis } = stepTable["preflight.sh"];
  expect(stepsOf(resources)[1]).toEqual({
    ...{ role: "bbb", number: 2, of: 4, title: "What it does", script: "preflight.sh" },
    ...{ seconds, basis, dnsWaitSeconds: 600 },
  });
});

test("the time in all is that of the longest chain, not of all steps", () => {
  const chain = (["connect.sh", "preflight.sh", "install-bbb.sh", "wire.sh"] as const).map(
    (script) => stepTable[script].seconds,
  );
  const sum = (i: 0 | 1) => chain.reduce((total, seconds) => total + seconds[i], 0);
  expect(longestChain(resources)).toEqual([sum(0), sum(1)]);
});

test("on a copy of a baked image the installation takes the time of a copy, and no other step does", () => {
  const { copySeconds, seconds } = stepTable["install-bbb.sh"];
  const of = (script: string) => stepsOf(resources, ["bbb"]).find((step) => step.script === script)!;
  expect(of("install-bbb.sh")).toMatchObject({ seconds: copySeconds, basis: "estimate" });
  expect(of("install-turn.sh").seconds).toEqual(stepTable["install-turn.sh"].seconds);
  expect(of("wire.sh").seconds).toEqual(stepTable["wire.sh"].seconds);
  const saved = longestChain(resources)[1] - longestChain(resources, ["bbb"])[1];
  expect(saved).toBe(seconds[1] - copySeconds[1]);
});

test("a step without a figure is an error that names it", () => {
  expect(() => stepsOf([resource("bbb-new", step("bbb", "new.sh"), [])])).toThrow("bbb-new");
});
