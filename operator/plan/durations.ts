/** Durations of the steps of an update. */

/** Source of a figure. */
export type Basis = keyof typeof bases;

export interface Duration {
  /** Seconds from … to. */
  readonly seconds: readonly [least: number, most: number];
  readonly basis: Basis;
}

/** Explanations of the reliability of each kind of figure. */
export const bases = {
  sandbox:
    "measured in this project's sandbox (2 cores, packages from nearby); a real host fetches them from Ubuntu's servers",
  field:
    "published for real servers: BigBlueButton says under 30 minutes (https://github.com/bigbluebutton/bbb-install); " +
    "that it takes 20 at least is an estimate",
  estimate:
    "an estimate, measured nowhere: the cloud's machine has to boot, for which the step waits up to 10 minutes",
} as const;

const sandbox = (least: number, most: number): Duration => ({ seconds: [least, most], basis: "sandbox" });

/** Durations by script; the first step has none, and is under "connect". */
export const durations: Readonly<Record<string, Duration>> = {
  connect: { seconds: [30, 120], basis: "estimate" },
  "preflight.sh": sandbox(1, 4),
  "prepare.sh": sandbox(5, 17),
  "recordings.sh": sandbox(1, 2),
  "install-bbb.sh": { seconds: [1200, 1800], basis: "field" },
  "install-turn.sh": sandbox(7, 13),
  "configure-turn.sh": sandbox(1, 2),
  "wire.sh": sandbox(3, 4),
  "verify.sh": sandbox(1, 4),
};
