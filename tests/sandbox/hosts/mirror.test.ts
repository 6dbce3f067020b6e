import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Faults } from "../../../sandbox/hetzner/faults";
import { createMirror } from "../../../sandbox/services/mirror";

const directory = mkdtempSync(join(tmpdir(), "mirror-"));
const faults = new Faults();
const mirror = createMirror(directory, faults);

let base: string;

beforeAll(async () => {
  writeFileSync(join(directory, "package.deb"), "package");
  base = await mirror.listen({ host: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  mirror.server.closeAllConnections();
  await mirror.close();
  rmSync(directory, { recursive: true });
});

test("gives what it has, and nothing else", async () => {
  expect(await (await fetch(`${base}/package.deb`)).text()).toBe("package");
  expect((await fetch(`${base}/other.deb`)).status).toBe(404);
});

test("an armed fault hits what it matches, as often as it was told", async () => {
  faults.arm({ match: { path: "[.]deb$" }, status: 503, message: "try later", times: 2 });
  expect((await fetch(`${base}/Release`)).status).toBe(404);
  for (const expected of [503, 503, 200]) {
    expect((await fetch(`${base}/package.deb`)).status).toBe(expected);
  }
});
