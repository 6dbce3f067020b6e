import * as pulumi from "@pulumi/pulumi";

import { defaultLocations, defaultServerTypes } from "../bigbluebutton/capacity";
import { turnUbuntu, type Release } from "../bigbluebutton/releases";
import { environments } from "./environments";
import { BAKED, BAKED_OR_STOCK } from "./imageName";
import type { FieldValues } from "./fields";
import type { CertificateBundle } from "./formats/chain";
import { qualifyHostname } from "./formats/names";
import type { AcmeSettings, Certificate, HostSettings, Settings } from "./types";

/** BigBlueButton server of the settings. */
export function bbbFrom(values: FieldValues, release: Release, certificate: Certificate): HostSettings {
  const { cloud, environment, hostname, domain } = values;
  return {
    fqdn: fqdn(hostname, domain),
    cloud,
    location: values.location ?? defaultLocations[cloud],
    serverType: values.serverType ?? defaultServerTypes[cloud][environments[environment].size].bbb,
    ...imageFrom(values.image, release.images[cloud]),
    certificate,
  };
}

/** TURN server of the settings. */
export function turnFrom(values: FieldValues, certificate: Certificate): Settings["turn"] {
  if (values.turnStack !== undefined) return { kind: "shared", stack: values.turnStack };
  const { cloud: bbbCloud, turnCloud: cloud = bbbCloud, environment, turnHostname, domain } = values;
  const beside = cloud === bbbCloud ? values.location : undefined;
  return {
    kind: "own",
    fqdn: fqdn(turnHostname, domain),
    cloud,
    location: values.turnLocation ?? beside ?? defaultLocations[cloud],
    serverType: values.turnServerType ?? defaultServerTypes[cloud][environments[environment].size].turn,
    ...imageFrom(values.turnImage, turnUbuntu.images[cloud]),
    certificate,
    peers: values.turnPeers,
    rotateSecret: values.rotateTurnSecret ?? "",
  };
}

/** Image of a host, by its setting. */
function imageFrom(value: string | undefined, stock: string): Pick<HostSettings, "image" | "baked"> {
  if (value === BAKED) return { image: stock, baked: "required" };
  if (value === BAKED_OR_STOCK) return { image: stock, baked: "preferred" };
  return { image: value ?? stock };
}

/** Certificate of a host. The private key of an own one is a secret from here on. */
export function certificateFrom(
  own: CertificateBundle | undefined,
  { trustedByBrowsers }: AcmeSettings,
): Certificate {
  if (own === undefined) return { kind: "authority", trustedByBrowsers };
  const { chain, key, validUntil, issuedBy } = own;
  return {
    kind: "own",
    chain,
    key: pulumi.secret(key),
    validUntil,
    issuedBy,
    trustedByBrowsers: own.trustedByBrowsers,
  };
}

function fqdn(hostname: string, domain: string): string {
  const result = qualifyHostname(hostname, domain);
  if ("reason" in result) throw new Error(`${hostname} ${result.reason}`);
  return result.fqdn;
}
