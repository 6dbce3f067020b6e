import type { FieldValues } from "./fields";
import type { AcmeSettings } from "./types";

const LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING = "https://acme-staging-v02.api.letsencrypt.org/directory";

/** Roots of the staging authority, from https://letsencrypt.org/docs/staging-environment/ (2026). */
const STAGING_ROOTS = [
  "letsencrypt-stg-root-x1",
  "letsencrypt-stg-root-x2",
  "gen-y/root-ye",
  "gen-y/root-yr",
].map((name) => `https://letsencrypt.org/certs/staging/${name}.pem`);

/** Certificate authority of the settings. */
export function acmeFrom({ acmeServer, acmeCa }: FieldValues): AcmeSettings {
  const ca = acmeCa && `${acmeCa}\n`;
  switch (acmeServer) {
    case "production":
      return { server: LETS_ENCRYPT, ca, caUrls: [], trustedByBrowsers: true };
    case "staging":
      return { server: LETS_ENCRYPT_STAGING, ca, caUrls: STAGING_ROOTS, trustedByBrowsers: false };
    default:
      return { server: acmeServer, ca, caUrls: [], trustedByBrowsers: false };
  }
}
