import { createHash } from "node:crypto";

/**
 * Returns the checksum that BigBlueButton's API asks for: hex of the hash of call name, query string and shared secret.
 *
 * @param call Path after /bigbluebutton/api/, e.g. "getMeetings" or "hooks/create".
 * @param query Query string exactly as sent, encoded, without the checksum itself; "" if there is none.
 * @param algorithm Hash function. Greenlight's health check uses sha1; new callers use the default.
 * @see https://docs.bigbluebutton.org/development/api/#usage
 */
export function apiChecksum(
  call: string,
  query: string,
  secret: string,
  algorithm: "sha1" | "sha256" | "sha384" | "sha512" = "sha256",
): string {
  return createHash(algorithm)
    .update(call + query + secret)
    .digest("hex");
}

/**
 * Returns the URL of a signed API call.
 *
 * @param apiUrl Base URL, e.g. "https://bbb.example.org/bigbluebutton/api".
 */
export function signedApiUrl(
  apiUrl: string,
  call: string,
  params: Readonly<Record<string, string>>,
  secret: string,
): string {
  const query = new URLSearchParams(params).toString();
  const checksum = `checksum=${apiChecksum(call, query, secret)}`;
  return `${apiUrl}/${call}?${query ? `${query}&${checksum}` : checksum}`;
}
