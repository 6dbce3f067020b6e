import { expectService } from "./support/checks";
import { hetznerInventory } from "./support/clouds";
import { plantRecordings, recordingSums } from "./support/recordings";
import { engineMissing, must, OF_STAGING, onHost, outputs, testUnless } from "./support/sandbox";
import { update, type Engine, type Update } from "./support/sandbox";

const { bbb: BBB, turn: TURN } = OF_STAGING;

const NOBLE = ["--stack", "staging", "--set", "release=noble-40"];

for (const engine of ["embedded", "pulumi"] satisfies Engine[]) {
  describe(`noble-40 in a stack of its own, with protected recordings, by the ${engine} engine`, () => {
    const missing = engineMissing(engine);
    const test = testUnless(missing);
    let first: Update;

    if (missing === undefined) {
      beforeAll(async () => {
        await must(["reset"]);
        first = await update("up", engine, NOBLE);
      });
    }

    test("up creates everything, and says how long it took", async () => {
      expect(Object.keys(first.summary)).toEqual(["created"]);
      expect(first.stdout).toMatch(/^Duration: \d+(m\d+)?s$/m);
    });

    test("BigBlueButton and TURN answer from outside", async () => {
      const out = await outputs(["--stack", "staging"]);
      expect(out.release).toBe("noble-40");
      await expectService(out, TURN);
    });

    test("both hosts present themselves as Ubuntu 24.04", async () => {
      for (const fqdn of [BBB, TURN]) {
        expect(await onHost(fqdn, ["bash", "-c", ". /etc/os-release && echo $ID $VERSION_ID"])).toBe(
          "ubuntu 24.04\n",
        );
      }
    });

    test("a second up changes nothing", async () => {
      expect(Object.keys((await update("up", engine, NOBLE)).summary)).toEqual(["unchanged"]);
    });

    test("destroy keeps the recordings' volume, names it, and the next up goes on with it byte for byte", async () => {
      const sums = await plantRecordings(BBB);

      const destroyed = await update("destroy", engine, NOBLE);
      expect(destroyed.stdout).toMatch(/protected/);
      expect(destroyed.stdout).toMatch(/volume/i);
      const left = await hetznerInventory();
      expect(Object.keys(left)).toEqual(["volumes"]);
      expect(left.volumes).toHaveLength(1);

      const again = await update("up", engine, NOBLE);
      expect(again.summary.created).toBeGreaterThan(20);
      expect(await recordingSums(BBB)).toBe(sums);
      expect((await hetznerInventory()).volumes).toEqual(left.volumes);
    });
  });
}
