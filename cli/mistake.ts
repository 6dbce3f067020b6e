/** Exit codes of the operator's commands. */
export const FINE = 0;
/** Something failed, or is not as it should be. */
export const FAILED = 1;
/** The caller has to put something right: an unknown stack, a bad duration, a missing token. */
export const MISTAKEN = 2;

/** What went wrong though nobody made a mistake, told in one line; any other error is a fault of ours. */
export class Failure extends Error {}

/** What the caller can put right, told in one line. */
export class Mistake extends Error {}
