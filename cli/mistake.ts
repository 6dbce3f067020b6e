/** Exit code of a command that succeeded. */
export const FINE = 0;
/** Exit code when something failed, or is not as it should be. */
export const FAILED = 1;
/** Exit code of a mistake that the caller has to correct: an unknown stack, a bad duration, a missing token. */
export const MISTAKEN = 2;

/** Failure without anybody's mistake, told in one line; any other error is a fault of this program. */
export class Failure extends Error {}

/** Mistake that the caller can correct, told in one line. */
export class Mistake extends Error {}
