/** Settings of Greenlight, each as given. */
export interface GreenlightWishes {
  readonly registration?: "open" | "invite" | "approval";
  /** Role of new accounts. @default the one that Greenlight has */
  readonly defaultRole?: string;
  /** Rooms of an account with the role of new accounts. */
  readonly roomLimit?: number;
}

/** First administrator. */
export interface GreenlightAdmin {
  readonly name: string;
  readonly email: string;
  /** Secret. */
  readonly password: string;
}

/** Role of new accounts in a Greenlight that nobody has changed. */
const ROLE_OF_NEW_ACCOUNTS = "User";

/**
 * Renders a request as the one line of JSON that scripts/host/greenlight.py reads on standard input. It holds the
 * administrator's password.
 *
 * @param url Address of its pages, e.g. "https://bbb.example.org".
 */
export function renderGreenlightRequest(
  url: string,
  wishes: GreenlightWishes,
  admin: GreenlightAdmin | undefined,
): string {
  const { registration, defaultRole, roomLimit } = wishes;
  const settings = {
    ...(registration !== undefined && { RegistrationMethod: registration }),
    ...(defaultRole !== undefined && { DefaultRole: defaultRole }),
  };
  const roomLimits =
    roomLimit === undefined ? {} : { [defaultRole ?? ROLE_OF_NEW_ACCOUNTS]: String(roomLimit) };
  return `${JSON.stringify({ url, ...(admin && { admin }), settings, roomLimits })}\n`;
}

/**
 * Inputs of a RandomPassword that every version of Greenlight takes: small and capital letters, digits and its special
 * characters, none of which a shell, a URL or a form changes.
 */
export const greenlightPassword = {
  length: 24,
  minLower: 1,
  minUpper: 1,
  minNumeric: 1,
  minSpecial: 1,
  overrideSpecial: "-._",
} as const;
