import { SettingsError } from "../../settings/problems";
import { parseSettings } from "../../settings";

const base = {
  domain: "school-example.de",
  email: "admin@school-example.de",
  sshNetworks: ["198.51.100.7/32"],
};
const context = { project: "bigbluebutton", stack: "prod" };
const parse = (raw: object) => parseSettings({ ...base, ...raw }, context);

function problems(raw: object): [string, string][] {
  try {
    parse(raw);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.problems.map(({ key, reason }) => [key, reason]);
  }
}

test("without servers there is one server and no balancer", () => {
  expect(parse({}).pool).toBeUndefined();
  expect(parse({ servers: 0 }).pool).toBeUndefined();
});

test.each([
  ["test", "hetzner", "cx33"],
  ["prod", "hetzner", "cpx32"],
  ["prod", "aws", "c7a.large"],
])("the balancer of %s at %s is a %s, with the pool's name", (environment, cloud, serverType) => {
  expect(parse({ servers: 3, environment, cloud }).pool).toMatchObject({
    nodes: 3,
    drainMinutes: 30,
    balancer: { fqdn: "bbb.school-example.de", serverType },
  });
});

test.each([-1, 51])("%d servers are refused", (servers) => {
  expect(problems({ servers })).toEqual([
    ["servers", expect.stringContaining(`is ${servers}; a pool has 1 to 50 servers`)],
  ]);
});

test.each([
  [3, 3, "is 3, but servers is 3"],
  [1, 2, "is 2, but servers is 1"],
  [3, 0, "is 0; 1 to 49 servers may be out at once"],
])("of %d servers %d at once are refused", (servers, maxUnavailable, reason) => {
  expect(problems({ servers, maxUnavailable })).toEqual([
    ["maxUnavailable", expect.stringContaining(reason)],
  ]);
});

test.each([
  [1, undefined, 1],
  [3, undefined, 1],
  [3, 2, 2],
])("of %d servers, with %s, %d may be out at once", (servers, maxUnavailable, expected) => {
  const raw = { servers, environment: "test", ...(maxUnavailable && { maxUnavailable }) };
  expect(parse(raw).pool).toMatchObject({ maxUnavailable: expected });
});

test.each([
  ["greenlight", { greenlight: true }],
  ["backups", { backups: true }],
])("%s is refused in a pool, which does not have it yet", (key, raw) => {
  expect(problems({ servers: 2, ...raw })).toEqual([
    [key, "is set, which a pool (servers: 2) does not have yet"],
  ]);
});

test("alerts and metrics are a pool's as a single server's", () => {
  const alerts = { webhook: { form: "slack", url: "https://hooks.school-example.de/x" } };
  expect(problems({ servers: 2, alerts, metrics: true })).toEqual([]);
});

test.each(["never", "onRequest", "always"])("a pool has recordings: %s", (recording) => {
  expect(problems({ servers: 2, meetings: { recording } })).toEqual([]);
});

test("the volume of a pool's recordings is made or taken over", () => {
  expect(parse({ servers: 2, recordingsGb: 50 }).recordings).toMatchObject({ kind: "new", sizeGb: 50 });
  expect(parse({ servers: 2, recordingsVolumeId: "42" }).recordings).toEqual({ kind: "adopted", id: "42" });
});

test("one server alone is no pool of prod", () => {
  expect(problems({ servers: 1, environment: "prod" })).toEqual([
    ["servers", expect.stringContaining("contradicts environment: prod")],
  ]);
  expect(problems({ servers: 1 })).toEqual([]);
});

test("the names of servers are nobody else's", () => {
  expect(problems({ servers: 2, turnHostname: "bbb-2" })).toEqual([
    ["turnHostname", "is bbb-2.school-example.de, the name of one of the pool's servers"],
  ]);
});

test("a single server has no use for a balancer's type, nor a balancer for ARM", () => {
  expect(problems({ balancerServerType: "cpx32" })).toEqual([
    ["balancerServerType", expect.stringContaining("a single server has no balancer")],
  ]);
  expect(problems({ servers: 2, balancerServerType: "cax11" })).toEqual([
    ["balancerServerType", expect.stringContaining("ARM")],
  ]);
});
