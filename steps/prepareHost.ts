import * as pulumi from "@pulumi/pulumi";

import { hostMinimum, swapMb } from "../bigbluebutton/capacity";
import { previousRelease } from "../bigbluebutton/upgrades";
import type { AcmeSettings, Certificate, Settings } from "../settings";
import type { Dns } from "../clouds/dns";
import { leaveDuringMeetings } from "./duringMeetings";
import type { Host } from "../clouds/host";
import { HostSteps } from "./hostSteps";
import { sshCheck, type OnReached } from "./sshCheck";
import type { Flags } from "./stepCommand";

/** What {@link prepareHost} is to know of the settings. */
export type PrepareHostSettings = Pick<
  Settings,
  "release" | "installer" | "acme" | "email" | "domain" | "labels" | "sshNetworks" | "duringMeetings"
>;

/** Arguments of {@link prepareHost}. */
export interface PrepareHostArgs {
  readonly host: Host;
  readonly settings: PrepareHostSettings;
  readonly certificate: Certificate;
  readonly dns: Dns;
  /** IPv6 address, published in an AAAA record. */
  readonly ipv6?: pulumi.Output<string>;
  /** Number of all steps of the host. */
  readonly count: number;
}

/** Ubuntu release of TURN hosts, independent of BigBlueButton's. */
const TURN_UBUNTU = "24.04";

/** Begins with both kinds of host: name, connection, check, and the packages that the installers need. */
export function prepareHost(name: string, args: PrepareHostArgs, parent: pulumi.Resource): HostSteps {
  const { host, settings, certificate, dns, ipv6, count } = args;
  const { role, fqdn, ipv4, privateIpv4 } = host;
  const { release, acme } = settings;
  const minimum = hostMinimum(role, release);

  // The records need the addresses only: they spread while the machine boots.
  const records = dns.publish(name, { fqdn, ipv4, ipv6, labels: { ...settings.labels, role } }, { parent });
  // What would end meetings is asked of BigBlueButton, so it is refused or allowed on its host.
  const leave: OnReached = (client) => leaveDuringMeetings(client, host, settings.duringMeetings);
  const reached = sshCheck(name, host, settings.sshNetworks, role === "bbb" ? leave : undefined);
  const steps = new HostSteps(name, host, count, reached, parent);
  steps.run(
    "preflight",
    {
      title: "Check the host",
      script: "preflight.sh",
      flags: {
        role,
        ubuntu: role === "turn" ? TURN_UBUNTU : release.ubuntu,
        ...(role === "bbb" && lines(settings)),
        hostname: fqdn,
        ipv4,
        ipv6,
        zone: settings.domain,
        "min-memory-kb": minimum.memoryKb,
        "min-cores": minimum.cores,
        "min-disk-gb": minimum.diskGb,
        "dns-wait": dns.waitSeconds,
        "name-servers": dns.nameServers?.length ? [...dns.nameServers].sort().join(",") : undefined,
      },
      dependsOn: records,
    },
    parent,
  );
  steps.run(
    "prepare",
    {
      title: "Prepare the system",
      script: "prepare.sh",
      flags: {
        role,
        hostname: fqdn,
        ipv4,
        "private-ipv4": privateIpv4,
        "swap-mb": swapMb[role],
        "acme-server": acme.server,
        "acme-ca-urls": acme.caUrls.join(",") || undefined,
        email: settings.email,
        "own-certificate": certificate.kind === "own",
      },
      stdin: certificatesFor(acme, certificate),
    },
    parent,
  );
  return steps;
}

/**
 * Flags with the lines of BigBlueButton that the release's own installer brings a host to; unknown for another
 * installer.
 */
function lines({ release, installer }: PrepareHostSettings): Flags {
  if (installer.url !== release.installer?.url) return {};
  const before = previousRelease(release);
  return { line: release.version, "previous-line": before?.version, "previous-release": before?.name };
}

/** Certificates in the form that prepare.sh reads; secret if there is a key among them. */
function certificatesFor({ ca: roots = "" }: AcmeSettings, certificate: Certificate): pulumi.Input<string> {
  if (certificate.kind === "authority") return roots;
  const { chain, key } = certificate;
  return pulumi.interpolate`${roots}=== certificate ===\n${chain}=== key ===\n${key}`;
}
