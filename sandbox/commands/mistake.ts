/** What the user can put right, told in one line. */
export class Mistake extends Error {}
