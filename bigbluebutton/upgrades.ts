import { releaseNames, releases, type Release } from "./releases";

/**
 * Release from which a running server can be upgraded to this one: the line before, on the same Ubuntu. BigBlueButton's
 * documentation has no upgrade that leaves out a line, goes back, or changes Ubuntu.
 *
 * @returns undefined for the first line on its Ubuntu
 */
export function previousRelease({ name, ubuntu }: Release): Release | undefined {
  const before = releaseNames.slice(0, releaseNames.indexOf(name)).map((one) => releases[one]);
  return before.filter((release) => release.ubuntu === ubuntu).at(-1);
}
