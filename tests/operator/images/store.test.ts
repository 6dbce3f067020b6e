import { imageOf, imagesAt, store } from "../../../operator/images/store";
import { hetznerServers } from "../../../operator/servers/hetzner";
import { makeServer, token, useProject } from "../../sandbox/hetzner/harness";

const project = useProject();
const cloud = async () =>
  hetznerServers({ token, endpoint: `${await project().url()}/v1` }, { pauseSeconds: 0.01 });
const labels = (role: "bbb" | "turn", more: object = {}) => ({
  ...{ project: "bigbluebutton", image: role, built: "1764460800" },
  ...more,
});

/** Makes an image of a new server. */
async function made(role: "bbb" | "turn", more: object = {}) {
  const { id } = await makeServer(project(), { name: `${role}-${Math.random().toString(36).slice(2)}` });
  return {
    server: String(id),
    image: await store(
      await cloud(),
      { id: String(id), diskGb: 80 },
      { labels: labels(role, more), role, description: "BigBlueButton" },
    ),
  };
}

test("a server's image says what it is made from, how large a disk it needs, and bears no stack's labels", async () => {
  const { server, image } = await made("bbb", { release: "jammy-30", bbb: "3.0.26" });
  expect(image).toMatchObject({ available: true });
  expect(image.labels).toEqual({
    ...labels("bbb", { release: "jammy-30", bbb: "3.0.26" }),
    ...{ disk: "80", server },
  });
  expect(await imageOf(await cloud(), { project: "bigbluebutton", role: "bbb", server })).toEqual(image);
  expect(await imageOf(await cloud(), { project: "bigbluebutton", role: "turn", server })).toBeUndefined();
});

test("the images of a project are listed for both hosts; another project's, and other snapshots, are not", async () => {
  const images = [await made("turn"), await made("bbb")];
  await made("bbb", { project: "other" });
  const { id } = await makeServer(project(), { name: "parked" });
  await (
    await cloud()
  ).take(String(id), { project: "bigbluebutton", role: "bbb", purpose: "parked" }, "parked");
  const listed = await imagesAt(await cloud(), "bigbluebutton");
  expect(listed.map(({ id, role }) => `${role} ${id}`).sort()).toEqual(
    images.map(({ image }) => `${image.labels.image} ${image.id}`).sort(),
  );
});
