/** Snapshots of servers: how they are made, found and ordered. */
import { type Json, makeServer, type Project, useProject } from "./harness";

const project = useProject();

const BYTES = 67 * 1024 ** 2;

/** Makes a snapshot whose files take that much room. */
async function makeSnapshot(p: Project, server: number, body: object = {}, bytes = BYTES): Promise<Json> {
  p.recorder.answer("createSnapshot", bytes);
  const { image } = await p.done("POST", `/servers/${server}/actions/create_image`, body);
  return (await p.call("GET", `/images/${image.id}`)).body.image;
}

async function refusal(p: Project, method: string, path: string, body?: unknown): Promise<[number, string]> {
  const answer = await p.call(method, path, body);
  return [answer.status, answer.body?.error?.code];
}

const order = { name: "copy", server_type: "cx23", location: "fsn1" };

describe("making one", () => {
  test("it is creating while the action runs, and available afterwards with its size", async () => {
    const p = project();
    const s = await makeServer(p, { image: "ubuntu-22.04" });
    p.recorder.answer("createSnapshot", BYTES);
    const release = p.recorder.hold("createSnapshot");
    const { status, body } = await p.call("POST", `/servers/${s.id}/actions/create_image`, {
      type: "snapshot",
      description: "before the move",
      labels: { image: "bbb" },
    });
    expect(status).toBe(201);
    expect(body.action).toMatchObject({
      command: "create_image",
      status: "running",
      resources: [
        { id: s.id, type: "server" },
        { id: body.image.id, type: "image" },
      ],
    });
    expect(body.image).toMatchObject({
      type: "snapshot",
      status: "creating",
      name: null,
      description: "before the move",
      image_size: null,
      disk_size: 40,
      created_from: { id: s.id, name: "min" },
      bound_to: null,
      os_flavor: "ubuntu",
      os_version: "22.04",
      architecture: "x86",
      rapid_deploy: false,
      protection: { delete: false },
      deprecated: null,
      deleted: null,
      labels: { image: "bbb" },
    });
    expect((await p.call("GET", `/servers/${s.id}`)).body.server).toMatchObject({
      locked: true,
      status: "running",
    });
    expect(await refusal(p, "DELETE", `/servers/${s.id}`)).toEqual([423, "locked"]);
    expect(await refusal(p, "DELETE", `/images/${body.image.id}`)).toEqual([423, "locked"]);
    expect(await refusal(p, "POST", "/servers", { ...order, image: body.image.id })).toEqual([
      422,
      "invalid_input",
    ]);
    release();
    expect((await p.wait([body.action.id]))[0].status).toBe("success");
    expect((await p.call("GET", `/images/${body.image.id}`)).body.image).toMatchObject({
      status: "available",
      image_size: 0.07,
    });
    expect(p.recorder.of("createSnapshot")).toEqual([[String(body.image.id), String(s.id)]]);
    expect((await p.call("GET", `/actions?id=${body.action.id}`)).body.actions).toMatchObject([
      { command: "create_image" },
    ]);
  });

  test("one that could not be made is unavailable, cannot be ordered, and can be deleted", async () => {
    const p = project();
    const s = await makeServer(p);
    p.recorder.fail("createSnapshot", "no space left");
    const { body } = await p.call("POST", `/servers/${s.id}/actions/create_image`);
    expect((await p.wait([body.action.id]))[0].error).toEqual({
      code: "action_failed",
      message: "no space left",
    });
    expect((await p.call("GET", `/images/${body.image.id}`)).body.image.status).toBe("unavailable");
    expect((await p.call("GET", `/servers/${s.id}`)).body.server.status).toBe("running");
    const copy = { ...order, image: body.image.id };
    expect(await refusal(p, "POST", "/servers", copy)).toEqual([422, "invalid_input"]);
    expect((await p.call("DELETE", `/images/${body.image.id}`)).status).toBe(204);
  });

  test("an action that is made to fail leaves it unavailable", async () => {
    const p = project();
    const s = await makeServer(p);
    await p.call("POST", "/_faults", { action: "create_image", code: "service_error" });
    const { body } = await p.call("POST", `/servers/${s.id}/actions/create_image`);
    await p.wait([body.action.id]);
    expect((await p.call("GET", `/images/${body.image.id}`)).body.image.status).toBe("unavailable");
    expect(p.recorder.of("createSnapshot")).toEqual([]);
  });

  test("the next process goes on with one that the last one left", async () => {
    const p = project();
    const s = await makeServer(p);
    p.recorder.answer("createSnapshot", BYTES);
    p.recorder.hold("createSnapshot");
    const { body } = await p.call("POST", `/servers/${s.id}/actions/create_image`);
    while (p.recorder.of("createSnapshot").length === 0)
      await new Promise((resolve) => setTimeout(resolve, 2));
    p.recorder.hold("createSnapshot")(); // the next process is not held up
    await p.restart();
    await p.wait([body.action.id]);
    expect((await p.call("GET", `/images/${body.image.id}`)).body.image.status).toBe("available");
  });

  test.each([
    [{ type: "backup" }, 422, "unsupported_error"],
    [{ type: "system" }, 422, "invalid_input"],
    [{ labels: { "-": "x" } }, 422, "invalid_input"],
    [{ name: "x" }, 422, "invalid_input"],
  ])("%j is refused, and leaves no image", async (body, status, code) => {
    const p = project();
    const s = await makeServer(p);
    expect(await refusal(p, "POST", `/servers/${s.id}/actions/create_image`, body)).toEqual([status, code]);
    expect((await p.call("GET", "/images?type=snapshot")).body.images).toEqual([]);
  });
});

