/** Durations of the steps of an update: sources of the step table's figures. */

import type { Basis, HostScript } from "../../steps/table";

export type { Basis };

export interface Duration {
  readonly seconds: HostScript["seconds"];
  readonly basis: Basis;
}

/** Explanations of the reliability of each kind of figure. */
export const bases: Readonly<Record<Basis, string>> = {
  sandbox:
    "measured in this project's sandbox (2 cores, packages from nearby); a real host fetches them from Ubuntu's servers",
  field:
    "published for real servers: BigBlueButton says under 30 minutes (https://github.com/bigbluebutton/bbb-install); " +
    "that it takes 20 at least is an estimate",
  estimate:
    "an estimate, measured nowhere: the cloud's machine has to boot, for which the step waits up to 10 minutes; on a copy of a " +
    "baked image the installer has its packages, and fetches only the updates since",
};
