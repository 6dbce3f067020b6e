import type { Release } from "./releases";

/** Words that the host replaces, since only the host knows their values. */
const knownToTheHost = {
  /** Address of its account at the certificate authority: a new one needs no installation. */
  email: "EMAIL",
  /** TURN secret to throw away. -c shows it to everyone on the host; the true one is only in turn-stun-servers.xml. */
  turnSecret: "THROW-AWAY",
} as const;

/** Arguments of {@link installerArguments}. */
export interface InstallerArgs {
  /** Argument of -v, e.g. "jammy-300". */
  readonly version: string;
  readonly hostname: string;
  readonly turnHostname: string;
  readonly greenlight: boolean;
}

/**
 * Returns bbb-install's arguments, in the order that works. It checks -c while it parses: without -s before it, it
 * would demand that the TURN server's name is this host's. install-bbb.sh fills in {@link knownToTheHost}, and adds -d
 * while the operator's own certificate is in use.
 *
 * @throws Error if the release's installer does not take a flag
 */
export function installerArguments(release: Release, args: InstallerArgs): string[] {
  const options: [flag: string, value?: string][] = [
    ["v", args.version],
    ["s", args.hostname],
    ["e", knownToTheHost.email],
    ["c", `${args.turnHostname}:${knownToTheHost.turnSecret}`],
    ...(args.greenlight ? ([["g"]] as [string][]) : []),
  ];
  for (const [flag] of options) {
    if (release.installer && !release.installer.flags.includes(flag)) {
      throw new Error(`${release.name}: its installer does not take -${flag}`);
    }
  }
  return options.flatMap(([flag, value]) => (value === undefined ? [`-${flag}`] : [`-${flag}`, value]));
}