describe("finding one", () => {
  const ids = async (p: Project, query: string): Promise<number[]> =>
    (await p.call("GET", `/images?${query}`)).body.images.map(({ id }: Json) => id);

  test("by type, labels, status and architecture, the newest first", async () => {
    const p = project();
    const s = await makeServer(p);
    const first = await makeSnapshot(p, s.id, { labels: { image: "bbb", release: "noble-40" } });
    const second = await makeSnapshot(p, s.id, { labels: { image: "bbb", release: "noble-40" } });
    const other = await makeSnapshot(p, s.id, { labels: { image: "turn" } });
    const wanted = encodeURIComponent("image=bbb,release=noble-40");
    expect(await ids(p, `type=snapshot&label_selector=${wanted}&sort=created:desc`)).toEqual([
      second.id,
      first.id,
    ]);
    expect(await ids(p, "type=snapshot&sort=id")).toEqual([first.id, second.id, other.id]);
    expect(await ids(p, "type=snapshot&status=creating")).toEqual([]);
    expect(await ids(p, "type=snapshot&architecture=arm")).toEqual([]);
    expect(await ids(p, "type=backup")).toEqual([]);
    expect(await ids(p, "type=system&name=ubuntu-24.04&architecture=x86")).toEqual([161547269]);
    expect(await ids(p, "type=system&type=snapshot&architecture=x86&per_page=50")).toContain(other.id);
  });
});

describe("changing one", () => {
  test("its description and labels; a system image keeps its own", async () => {
    const p = project();
    const s = await makeServer(p);
    const image = await makeSnapshot(p, s.id, { description: "a", labels: { x: "1" } });
    const { body } = await p.call("PUT", `/images/${image.id}`, { description: "b", labels: { y: "2" } });
    expect(body.image).toMatchObject({ description: "b", labels: { y: "2" }, type: "snapshot" });
    expect((await p.call("PUT", `/images/${image.id}`, { type: "snapshot" })).status).toBe(200);
    expect(await refusal(p, "PUT", `/images/${image.id}`, { type: "backup" })).toEqual([
      422,
      "invalid_input",
    ]);
    expect(await refusal(p, "PUT", "/images/161547269", { description: "b" })).toEqual([403, "forbidden"]);
    expect(await refusal(p, "PUT", "/images/1", { description: "b" })).toEqual([404, "not_found"]);
  });

  test("protection is against deletion", async () => {
    const p = project();
    const s = await makeServer(p);
    const image = await makeSnapshot(p, s.id);
    await p.done("POST", `/images/${image.id}/actions/change_protection`, { delete: true });
    expect((await p.call("GET", `/images/${image.id}`)).body.image.protection).toEqual({ delete: true });
    expect(await refusal(p, "DELETE", `/images/${image.id}`)).toEqual([423, "protected"]);
    await p.done("POST", `/images/${image.id}/actions/change_protection`, { delete: false });
    expect((await p.call("DELETE", `/images/${image.id}`)).status).toBe(204);
    expect(p.recorder.of("deleteSnapshot")).toEqual([[String(image.id)]]);
    expect(await refusal(p, "GET", `/images/${image.id}`)).toEqual([404, "not_found"]);
    expect(await refusal(p, "DELETE", `/images/${image.id}`)).toEqual([404, "not_found"]);
    expect((await p.call("GET", "/images?type=snapshot")).body.images).toEqual([]);
    expect(await refusal(p, "DELETE", "/images/161547269")).toEqual([403, "forbidden"]);
  });

  test("the sandbox's switch removes one behind the program's back, protected or not", async () => {
    const p = project();
    const s = await makeServer(p);
    const image = await makeSnapshot(p, s.id);
    await p.done("POST", `/images/${image.id}/actions/change_protection`, { delete: true });
    expect((await p.call("DELETE", `/_objects/images/${image.id}`)).status).toBe(204);
    expect(await refusal(p, "GET", `/images/${image.id}`)).toEqual([404, "not_found"]);
    expect(p.recorder.last("deleteSnapshot")).toEqual([String(image.id)]);
  });
});

