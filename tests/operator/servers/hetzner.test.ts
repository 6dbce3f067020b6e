import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";

import { hetznerServers } from "../../../operator/servers/hetzner";
import { makeServer, token, useProject, type Json } from "../../sandbox/hetzner/harness";

const labels = { project: "bigbluebutton", stack: "prod", role: "bbb" };

describe("servers", () => {
  const project = useProject();
  const servers = async (more: object = {}) =>
    hetznerServers({ token, endpoint: `${await project().url()}/v1` }, { pauseSeconds: 0.01, ...more });
  const commands = () =>
    project()
      .log()
      .filter(({ method }: Json) => method !== "GET")
      .map(({ path }: Json) => path as string);

  test("are found by all of their labels", async () => {
    const { id } = await makeServer(project(), { name: "ours", labels });
    await makeServer(project(), { name: "theirs", labels: { ...labels, stack: "staging" } });
    expect(await (await servers()).find(labels)).toEqual([
      { id: String(id), name: "ours", status: "running", image: "161547269", diskGb: 40 },
    ]);
  });

  test("shut down, and start again; one that is off already stays so", async () => {
    const { id } = await makeServer(project(), { labels });
    const cloud = await servers();
    await cloud.stop(String(id));
    expect(await cloud.find(labels)).toMatchObject([{ status: "off" }]);
    await cloud.stop(String(id));
    await cloud.start(String(id));
    expect(await cloud.find(labels)).toMatchObject([{ status: "running" }]);
    expect(project().recorder.of("powerOff")).toEqual([[String(id), true]]);
  });

  test("one that does not shut down is switched off", async () => {
    const { id } = await makeServer(project(), { labels });
    await (await servers({ shutdownLooks: 0 })).stop(String(id));
    expect(commands()).toContainEqual(expect.stringMatching(/actions\/poweroff$/));
  });

  test("are offered where the type can be had", async () => {
    const cloud = await servers();
    expect(await cloud.isOffered("cx23", "fsn1")).toBe(true);
    expect(await cloud.isOffered("cx23", "mars1")).toBe(false);
    expect(await cloud.isOffered("unheard-of", "fsn1")).toBe(false);
  });

  test("one becomes a snapshot with labels, which can change, is found by them, makes a server, and goes", async () => {
    const { id } = await makeServer(project(), { labels });
    const cloud = await servers();
    await cloud.stop(String(id));
    const taken = await cloud.take(String(id), { ...labels, purpose: "parked" }, "parked");
    expect(taken).toMatchObject({ labels: { ...labels, purpose: "parked" }, available: true });
    expect(Math.abs(Date.now() - taken.created.getTime())).toBeLessThan(60_000);
    await cloud.letGo(String(id));
    await cloud.relabel(taken.id, { ...labels, purpose: "waking" });
    const more = await makeServer(project(), { name: "other", labels: {} });
    await cloud.take(String(more.id), { ...labels, stack: "staging" }, "another's");
    expect(await cloud.snapshots(labels)).toMatchObject([{ id: taken.id, labels: { purpose: "waking" } }]);
    await makeServer(project(), { labels, image: Number(taken.id) });
    expect(await cloud.find(labels)).toMatchObject([{ image: taken.id }]);
    await cloud.remove(taken.id);
    expect(await cloud.snapshots(labels)).toEqual([]);
  });

  test("one is deleted with its protection lifted; its volume stays, detached before", async () => {
    const { id } = await makeServer(project(), { labels });
    const { volume } = await project().done("POST", "/volumes", { name: "v", size: 10, server: id });
    await project().done("POST", `/servers/${id}/actions/change_protection`, { delete: true, rebuild: true });
    const cloud = await servers();
    await cloud.stop(String(id));
    await cloud.letGo(String(id));
    expect(await cloud.find(labels)).toEqual([]);
    expect((await project().call("GET", `/volumes/${volume.id}`)).body.volume.server).toBeNull();
    expect(commands().slice(-3)).toEqual([
      expect.stringMatching(/change_protection$/),
      expect.stringMatching(/detach$/),
      expect.stringMatching(/servers\/\d+$/),
    ]);
    await cloud.letGo(String(id));
  });
});

describe("snapshots", () => {
  let http: HttpServer;
  let asked: string[];
  let answers: (request: string, body: Json) => unknown;

  beforeEach(async () => {
    asked = [];
    http = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk: Buffer) => (text += chunk.toString()));
      request.on("end", () => {
        const line = `${request.method} ${decodeURIComponent(request.url!)}`;
        asked.push(line);
        const answer = answers(line, text === "" ? undefined : JSON.parse(text));
        response.statusCode = answer === undefined ? 404 : 200;
        response.end(JSON.stringify(answer ?? { error: { code: "not_found", message: "image not found" } }));
      });
    });
    await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
  });
  afterEach(() => new Promise((done) => http.close(done)));

  const servers = () =>
    hetznerServers(
      { token, endpoint: `http://127.0.0.1:${(http.address() as AddressInfo).port}` },
      { pauseSeconds: 0.01, snapshotLooks: 3 },
    );
  const image = (status: string) => ({
    ...{ id: 42, created: "2026-11-29T21:00:00+00:00", labels, status },
    image_size: status === "available" ? 7.26 : null,
  });

  test("are made of a server, and waited for", async () => {
    let looks = 0;
    answers = (line, body) => {
      if (line === "GET /images/42") return { image: image(++looks < 2 ? "creating" : "available") };
      if (line.startsWith("GET")) return { action: { id: 1, status: "success", error: null } };
      expect(body).toEqual({ type: "snapshot", description: "parked", labels });
      return { image: image("creating"), action: { id: 1, status: "running", error: null } };
    };
    expect(await servers().take("7", labels, "parked")).toEqual({
      ...{ id: "42", labels, available: true, gb: 7.26 },
      created: new Date("2026-11-29T21:00:00Z"),
    });
    expect(asked).toEqual([
      "POST /servers/7/actions/create_image",
      "GET /actions/1",
      "GET /images/42",
      "GET /images/42",
    ]);
  });

  test("that the cloud does not make, or is still making, are told", async () => {
    answers = () => ({ image: image("unavailable") });
    await expect(servers().available("42")).rejects.toThrow("did not make the snapshot 42: run this again");
    // It would be found in place of the next one.
    expect(asked.at(-1)).toBe("DELETE /images/42");
    answers = () => undefined;
    await expect(servers().available("42")).rejects.toThrow("did not make the snapshot 42");
    answers = () => ({ image: image("creating") });
    await expect(servers().available("42")).rejects.toThrow("still making the snapshot 42");
  });

  test("are found by labels, the newest first", async () => {
    answers = () => ({ images: [image("creating")], meta: { pagination: { next_page: null } } });
    expect(await servers().snapshots(labels)).toMatchObject([{ id: "42", available: false }]);
    expect(asked[0]).toContain("type=snapshot&sort=created:desc");
    expect(asked[0]).toContain("label_selector=project==bigbluebutton,stack==prod,role==bbb");
  });

  test("go for good, protected ones also, and ones that are gone", async () => {
    answers = (line) =>
      line.startsWith("GET") ? { image: { ...image("available"), protection: { delete: true } } } : {};
    await servers().remove("42");
    expect(asked.slice(1)).toEqual(["POST /images/42/actions/change_protection", "DELETE /images/42"]);
    answers = () => undefined;
    await servers().remove("42");
  });

  test("get other labels", async () => {
    answers = (_, body) => ({ image: body });
    await servers().relabel("42", { ...labels, purpose: "waking" });
    expect(asked).toEqual(["PUT /images/42"]);
  });
});
