/** Mail server that Greenlight sends by. */
export interface GreenlightMail {
  readonly server: string;
  readonly port: number;
  /** @default tls on port 465, where it is spoken from the first byte on; starttls otherwise */
  readonly security?: "starttls" | "tls" | "none";
  readonly user?: string;
  readonly password?: string;
  /** Address from which it comes. */
  readonly sender: string;
  readonly senderName?: string;
}

/** Provider at which people sign in. */
export interface GreenlightProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Claim by which an account is known again. @default "sub" */
  readonly uidField?: string;
  /** Gives an account that was there before to whom the provider knows by the same e-mail address. */
  readonly matchByEmail: boolean;
}

/**
 * Image of Greenlight that the deployment pins: a floating tag brings another version with each pull, which an older one
 * can't follow. Its tags are its releases', with a v: https://github.com/bigbluebutton/greenlight/releases
 */
export const greenlightImage = { name: "bigbluebutton/greenlight", version: "3.8.2.4" } as const;

/** Settings of Greenlight, each as given. */
export interface GreenlightWishes {
  /** Version, e.g. "3.8.2.4". @default that of {@link greenlightImage} */
  readonly version?: string;
  readonly smtp?: GreenlightMail;
  readonly openidConnect?: GreenlightProvider;
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
 * administrator's password, the mail server's and the client's secret.
 *
 * @param fqdn Name of the host, at which its pages are.
 * @param upgrade Text of the setting `upgrade`: a new one takes the newer image.
 */
export function renderGreenlightRequest(
  { fqdn, upgrade }: { readonly fqdn: string; readonly upgrade: string },
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
  const env = environmentOf(fqdn, wishes);
  const image = {
    ...greenlightImage,
    ...(wishes.version && { version: wishes.version, chosen: true }),
    upgrade,
  };
  return `${JSON.stringify({ url: `https://${fqdn}`, image, ...(admin && { admin }), env, settings, roomLimits })}\n`;
}

/** Key of Greenlight's .env, with the setting that it comes from. */
export interface OwnedVariable {
  readonly key: string;
  readonly value: string;
  readonly setting: string;
}

/**
 * Keys of .env that the deployment owns. Greenlight's health check opens a connection to the mail server each time, and
 * one of its own host without any: so it is told not to, and the check of the host asks the mail server.
 */
export function environmentOf(
  fqdn: string,
  { smtp, openidConnect }: Pick<GreenlightWishes, "smtp" | "openidConnect">,
): OwnedVariable[] {
  return [
    { key: "SMTP_HEALTH_CHECK_DISABLED", value: "true", setting: "greenlight" },
    ...owned("greenlight.smtp", smtp ? mailVariables(fqdn, smtp) : {}),
    ...owned("greenlight.openidConnect", openidConnect ? providerVariables(fqdn, openidConnect) : {}),
  ];
}

function owned(setting: string, variables: Readonly<Record<string, string | undefined>>): OwnedVariable[] {
  return Object.entries(variables).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value, setting }],
  );
}

function mailVariables(fqdn: string, mail: GreenlightMail): Record<string, string | undefined> {
  const { security = mail.port === 465 ? "tls" : "starttls" } = mail;
  const starttls = String(security === "starttls");
  return {
    SMTP_SERVER: mail.server,
    SMTP_PORT: String(mail.port),
    SMTP_DOMAIN: fqdn,
    SMTP_USERNAME: mail.user,
    SMTP_PASSWORD: mail.password,
    SMTP_AUTH: mail.user === undefined ? undefined : "plain",
    SMTP_STARTTLS_AUTO: starttls,
    SMTP_STARTTLS: starttls,
    SMTP_TLS: String(security === "tls"),
    SMTP_SENDER_EMAIL: mail.sender,
    SMTP_SENDER_NAME: mail.senderName,
  };
}

function providerVariables(fqdn: string, provider: GreenlightProvider): Record<string, string | undefined> {
  return {
    OPENID_CONNECT_CLIENT_ID: provider.clientId,
    OPENID_CONNECT_CLIENT_SECRET: provider.clientSecret,
    OPENID_CONNECT_ISSUER: provider.issuer,
    OPENID_CONNECT_REDIRECT: `https://${fqdn}/`,
    OPENID_CONNECT_UID_FIELD: provider.uidField ?? "sub",
    USE_EMAIL_AS_EXTERNAL_ID_FALLBACK: provider.matchByEmail ? "true" : undefined,
  };
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
