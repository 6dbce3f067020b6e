import { join } from "node:path";

import { run, SCRIPTS } from "./scripts";

async function classify(log: string): Promise<string[]> {
  const { code, output } = await run(["python3", "-B", join(SCRIPTS, "failures.py")], log);
  expect(code).toBe(0);
  return output.trimEnd().split("\n");
}

test.each([
  ["Error response from daemon: toomanyrequests: Too Many Requests.", "registry of container images"],
  ["E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 99 (apt)", "another program"],
  ["gpg: keyserver receive failed: No data", "key server"],
  ["Err:1 http://mirror/ jammy InRelease\n  Could not connect to mirror:80 (192.0.2.1)", "package server"],
  ["E: Failed to fetch http://mirror/x.deb  503  Service Unavailable [IP: 192.0.2.1 80]", "package server"],
  ["curl: (6) Could not resolve host: ubuntu.bigbluebutton.org", "package server"],
  ["File has unexpected size (1 != 2). Mirror sync in progress? [IP: 192.0.2.1 80]", "package server"],
])("passes by itself: %s", async (log, reason) => {
  expect(await classify(`Reading…\n${log}\nfurther lines\n`)).toEqual([
    "momentary",
    expect.stringContaining(reason),
  ]);
});

test.each([
  ["dpkg: error: failed to write status database: No space left on device", "the disk is full"],
  ["E: You don't have enough free space in /var/cache/apt/archives/.", "the disk is full"],
  ["E: Unable to locate package bigblue", "does not exist"],
  ["E: Package 'x' has no installation candidate", "does not exist"],
  ["E: The repository 'http://r noble Release' does not have a Release file.", "this Ubuntu release"],
  [
    "W: GPG error: http://r: … NO_PUBKEY 12AB\nE: The repository 'http://r x InRelease' is not signed.",
    "is not signed",
  ],
  [
    "W: An error occurred during the signature verification. … invalid: EXPKEYSIG 12AB\nW: Failed to fetch http://r/InRelease",
    "the signature of a package source",
  ],
  [
    "This script can only install BigBlueButton 3.0 and is meant to be run on Ubuntu 22.04",
    "refuses this host",
  ],
  ["Your server should have (at least) 4 GB of memory.", "refuses this host"],
  ["The following packages have unmet dependencies:\n bbb-web : Depends: x", "contradict each other"],
])("does not get better: %s", async (log, reason) => {
  const [kind, why] = await classify(`${log}\n`);
  expect([kind, why]).toEqual(["final", expect.stringContaining(reason)]);
  expect(why).toMatch(/: ./);
});

test.each([
  ["E: Failed to fetch http://m/x.deb  Hash Sum mismatch", "its hash is another one"],
  ["bbb-install: Unable to locate packages for jammy-300 at m.test.", "finds no packages of this release"],
])("may be either, and is explained: %s", async (log, reason) => {
  expect(await classify(`${log}\n`)).toEqual(["unknown", expect.stringContaining(reason)]);
});

test("what fails since the lists could not be fetched passes with their mirror", async () => {
  const log =
    "W: Failed to fetch http://m/InRelease  Connection timed out\nE: Unable to locate package bbb-web\n";
  expect((await classify(log))[0]).toBe("momentary");
});

test("a source that is trusted without a signature is no failure", async () => {
  expect(
    (await classify("W: The repository 'http://m x Release' is not signed.\ntoomanyrequests\n"))[0],
  ).toBe("momentary");
  const warned =
    "W: GPG error: http://m x Release: The following signatures couldn't be verified: NO_PUBKEY 12AB\nW: The repository 'http://m x Release' is not signed.\n";
  expect(await classify(warned)).toEqual(["unknown"]);
  expect(await classify(`${warned}E: Unable to correct problems, you have held broken packages.\n`)).toEqual([
    "final",
    expect.stringContaining("packages contradict each other"),
  ]);
});

test("a full disk counts more than what else failed", async () => {
  expect((await classify("Connection timed out\nwrite error: No space left on device\n"))[0]).toBe("final");
});

test("what it does not know it does not judge", async () => {
  expect(await classify("Setting up bbb-web\nsomething else went wrong \xff\n")).toEqual(["unknown"]);
});

test.each([
  "E: Failed to fetch http://mirror/pool/x.deb  404  Not Found [IP: 192.0.2.1 80]",
  "2026-11-28 02:21:44 ERROR 404: Not Found.",
  "curl: (22) The requested URL returned error: 404",
])("what is not there may be so for good, and is not asked for again and again: %s", async (log) => {
  expect(await classify(`Reading…\n${log}\n`)).toEqual([
    "unknown",
    expect.stringContaining("is not there (404)"),
  ]);
});
