import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parse } from "yaml";

import { renderLoginUser, renderMetadata, renderSeed } from "../../../sandbox/hosts/cloudInit";
import { renderOptions } from "../../../sandbox/hosts/container";
import {
  LSB_RELEASE_COMMAND,
  renderCpus,
  renderLsbRelease,
  renderMeminfo,
  renderOsRelease,
} from "../../../sandbox/hosts/identity";
import type { ServerSpec } from "../../../sandbox/runtime";

const spec: ServerSpec = {
  id: "7",
  name: "bbb.example.test",
  ubuntu: "22.04",
  cores: 4,
  memoryGb: 16,
  diskGb: 160,
  userData: "#cloud-config\nssh_keys: {}\n",
  sshPublicKeys: [`ssh-ed25519 ${"A".repeat(120)} somebody with a long comment`],
  addresses: { ipv4: "203.0.113.10", ipv6Network: "2001:db8:1::/64" },
  rules: undefined,
};

test.each([
  ["22.04", "jammy"],
  ["24.04", "noble"],
])("a host presents itself as Ubuntu %s", (version, codename) => {
  expect(renderOsRelease(version)).toContain(`VERSION_ID="${version}"\n`);
  expect(renderOsRelease(version)).toContain(`VERSION_CODENAME=${codename}\n`);
  expect(renderOsRelease(version)).toContain("ID=ubuntu\n");
  expect(renderLsbRelease(version)).toContain(`DISTRIB_CODENAME=${codename}\n`);
});

test("an Ubuntu that there is not is named", () => {
  expect(() => renderOsRelease("23.10")).toThrow(/23\.10.*22\.04/);
});

test.each([
  [["-cs"], "jammy\n"],
  [["-s", "-c"], "jammy\n"],
  [["-rs"], "22.04\n"],
  [["--short", "--id"], "Ubuntu\n"],
  [["-d"], "Description:\tUbuntu 22.04.5 LTS\n"],
])("lsb_release %j", (args, answer) => {
  const directory = mkdtempSync(join(tmpdir(), "lsb-"));
  try {
    const file = join(directory, "lsb-release");
    writeFileSync(file, renderLsbRelease("22.04"));
    const script = LSB_RELEASE_COMMAND.replace(". /etc/lsb-release", `. ${file}`);
    expect(spawnSync("sh", ["-s", "--", ...args], { input: script, encoding: "utf8" }).stdout).toBe(answer);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("cores and memory are those of the server type, less what a kernel keeps", () => {
  expect(renderCpus(4)).toBe("0-3\n");
  expect(renderCpus(1)).toBe("0\n");
  const total = Number(/^MemTotal:\s+(\d+) kB$/m.exec(renderMeminfo(16))?.[1]);
  expect(total).toBeLessThan(16 * 1024 * 1024);
  // What the installer's check of 16 GB asks for.
  expect(total).toBeGreaterThan(15_700_000);
});

test("the seed has the user data as it is, and each key on one line", () => {
  const seed = renderSeed(spec);
  expect(seed["user-data"]).toBe(spec.userData);
  expect(parse(seed["meta-data"] ?? "")).toEqual({
    "instance-id": "7",
    "local-hostname": "bbb.example.test",
    "public-keys": spec.sshPublicKeys,
  });
  expect(renderSeed({ ...spec, userData: "" })["user-data"]).toContain("#cloud-config");
});

test("a login user as Canonical's images have it: sudo, no password, and none for root", () => {
  expect(parse(renderLoginUser("ubuntu"))).toMatchObject({
    disable_root: true,
    system_info: {
      default_user: {
        name: "ubuntu",
        lock_passwd: true,
        sudo: ["ALL=(ALL) NOPASSWD:ALL"],
        shell: "/bin/bash",
      },
    },
  });
});

test("the metadata service answers with what is known of a host", () => {
  const answers = renderMetadata(spec);
  expect(answers["/hetzner/v1/userdata"]).toBe(spec.userData);
  expect(answers["/hetzner/v1/metadata/public-ipv4"]).toBe("203.0.113.10");
  expect(answers["/hetzner/v1/metadata"]).toContain(`- ${spec.sshPublicKeys[0]}\n`);
});

test("a host is booted in its own network, with its devices and nothing else of the machine", () => {
  const options = renderOptions("/state/hosts/7", spec, [
    { source: "/dev/loop3", path: "/dev/disk/by-id/scsi-0HC_Volume_9" },
  ]);
  expect(options).toContain("--network-namespace-path=/run/netns/bbbsb-h7");
  expect(options.filter((option) => option.includes("bind"))).toEqual([
    "--bind=/dev/loop3:/dev/disk/by-id/scsi-0HC_Volume_9",
  ]);
  // The program to run comes last: what follows it would be its arguments.
  expect(options.findIndex((option) => !option.startsWith("--"))).toBe(options.length - 1);
});
