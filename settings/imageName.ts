import { releases, type Release } from "../bigbluebutton/releases";

/** Value of the settings image and turnImage: the newest fitting image of scripts/image. */
export const BAKED = "baked";

/** Value of the settings image and turnImage: such an image, or the cloud's own where there is none. */
export const BAKED_OR_STOCK = "baked-or-stock";

/** True for a value that names no image of its own. */
export function isBaked(value: string): boolean {
  return value === BAKED || value === BAKED_OR_STOCK;
}

/** Distributions that both clouds have images of, by their names there. */
const OTHER_SYSTEMS =
  /(?<![a-z])(debian|centos|rocky|alma|almalinux|fedora|opensuse|suse|sles|rhel|amzn|al20\d\d|windows|freebsd|arch)(?![a-z])/i;

/** Code names of Ubuntu beside those of the releases. */
const OTHER_CODENAMES: Readonly<Record<string, string>> = {
  trusty: "14.04",
  mantic: "23.10",
  oracular: "24.10",
  plucky: "25.04",
  questing: "25.10",
  resolute: "26.04",
};

const codenames: Readonly<Record<string, string>> = {
  ...OTHER_CODENAMES,
  ...Object.fromEntries(Object.values(releases).map(({ codename, ubuntu }) => [codename, ubuntu])),
};

/** Problem of an image's name for a release; undefined if it fits, or tells nothing. */
export function imageNameProblem(image: string, { ubuntu }: Pick<Release, "ubuntu">): string | undefined {
  const name = image.toLowerCase();
  const other = OTHER_SYSTEMS.exec(name)?.[1];
  if (other && !name.includes("ubuntu")) return `is by its name of ${other}`;
  const version = /(?<!\d)(\d\d\.(?:04|10))(?!\d)/.exec(name)?.[1];
  const codename = Object.keys(codenames).find((one) => new RegExp(`(?<![a-z])${one}(?![a-z])`).test(name));
  const found = version ?? (codename && codenames[codename]);
  if (found && found !== ubuntu) return `is by its name of Ubuntu ${found}`;
  return /(?<![a-z])(arm64|aarch64)(?![a-z0-9])/.test(name) ? "is by its name for ARM processors" : undefined;
}
