import type { Release } from "./releases";

/** Arguments of {@link installerArguments}. */
export interface InstallerArgs {
  readonly hostname: string;
  readonly email: string;
  readonly turnHostname: string;
  /**
   * Where the TURN secret goes. bbb-install's -c shows it to everyone on the host, so that the host makes one to throw
   * away; the true one is only in turn-stun-servers.xml.
   */
  readonly turnSecret: string;
  readonly greenlight: boolean;
}

/**
 * bbb-install's arguments, in the order that works: it looks at -c while it parses, and with -s not yet read it
 * would insist that the TURN server's name is this host's.
 *
 * @throws Error if the release has no installer, or one that does not take a flag.
 */
export function installerArguments(release: Release, args: InstallerArgs): string[] {
  if (!release.installer || !release.installVersion) {
    throw new Error(`${release.name} has no installer: ${release.note ?? "none is known"}`);
  }
  const options: [flag: string, value?: string][] = [
    ["v", release.installVersion],
    ["s", args.hostname],
    ["e", args.email],
    ["c", `${args.turnHostname}:${args.turnSecret}`],
    ...(args.greenlight ? ([["g"]] as [string][]) : []),
  ];
  for (const [flag] of options) {
    if (!release.installer.flags.includes(flag)) {
      throw new Error(`${release.name}: its installer does not take -${flag}`);
    }
  }
  return options.flatMap(([flag, value]) => (value === undefined ? [`-${flag}`] : [`-${flag}`, value]));
}
