/** Things that outlive a process, faults on purpose, and the content of the log. */
import { readFileSync, statSync, writeFileSync } from "node:fs";

import { type Json, makeServer, Project, useProject } from "./harness";

const project = useProject();
const order = {
  name: "s",
  server_type: "cx23",
  image: "ubuntu-24.04",
  location: "fsn1",
  user_data: "the-host-key",
};

describe("state", () => {
  test("outlives the process, finished actions included, readable by its owner only", async () => {
    const p = project();
    const s = await makeServer(p, { user_data: "the-host-key" });
    const actions = (await p.call("GET", "/actions")).body.actions;
    expect(actions).toMatchObject([
      { command: "create_server", status: "success", progress: 100 },
      { command: "start_server", status: "success" },
    ]);
    await p.restart();
    expect((await p.call("GET", `/servers/${s.id}`)).body.server).toEqual(s);
    expect((await p.call("GET", "/actions")).body.actions).toEqual(actions);
    expect(statSync(p.stateFile).mode & 0o777).toBe(0o600);
    expect(readFileSync(p.stateFile, "utf8")).toContain("the-host-key");
    expect(p.recorder.of("createServer")).toHaveLength(1);
  });

  test("running actions are taken up again by the next process", async () => {
    const p = project();
    p.recorder.hold("createServer");
    const { body } = await p.call("POST", "/servers", order);
    while (p.recorder.of("createServer").length === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    p.recorder.hold("createServer")(); // the next process is not held up
    await p.restart();
    const ended = await p.wait([body.action.id, body.next_actions[0].id]);
    expect(ended.map(({ status }: Json) => status)).toEqual(["success", "success"]);
    expect(p.recorder.of("createServer")).toHaveLength(2);
    expect((await p.call("GET", `/servers/${body.server.id}`)).body.server.status).toBe("running");
  });

  test("a refused request changes nothing on disk", async () => {
    const p = project();
    await p.done("POST", "/firewalls", { name: "g" });
    const before = readFileSync(p.stateFile, "utf8");
    const refused = await p.call("POST", "/servers", { ...order, firewalls: [{ firewall: 1 }] });
    expect(refused.status).toBe(404);
    expect((await p.call("POST", "/firewalls", { name: "g" })).status).toBe(409);
    expect(readFileSync(p.stateFile, "utf8")).toBe(before);
    expect((await p.call("GET", "/firewalls")).body.firewalls).toHaveLength(1);
  });

  test("a file that is no state is named, with the remedy", () => {
    const p = project();
    writeFileSync(p.stateFile, "{");
    const { stateFile, requestLog } = p;
    expect(() => new Project({ stateFile, requestLog })).toThrow(
      /state\.json is not the state.*scripts\/sandbox reset/,
    );
  });
});

describe("a runtime that fails", () => {
  test("ends the action and those after it in error; the server stays and can be started later", async () => {
    const p = project();
    p.recorder.fail("createServer", "no space left");
    const { body } = await p.call("POST", "/servers", order);
    const [create, start] = await p.wait([body.action.id, body.next_actions[0].id]);
    expect(create).toMatchObject({
      status: "error",
      error: { code: "action_failed", message: "no space left" },
    });
    expect(start).toMatchObject({
      status: "error",
      error: { message: "the preceding action create_server failed" },
    });
    expect((await p.call("GET", `/servers/${body.server.id}`)).body.server).toMatchObject({ locked: false });
    expect(p.log().filter(({ event }: Json) => event === "action failed")).toHaveLength(2);
    p.recorder.heal();
    await p.done("POST", `/servers/${body.server.id}/actions/poweron`);
    expect((await p.call("GET", `/servers/${body.server.id}`)).body.server.status).toBe("running");
  });
});

describe("servers whose creation failed", () => {
  test("are made anew when that is asked for, and are as any other then", async () => {
    const p = project();
    p.recorder.fail("createServer", "nft: Could not resolve protocol name");
    const { body } = await p.call("POST", "/servers", order);
    await p.wait([body.action.id, body.next_actions[0].id]);
    expect((await p.call("POST", "/_hosts")).body).toEqual({
      failed: [{ server: order.name, error: "nft: Could not resolve protocol name" }],
    });
    p.recorder.heal();
    expect((await p.call("POST", "/_hosts")).body).toEqual({ failed: [] });
    expect((await p.call("GET", `/servers/${body.server.id}`)).body.server.status).toBe("running");
    expect(p.recorder.last("createServer")?.[0]).toMatchObject({ name: order.name });
  });

  test("all others are left alone", async () => {
    const p = project();
    const { server } = await p.done("POST", "/servers", order);
    await p.done("POST", `/servers/${server.id}/actions/poweroff`);
    const before = p.recorder.calls.length;
    expect((await p.call("POST", "/_hosts")).body).toEqual({ failed: [] });
    expect(p.recorder.calls.length).toBe(before);
  });
});

describe("faults", () => {
  test("requests that match fail as often as asked, after as many as asked", async () => {
    const p = project();
    await p.call("POST", "/_faults", {
      match: { method: "GET", path: "^/v1/servers" },
      code: "conflict",
      skip: 1,
      times: 2,
    });
    const statuses: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) statuses.push((await p.call("GET", "/servers")).status);
    expect(statuses).toEqual([200, 409, 409, 200, 200]);
    expect((await p.call("GET", "/_faults")).body.faults).toEqual([]);
  });

  test.each([
    [{ code: "rate_limit_exceeded" }, 429, "rate_limit_exceeded"],
    [{ code: "resource_unavailable", message: "error during placement" }, 412, "resource_unavailable"],
    [{ code: "locked", status: 423 }, 423, "locked"],
    [{ status: 503, code: "unavailable" }, 503, "unavailable"],
  ])("%j", async (fault, status, code) => {
    const p = project();
    await p.call("POST", "/_faults", { match: { path: "/servers$" }, ...fault });
    const answer = await p.call("POST", "/servers", order);
    expect([answer.status, answer.body.error.code, answer.body.error.details]).toEqual([status, code, null]);
    expect(p.recorder.calls).toEqual([]);
    expect(p.log()[0]).toMatchObject({ status, note: "injected fault" });
  });

  test("an answer that is not JSON, a delay, a cut connection", async () => {
    const p = project();
    await p.call("POST", "/_faults", { status: 502, html: "<h1>Bad Gateway</h1>" });
    const proxy = await p.call("GET", "/servers");
    expect([proxy.status, proxy.body, proxy.headers.get("content-type")]).toEqual([
      502,
      "<h1>Bad Gateway</h1>",
      "text/html",
    ]);
    await p.call("POST", "/_faults", { delayMs: 60 });
    const begun = Date.now();
    expect((await p.call("GET", "/servers")).status).toBe(200);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(55);
    await p.call("POST", "/_faults", { closeConnection: true });
    await expect(p.call("GET", "/servers")).rejects.toThrow();
    expect(p.log().map(({ status }: Json) => status)).toEqual([502, 200, 0]);
    await p.call("POST", "/_faults", { code: "conflict" });
    await p.call("DELETE", "/_faults");
    expect((await p.call("GET", "/servers")).status).toBe(200);
  });

  test("an action ends in error, and the object stays as it was", async () => {
    const p = project();
    await p.call("POST", "/_faults", { action: "start_server", code: "host_down", message: "no host" });
    const { body } = await p.call("POST", "/servers", order);
    const [create, start] = await p.wait([body.action.id, body.next_actions[0].id]);
    expect([create.status, start.status]).toEqual(["success", "error"]);
    expect(start.error).toEqual({ code: "host_down", message: "no host" });
    expect((await p.call("GET", `/servers/${body.server.id}`)).body.server.status).toBe("off");
  });

  test("an action is delayed", async () => {
    const p = project();
    await p.call("POST", "/_faults", { action: "create_volume", delayMs: 60 });
    const { body } = await p.call("POST", "/volumes", { name: "v", size: 10, location: "fsn1" });
    expect(body.volume.status).toBe("creating");
    expect((await p.call("GET", `/actions?id=${body.action.id}`)).body.actions[0].status).toBe("running");
    await p.wait([body.action.id]);
    expect((await p.call("GET", `/volumes/${body.volume.id}`)).body.volume.status).toBe("available");
  });

  test("objects vanish behind the program's back, and the machine follows", async () => {
    const p = project();
    const { firewall } = await p.done("POST", "/firewalls", { name: "fw" });
    const s = await makeServer(p, { firewalls: [{ firewall: firewall.id }] });
    await p.done("POST", `/servers/${s.id}/actions/change_protection`, { delete: true, rebuild: true });
    await p.done("POST", "/zones", { name: "example.com", mode: "primary" });
    const zone = (await p.call("GET", "/zones/example.com")).body.zone.id as number;
    expect((await p.call("DELETE", `/_objects/firewalls/${firewall.id}`)).status).toBe(204);
    expect(p.recorder.last("setFirewall")).toEqual([String(s.id), undefined]);
    expect((await p.call("DELETE", `/_objects/servers/${s.id}`)).status).toBe(204);
    expect(p.recorder.last("deleteServer")).toEqual([String(s.id)]);
    expect((await p.call("DELETE", `/_objects/zones/${zone}`)).status).toBe(204);
    expect(p.recorder.last("deleteZone")).toEqual(["example.com"]);
    expect((await p.call("GET", `/servers/${s.id}`)).status).toBe(404);
    expect((await p.call("DELETE", `/_objects/servers/${s.id}`)).status).toBe(404);
  });
});

describe("request log", () => {
  test("has a line for each request, bodies never", async () => {
    const p = project();
    await p.done("POST", "/servers", order);
    await p.call("GET", "/servers?name=s");
    const lines = p.log();
    expect(lines[0]).toEqual({
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      method: "POST",
      path: "/v1/servers",
      status: 201,
      userAgent: "harness",
      mutating: true,
    });
    expect(lines.at(-1)).toMatchObject({ method: "GET", query: "name=s", mutating: false });
    const counters = (await p.call("GET", "/_requests")).body;
    expect(counters).toEqual({ total: lines.length, mutating: 1, failed: 0, notEmulated: 0 });
    await p.restart();
    expect((await p.call("GET", "/_requests")).body).toEqual(counters);
    expect(readFileSync(p.requestLog, "utf8")).not.toContain("the-host-key");
    expect(statSync(p.requestLog).mode & 0o777).toBe(0o600);
  });
});
