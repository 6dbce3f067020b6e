import * as pulumi from "@pulumi/pulumi";

import { parkedCheck } from "../../../clouds/hetzner/parked";
import type { Role } from "../../../clouds/host";

const labels = { project: "bigbluebutton", stack: "prod" };

/** Asks the hook of a role's server, with these snapshots at the cloud. */
async function ask(role: Role, image: string, images: readonly object[] | Error): Promise<string> {
  const asked: unknown[] = [];
  jest.spyOn(globalThis, "fetch").mockImplementation((url) => {
    const { pathname, searchParams } = new URL(url);
    asked.push(pathname, searchParams.get("label_selector"));
    return images instanceof Error ? Promise.reject(images) : Promise.resolve(Response.json({ images }));
  });
  let callback: (() => Promise<void>) | undefined;
  jest.spyOn(pulumi, "ResourceHook").mockImplementation(((_name: string, given: () => Promise<void>) => {
    callback = given;
    return {};
  }) as never);
  parkedCheck({ name: role, role, image, labels: { ...labels, role } }, {});
  const refusal = await callback!().then(
    () => "made",
    (error: Error) => error.message,
  );
  expect(asked).toEqual([
    "/v1/images",
    "project==bigbluebutton,stack==prod,role==bbb,purpose in (parked,waking)",
  ]);
  return refusal;
}
afterEach(() => jest.restoreAllMocks());

const snapshot = (id: number, purpose: string, turn?: string) => ({
  id,
  labels: { purpose, ...(turn && { turn }) },
});

test("a parked server is not made from another image, and both ways out are named", async () => {
  for (const purpose of ["parked", "waking"]) {
    const refusal = await ask("bbb", "ubuntu-22.04", [snapshot(42, purpose)]);
    expect(refusal).toMatch(
      /^stack prod is parked, as the snapshot 42: \.\/scripts\/wake prod brings it back/,
    );
    expect(refusal).toContain("./scripts/park prod --discard");
  }
});

test("its own snapshot is what it is made from, one of several also", async () => {
  expect(await ask("bbb", "42", [snapshot(43, "waking"), snapshot(42, "waking")])).toBe("made");
});

test("a TURN server is not made either while it is parked with the other, but stays free to be where it is not", async () => {
  expect(await ask("turn", "ubuntu-24.04", [snapshot(42, "parked", "parked")])).toMatch(
    /^stack prod is parked/,
  );
  expect(await ask("turn", "ubuntu-24.04", [snapshot(42, "waking", "parked")])).toBe("made");
  expect(await ask("turn", "ubuntu-24.04", [snapshot(42, "parked")])).toBe("made");
});

test("a cloud with nothing parked, or that does not answer, refuses nothing", async () => {
  expect(await ask("bbb", "ubuntu-22.04", [])).toBe("made");
  expect(await ask("bbb", "ubuntu-22.04", new Error("HTTP 503"))).toBe("made");
});
