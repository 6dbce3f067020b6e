/**
 * Days that a certificate must have left, at 90 days of life, for a failure and for a warning. They shrink with shorter
 * lives, since Let's Encrypt's of six days are renewed later.
 */
export const CERTIFICATE_DAYS = { fail: 7, warn: 21 } as const;
