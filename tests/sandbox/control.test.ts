import { createControl } from "../../sandbox/control";
import { Faults } from "../../sandbox/hetzner/faults";
import type { Zones } from "../../sandbox/services/zones";

const delegated: unknown[] = [];
const zones = {
  delegate: (zone: string, to: boolean) => Promise.resolve(void delegated.push([zone, to])),
} as Zones;
const faults = { mirror: new Faults() };
const control = createControl({ faults, zones });

let base: string;

beforeAll(async () => {
  base = await control.listen({ host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  control.server.closeAllConnections();
  await control.close();
});

async function status(method: string, path: string, body?: object): Promise<number> {
  const headers = body && { "content-type": "application/json" };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  return answer.status;
}

test("arms faults of a service by its name, and disarms all", async () => {
  expect(await status("POST", "/faults/mirror", { status: 503, times: 3 })).toBe(201);
  expect(faults.mirror.list()).toEqual([{ status: 503, times: 3, skip: 0 }]);
  expect(await status("DELETE", "/faults")).toBe(200);
  expect(faults.mirror.list()).toEqual([]);
});

test("tells which faults did not happen as often as they were to", async () => {
  const once = { match: { path: "once" }, status: 503 };
  const twice = { match: { path: "twice" }, status: 503, times: 2 };
  const every = { match: { path: "every" }, status: 503, times: "every" };
  const never = { match: { path: "never" }, status: 503, times: "every" };
  for (const fault of [once, twice, every, never]) await status("POST", "/faults/mirror", fault);
  for (const path of ["once", "twice", "every", "every"]) faults.mirror.forRequest("GET", path);
  const answer = await fetch(`${base}/faults`, { method: "DELETE" });
  expect(await answer.json()).toEqual({ unused: [twice, never] });
});

test("lists the faults of a service that have not happened yet", async () => {
  for (const path of ["once", "never"])
    await status("POST", "/faults/mirror", { match: { path }, status: 503 });
  faults.mirror.forRequest("GET", "once");
  const answer = await fetch(`${base}/faults/mirror`);
  expect(await answer.json()).toMatchObject({ faults: [{ match: { path: "never" } }] });
  await status("DELETE", "/faults");
  expect(await status("GET", "/faults/moon")).toBe(404);
});

test("refuses a service that it does not know, and what is no fault", async () => {
  expect(await status("POST", "/faults/moon", { status: 503 })).toBe(404);
  expect(await status("POST", "/faults/mirror", { status: 5030 })).toBe(400);
  expect(faults.mirror.list()).toEqual([]);
});

test("takes a zone from its parent, and gives it back", async () => {
  for (const method of ["DELETE", "PUT"] as const) {
    expect(await status(method, "/delegations/example.test")).toBe(204);
  }
  expect(delegated).toEqual([
    ["example.test", false],
    ["example.test", true],
  ]);
});
