/** Storage Boxes: how they are ordered, changed and deleted. */
import { publicKey, useProject } from "./harness";

const project = useProject();

const order = {
  ...{ name: "box", storage_box_type: "bx11", location: "hel1", password: "Correct-Horse-9" },
  ...{ ssh_keys: [publicKey], access_settings: { ssh_enabled: true } },
};

test("one has its account once it is made, and is known to the name servers then", async () => {
  const p = project();
  const release = p.recorder.hold("setStorageBox");
  const { status, body } = await p.call("POST", "/storage_boxes", order);
  expect(status).toBe(201);
  expect(body.storage_box).toMatchObject({ status: "initializing", username: null, server: null });
  release();
  await p.wait([body.action.id]);
  const { storage_box: box } = (await p.call("GET", `/storage_boxes/${body.storage_box.id}`)).body;
  expect(box).toMatchObject({
    ...{ status: "active", username: `u${400_000 + box.id}`, snapshot_plan: null },
    server: `u${400_000 + box.id}.your-storagebox.de`,
    access_settings: { ssh_enabled: true, samba_enabled: false, reachable_externally: false },
  });
  expect(p.recorder.last("setStorageBox")).toEqual([
    { username: box.username, sshPublicKeys: [publicKey], ssh: true },
  ]);
  const listed = (await p.call("GET", `/storage_boxes/actions/${body.action.id}`)).body.action;
  expect(listed).toMatchObject({ command: "create", resources: [{ id: box.id, type: "storage_box" }] });
});

test.each([
  [{ password: "correct-horse" }, "password"],
  [{ password: "Sh0rt-one" }, "password"],
  [{ location: "nbg1" }, "location"],
  [{ storage_box_type: "bx99" }, "storage_box_type"],
])("%j is refused", async (more, field) => {
  const { status, body } = await project().call("POST", "/storage_boxes", { ...order, ...more });
  expect([status, body.error.code, body.error.details.fields[0].name]).toEqual([422, "invalid_input", field]);
});

test("a protected one stays; a deleted one is gone with its account", async () => {
  const p = project();
  const { storage_box: box } = await p.done("POST", "/storage_boxes", order);
  const path = `/storage_boxes/${box.id}`;
  await p.done("POST", `${path}/actions/change_protection`, { delete: true });
  expect((await p.call("DELETE", path)).body.error.code).toBe("protected");
  await p.done("POST", `${path}/actions/change_protection`, { delete: false });
  await p.done("DELETE", path);
  expect((await p.call("GET", path)).status).toBe(404);
  expect(p.recorder.last("deleteStorageBox")).toEqual([`u${400_000 + box.id}`]);
});

test("a plan keeps no more snapshots than the type; SSH is switched off at once", async () => {
  const p = project();
  const { storage_box: box } = await p.done("POST", "/storage_boxes", order);
  const path = `/storage_boxes/${box.id}/actions`;
  const plan = { max_snapshots: 10, hour: 12, minute: 0 };
  const refused = await p.call("POST", `${path}/enable_snapshot_plan`, { ...plan, max_snapshots: 11 });
  expect(refused.body.error.message).toContain("bx11 keeps 10 snapshots at most");
  await p.done("POST", `${path}/enable_snapshot_plan`, plan);
  await p.done("POST", `${path}/update_access_settings`, { ssh_enabled: false });
  const { storage_box: changed } = (await p.call("GET", `/storage_boxes/${box.id}`)).body;
  expect(changed).toMatchObject({
    snapshot_plan: { ...plan, day_of_week: null, day_of_month: null },
    access_settings: { ssh_enabled: false },
  });
  expect(p.recorder.last("setStorageBox")).toMatchObject([{ ssh: false }]);
});
