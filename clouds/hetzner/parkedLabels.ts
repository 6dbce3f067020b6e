/** Labels of the snapshot of a parked server: scripts/park writes them, and the program asks for them. */

/**
 * Uses of such a snapshot, as its label `purpose` says.
 * - parked: the server is deleted, and made again from this
 * - waking: the server is being made from it, or was and is not yet known to work
 */
export const parkedPurposes = ["parked", "waking"] as const;
export type Purpose = (typeof parkedPurposes)[number];

/** Value of the label `turn` where the TURN server went with it. */
export const TURN_PARKED = "parked";
