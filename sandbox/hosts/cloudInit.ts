import { stringify } from "yaml";

import type { ServerSpec } from "../runtime";

/** The files of a NoCloud seed, by name: how a host learns what the cloud's API was told about it. */
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

/** Answers of the metadata service to one host, by path; as Hetzner's, whose paths these are. */
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
