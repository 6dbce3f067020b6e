import { accountObjects, checkpointReferences, projectNow, references } from "../support/account";
import { expectService } from "../support/checks";
import { hetznerInventory } from "../support/clouds";
import { killWhen } from "../support/kill";
import { plantRecordings, recordingSums } from "../support/recordings";
import { must, OF_STAGING, outputs, update } from "../support/sandbox";

/** Updates of staging, killed at one moment after the other; the next one has to cope with each. */

const STAGING = ["--stack", "staging"];
const UPGRADE = [...STAGING, "--set", "upgrade=second"];
const ROTATE = [...UPGRADE, "--set", "rotateTurnSecret=second"];

let recordings: string;

const kill = (action: "up" | "destroy", args: readonly string[], moment: (output: string) => boolean) =>
  killWhen([action, "--engine", "embedded", ...args], moment);

const exists = (kind: string, wanted: (object: Readonly<Record<string, unknown>>) => boolean) =>
  Object.values(projectNow()[kind] ?? {}).some(wanted);

const serverExists = () => exists("servers", ({ name }) => name === OF_STAGING.bbb);

const recordExists = (name: string) =>
  exists("zones", ({ recordSets }) => Object.hasOwn(recordSets as object, name));

/**
 * Expects that the deployment works, that the account has exactly the checkpoint's objects, and that the recordings are
 * unchanged.
 */
async function expectComplete(): Promise<void> {
  await expectService(await outputs(STAGING), OF_STAGING.turn);
  expect(references(await accountObjects())).toEqual(checkpointReferences("staging"));
  expect(await recordingSums(OF_STAGING.bbb)).toBe(recordings);
}

beforeAll(() => must(["reset"]));

test("while addresses and firewalls are made: destroy leaves the account clean", async () => {
  await kill("up", STAGING, () => exists("firewalls", () => true) || exists("primaryIps", () => true));
  expect(await hetznerInventory()).not.toEqual({});
  // Of the volume, which is protected, there may be none yet.
  await update("destroy", "embedded", STAGING);
  expect(references(await accountObjects()).filter((object) => !object.startsWith("volumes "))).toEqual([]);
  expect(references(await accountObjects())).toEqual(checkpointReferences("staging"));
});

test("while servers are made: the next up completes the deployment", async () => {
  await kill("up", STAGING, serverExists);
  await update("up", "embedded", STAGING);
  recordings = await plantRecordings(OF_STAGING.bbb);
  await expectComplete();
});

test("during a long step on a host: the next up completes the upgrade", async () => {
  await kill("up", UPGRADE, (output) => /Install BigBlueButton.*started/.test(output));
  await update("up", "embedded", UPGRADE);
  await expectComplete();
});

test("during the verification: the next up completes the new secret's way", async () => {
  const before = await outputs(STAGING);
  await kill("up", ROTATE, (output) => /Verify .*started/.test(output));
  await update("up", "embedded", ROTATE);
  expect((await outputs(STAGING)).turnSecret).not.toBe(before.turnSecret);
  await expectComplete();
});

test("while it is destroyed: the next destroy leaves the protected recordings, and nothing else", async () => {
  const volumes = (await accountObjects()).filter(({ kind }) => kind === "volumes");
  await kill("destroy", STAGING, () => !serverExists());
  await update("destroy", "embedded", STAGING);
  expect(references(await accountObjects())).toEqual(references(volumes));
  expect(checkpointReferences("staging")).toEqual(references(volumes));
});

test("while records are made: the next up completes the deployment, with the recordings of before", async () => {
  await kill("up", STAGING, () => recordExists("bbb-staging/A") || recordExists("turn-staging/A"));
  await update("up", "embedded", STAGING);
  await expectComplete();
});

test("an up after all of that changes nothing", async () => {
  expect(Object.keys((await update("up", "embedded", STAGING)).summary)).toEqual(["unchanged"]);
});
