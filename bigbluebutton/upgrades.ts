import { releaseNames, releases, type Release } from "./releases";

/**
 * The release that a running server is upgraded from: the line before, on the same Ubuntu. No other Ubuntu's becomes one, and
 * BigBlueButton's documentation tells of no way that leaves out a line, or leads back.
 *
 * @returns undefined for the first line on its Ubuntu
 */
export function previousRelease({ name, ubuntu }: Release): Release | undefined {
  const before = releaseNames.slice(0, releaseNames.indexOf(name)).map((one) => releases[one]);
  return before.filter((release) => release.ubuntu === ubuntu).at(-1);
}