describe("ordering from one", () => {
  test("the server is a copy with the Ubuntu of its model, which may be gone by then", async () => {
    const p = project();
    const s = await makeServer(p, { image: "ubuntu-22.04" });
    const image = await makeSnapshot(p, s.id);
    await p.done("DELETE", `/servers/${s.id}`);
    expect((await p.call("GET", `/images/${image.id}`)).body.image).toMatchObject({
      status: "available",
      created_from: { id: s.id, name: "min" },
    });
    const copy = await makeServer(p, { name: "copy", server_type: "cpx22", image: String(image.id) });
    expect(copy.image).toMatchObject({ id: image.id, type: "snapshot", name: null });
    expect(copy.primary_disk_size).toBe(80);
    expect(p.recorder.last("createServer")?.[0]).toMatchObject({
      id: String(copy.id),
      name: "copy",
      ubuntu: "22.04",
      snapshot: String(image.id),
      diskGb: 80,
    });
    expect(p.recorder.of("createServer")[0]?.[0]).not.toHaveProperty("snapshot");
  });

  test("a copy can be copied, though its image is gone: it goes on without it", async () => {
    const p = project();
    const s = await makeServer(p, { image: "ubuntu-22.04" });
    const image = await makeSnapshot(p, s.id);
    const copy = await makeServer(p, { name: "copy", image: image.id });
    expect((await p.call("DELETE", `/images/${image.id}`)).status).toBe(204);
    expect((await p.call("GET", `/servers/${copy.id}`)).body.server).toMatchObject({
      status: "running",
      image: { id: image.id, deleted: expect.any(String) },
    });
    expect(await makeSnapshot(p, copy.id)).toMatchObject({ os_version: "22.04", status: "available" });
    expect(await refusal(p, "POST", "/servers", { ...order, name: "late", image: image.id })).toEqual([
      422,
      "invalid_input",
    ]);
  });

  test("the type's disk has to be as large as that of the server that it was made from", async () => {
    const p = project();
    const s = await makeServer(p, { server_type: "cpx22" });
    const image = await makeSnapshot(p, s.id);
    expect(image.disk_size).toBe(80);
    const { status, body } = await p.call("POST", "/servers", { ...order, image: image.id });
    expect([status, body.error.code, body.error.message]).toEqual([
      422,
      "invalid_input",
      "image disk is bigger than server type disk",
    ]);
    expect((await p.call("GET", "/servers")).body.servers).toHaveLength(1);
  });

  test("a server whose disk was kept at a change of its type makes images of that disk", async () => {
    const p = project();
    const s = await makeServer(p);
    await p.done("POST", `/servers/${s.id}/actions/poweroff`);
    const change = { server_type: "cx33", upgrade_disk: false };
    await p.done("POST", `/servers/${s.id}/actions/change_type`, change);
    expect((await makeSnapshot(p, s.id)).disk_size).toBe(40);
  });

  test("a type of another architecture is refused", async () => {
    const p = project();
    const s = await makeServer(p);
    const image = await makeSnapshot(p, s.id);
    const arm = { ...order, server_type: "cax11", image: image.id };
    expect(await refusal(p, "POST", "/servers", arm)).toEqual([422, "invalid_input"]);
  });
});
