import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { digestOf, endDaemons, startFailure } from "../../../sandbox/commands/daemonProcess";

describe("the code that a daemon runs", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "daemon-code-"));
    mkdirSync(join(directory, "hosts", "deep"), { recursive: true });
    writeFileSync(join(directory, "hosts", "deep", "a.ts"), "one");
    writeFileSync(join(directory, "daemon.ts"), "two");
    writeFileSync(join(directory, "cli.ts"), "three");
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  const digest = () => digestOf(directory, ["daemon.ts", "hosts"]);

  test("is other code after a change of one of its files, wherever it is", () => {
    const before = digest();
    writeFileSync(join(directory, "cli.ts"), "none of the daemon's");
    expect(digest()).toBe(before);
    writeFileSync(join(directory, "hosts", "deep", "a.ts"), "changed");
    expect(digest()).not.toBe(before);
  });

  test("is other code after a renaming", () => {
    const before = digest();
    rmSync(join(directory, "hosts", "deep", "a.ts"));
    writeFileSync(join(directory, "hosts", "deep", "b.ts"), "one");
    expect(digest()).not.toBe(before);
  });
});

describe("a daemon that nothing tells of", () => {
  const children: ChildProcess[] = [];
  afterEach(() => children.splice(0).forEach((child) => child.kill("SIGKILL")));

  /** Starts a process in a network of its own, with these words on its command line. */
  async function inOwnNetwork(...words: string[]): Promise<ChildProcess & { readonly pid: number }> {
    const wait = "console.log('up'); setInterval(() => undefined, 1000)";
    const child = spawn("unshare", ["--net", process.execPath, "-e", wait, ...words]);
    children.push(child);
    await once(child.stdout, "data");
    return child as ChildProcess & { readonly pid: number };
  }

  const networkOf = ({ pid }: { readonly pid: number }) => statSync(`/proc/${pid}/ns/net`).ino;

  test("is ended in the sandbox's network, and only there", async () => {
    const stray = await inOwnNetwork("/some/checkout/sandbox/daemon.ts");
    const elsewhere = await inOwnNetwork("/some/checkout/sandbox/daemon.ts");
    const ended = once(stray, "exit");
    await endDaemons(networkOf(stray));
    await ended;
    expect(elsewhere.exitCode).toBeNull();
    expect(elsewhere.signalCode).toBeNull();
  });

  test("but no other program there", async () => {
    const service = await inOwnNetwork("/some/checkout/sandbox/services.ts");
    await endDaemons(networkOf(service));
    await sleep(100);
    expect([service.exitCode, service.signalCode]).toEqual([null, null]);
  });
});

describe("a daemon that does not start", () => {
  test("for an address in use names what to do", () => {
    const told = startFailure("listen EADDRINUSE: address already in use 10.0.0.1:80", "/log/daemon.log");
    expect(told).toMatch(
      /^the sandbox's cloud does not start: listen EADDRINUSE: .*10\.0\.0\.1:80\. Something else/,
    );
    expect(told).toContain("./scripts/sandbox reset ends all that runs there, and removes what is deployed");
    expect(told).toContain("(whole log: /log/daemon.log)");
  });

  test("for another reason says that alone", () => {
    expect(startFailure("no room", "/log")).toBe(
      "the sandbox's cloud does not start: no room (whole log: /log)",
    );
  });
});
