/** A browser that joins a pool's meetings by the balancer, and its sound and data by the pool's TURN server. */
import { iceServer, openBrowser, startPeer, type Browser } from "../support/browser";
import {
  apiOf,
  BALANCER,
  frontEnd,
  joinUrl,
  meetingsOf,
  node,
  poolOf,
  poolOutputs,
  TURN,
  type PoolOutputs,
} from "../support/pool";
import { must, onHost, update } from "../support/sandbox";

const ACCESS_LOG = "/var/log/nginx/bigbluebutton.access.log";

let out: PoolOutputs;
let browser: Browser | undefined;

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded", poolOf(2));
  out = await poolOutputs();
  browser = await openBrowser();
});
afterAll(() => browser?.close());

/** Opens a page, and waits until it says that the pupil is in the meeting. */
async function join(id: string): Promise<URL> {
  const { page } = browser!;
  await page.goto(joinUrl(apiOf(out), id));
  await page.waitForFunction(`document.querySelector("#who")?.textContent === "Pupil in ${id}"`);
  return new URL(page.url());
}

test("the balancer's address leads to the server of the meeting, whose log has the browser", async () => {
  const ids = ["first", "second"];
  for (const id of ids) await frontEnd(out).create(id);
  const meetings = await meetingsOf(1, 2);
  expect(meetings.map(({ server }) => server).sort()).toEqual([1, 2]);
  for (const { id, server } of meetings) {
    const { hostname, pathname, searchParams } = await join(id);
    expect([hostname, pathname]).toEqual([node(server), "/html5client/"]);
    const token = searchParams.get("sessionToken")!;
    const lines = async (number: number) =>
      (await onHost(node(number), ["cat", ACCESS_LOG])).split("\n").filter((line) => line.includes(token));
    const calls = (await lines(server)).map((line) => /"GET (\/\S+?)[? ]/.exec(line)?.[1]);
    expect(calls).toEqual(expect.arrayContaining(["/html5client/", "/bigbluebutton/api/enter"]));
    expect((await lines(server)).join("\n")).toMatch(/Chrome\//);
    expect(await lines(3 - server)).toEqual([]);
  }
  expect((await meetingsOf(1, 2)).map(({ people }) => people)).toEqual([1, 1]);
});

test("with the balancer off, the page of who is in a meeting goes on, and nobody else joins", async () => {
  const { page } = browser!;
  await join("first");
  await onHost(BALANCER, ["systemctl", "stop", "nginx"]);
  try {
    await page.reload();
    await page.waitForFunction('document.querySelector("#who")?.textContent === "Pupil in first"');
    await expect(page.goto(joinUrl(apiOf(out), "first"))).rejects.toThrow(/ERR_CONNECTION_REFUSED/);
  } finally {
    await onHost(BALANCER, ["systemctl", "start", "nginx"]);
  }
});

test.each([1, 2])("sound and data flow to server %i by the pool's TURN server", async (number) => {
  const peer = await startPeer(node(number));
  const other = await openBrowser({ peer });
  try {
    const url = `turns:${TURN}:443?transport=tcp`;
    const result = await other.attempt({ title: url, server: iceServer([url], out.turnSecret) });
    const { ipv4 } = out.servers[node(number)]!;
    expect(result).toMatchObject({ works: true, type: "relay", relayProtocol: "tls", peer: ipv4 });
    expect(result.heard).toBeGreaterThan(0);
    expect(result.echoed).toBeGreaterThanOrEqual(10);
  } finally {
    await other.close();
    await peer.stop();
  }
});
