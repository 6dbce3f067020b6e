import { stringify } from "yaml";

import type { ServerSpec } from "../runtime";

/** Files of a NoCloud seed, by name: they tell a host what the cloud's API was told about it. */
export function renderSeed(spec: ServerSpec): Readonly<Record<string, string>> {
  return {
    "meta-data": stringify({
      "instance-id": spec.id,
      "local-hostname": spec.name,
      "public-keys": [...spec.sshPublicKeys],
    }),
    "user-data": spec.userData || "#cloud-config\n{}\n",
    "vendor-data": "#cloud-config\n{}\n",
  };
}

/**
 * Part of cloud-init's settings that gives Canonical's images a login user of their own: without password, with sudo,
 * in place of root, whose keys only name that user.
 */
export function renderLoginUser(name: string): string {
  return stringify({
    disable_root: true,
    system_info: {
      default_user: {
        name,
        lock_passwd: true,
        gecos: name[0]!.toUpperCase() + name.slice(1),
        groups: ["adm", "cdrom", "dip", "sudo"],
        sudo: ["ALL=(ALL) NOPASSWD:ALL"],
        shell: "/bin/bash",
      },
    },
  });
}

/** Answers of the metadata service to one host, by Hetzner's paths. */
export function renderMetadata(spec: ServerSpec): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {
    hostname: spec.name,
    "instance-id": spec.id,
    "public-ipv4": spec.addresses.ipv4 ?? "",
    "public-keys": JSON.stringify(spec.sshPublicKeys),
    region: "eu-central",
    "availability-zone": "sandbox-dc1",
  };
  const base = "/hetzner/v1";
  return {
    [`${base}/metadata`]: stringify({ ...fields, "public-keys": [...spec.sshPublicKeys] }, { lineWidth: 0 }),
    [`${base}/userdata`]: spec.userData,
    ...Object.fromEntries(Object.entries(fields).map(([key, value]) => [`${base}/metadata/${key}`, value])),
  };
}
