import * as pulumi from "@pulumi/pulumi";

import { hostMinimum, swapMb } from "../bigbluebutton/capacity";
import { turnUbuntu } from "../bigbluebutton/releases";
import { previousRelease } from "../bigbluebutton/upgrades";
import type { Dns } from "../clouds/dns";
import type { Host } from "../clouds/host";
import type { AcmeSettings, Certificate, Settings } from "../settings";
import type { StepArgs } from "./hostSteps";
import type { Flags } from "./stepCommand";
import type { SshSettings } from "./waitForSsh";

/** Settings that the first steps of a host need. */
export type BeginningSettings = SshSettings &
  Pick<Settings, "release" | "installer" | "acme" | "email" | "domain" | "labels" | "duringMeetings">;

/** Arguments of the step that checks a host, and the way to it, before anything is installed there. */
export function checkOf(
  host: Host,
  settings: BeginningSettings,
  dns: Dns,
  names: { readonly records: readonly pulumi.Resource[]; readonly ipv6?: pulumi.Output<string> },
): StepArgs {
  const { role, fqdn, ipv4 } = host;
  const { release } = settings;
  const minimum = hostMinimum(role, release);
  return {
    script: "preflight.sh",
    flags: {
      role,
      ubuntu: (role === "bbb" ? release : turnUbuntu).ubuntu,
      ...(role === "bbb" && lines(settings)),
      hostname: fqdn,
      ipv4,
      ipv6: names.ipv6,
      zone: settings.domain,
      "min-memory-kb": minimum.memoryKb,
      "min-cores": minimum.cores,
      "min-disk-gb": minimum.diskGb,
      "dns-wait": dns.waitSeconds,
      "name-servers": dns.nameServers?.length ? [...dns.nameServers].sort().join(",") : undefined,
    },
    dependsOn: names.records,
  };
}

/**
 * Flags with the lines of BigBlueButton that the release's own installer brings a host to; unknown for another
 * installer.
 */
function lines({ release, installer }: BeginningSettings): Flags {
  if (installer.url !== release.installer?.url) return {};
  const before = previousRelease(release);
  return { line: release.version, "previous-line": before?.version, "previous-release": before?.name };
}

/** Arguments of the step that prepares a host for its installer. */
export function preparationOf(
  { role, fqdn, ipv4, privateIpv4 }: Host,
  { acme, email }: BeginningSettings,
  certificate: Certificate,
): StepArgs {
  return {
    script: "prepare.sh",
    flags: {
      // It decides about the certificate, which a balancer's nginx gets as BigBlueButton's does.
      role: role === "balancer" ? "bbb" : role,
      hostname: fqdn,
      ipv4,
      "private-ipv4": privateIpv4,
      "swap-mb": swapMb[role],
      "acme-server": acme.server,
      "acme-ca-urls": acme.caUrls.join(",") || undefined,
      email,
      "own-certificate": certificate.kind === "own",
    },
    stdin: certificatesFor(acme, certificate),
  };
}

/** Certificates in the form that prepare.sh reads; secret if there is a key among them. */
function certificatesFor({ ca: roots = "" }: AcmeSettings, certificate: Certificate): pulumi.Input<string> {
  if (certificate.kind === "authority") return roots;
  const { chain, key } = certificate;
  return pulumi.interpolate`${roots}=== certificate ===\n${chain}=== key ===\n${key}`;
}
