import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { accountObjects, projectNow, references, checkpointReferences } from "../support/account";
import { hetzner } from "../support/clouds";
import { expectDeployed, failingUp, up } from "../support/faults";
import { killWhen } from "../support/kill";
import { IN_HETZNER_DNS, must, sandbox } from "../support/sandbox";

/**
 * Differences between the state and the cloud, with an engine that adopts nothing, like the Pulumi CLI. One deployment.
 */

const AS_CLI = ["--no-adopt"];
const folder = mkdtempSync(join(tmpdir(), "recovered-"));
const backup = join(folder, "state.json");

beforeAll(async () => void (await must(["reset"])));
afterAll(() => rmSync(folder, { recursive: true }));

const recover = (...args: string[]) => sandbox(["operator", "recover", "sandbox", "--sandbox", ...args]);

describe("Differences between the state and the cloud", () => {
  test("killed while the cloud makes servers and records: the next up names the command, and after it goes on", async () => {
    await killWhen(
      ["up", "--engine", "embedded", ...AS_CLI],
      () => Object.keys(projectNow().servers ?? {}).length > 0,
    );
    await failingUp(
      AS_CLI,
      /\.\/scripts\/recover sandbox is needed first: an update that was cut off has made/,
    );
    const { code, stderr } = await recover("--yes", "--backup", backup);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/bbb-host-server: taken into the state as \d+/),
    ]);
    const kept = JSON.parse(readFileSync(backup, "utf8")) as {
      deployment: { pending_operations: unknown[] };
    };
    expect(kept.deployment.pending_operations).not.toEqual([]);
    await up(...AS_CLI);
    await expectDeployed(AS_CLI);
    expect(references(await accountObjects())).toEqual(checkpointReferences("sandbox"));
    expect((await recover("--yes")).stderr).toContain("nothing to do");
  });

  test("a server that was deleted at the cloud: named, and a refresh and an up make it anew", async () => {
    const changed = ["--set", "rotateTurnSecret=gone"];
    const servers = (await accountObjects()).filter(({ kind }) => kind === "servers");
    const { id = "" } = servers.find(({ name }) => name === IN_HETZNER_DNS.turn) ?? {};
    await hetzner(["DELETE", `/servers/${id}`]);
    const { stdout } = await failingUp(
      changed,
      new RegExp(
        `the server of turn\\.example\\.test \\(${id}\\) does not exist at the cloud any more.*pulumi refresh`,
      ),
    );
    expect(stdout).not.toContain("sshNetworks");
    await must(["refresh", "--engine", "embedded", ...changed]);
    const { summary } = await up(...changed);
    expect(summary.created).toBeGreaterThan(0);
    await expectDeployed(changed);
  });
});
