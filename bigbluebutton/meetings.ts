import { get, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";

import { convert } from "xmlbuilder2";

import { signedApiUrl } from "./api";

const TIMEOUT_MS = 15_000;

/**
 * How many meetings run on a server now.
 *
 * @param apiUrl e.g. "https://bbb.example.org/bigbluebutton/api"
 * @param tls Whom to trust; nobody in particular where it is left out, as the signature tells nothing and a test server's
 *   certificate is one that nobody trusts.
 * @throws Error saying why it could not be asked
 */
export async function runningMeetings(
  apiUrl: string,
  sharedSecret: string,
  tls: TlsOptions = { rejectUnauthorized: false },
): Promise<number> {
  return countMeetings(await fetchText(signedApiUrl(apiUrl, "getMeetings", {}, sharedSecret), tls));
}

type TlsOptions = Pick<RequestOptions, "ca" | "rejectUnauthorized">;

/** Those in an answer to getMeetings that have not been ended. */
export function countMeetings(xml: string): number {
  const { response } = parse(xml);
  if (response?.returncode !== "SUCCESS") {
    throw new Error(
      `the API answered ${[response?.returncode, response?.messageKey].filter(Boolean).join(", ") || "no XML of its own"}`,
    );
  }
  const { meeting } = typeof response.meetings === "object" ? response.meetings : {};
  const meetings = meeting === undefined ? [] : Array.isArray(meeting) ? meeting : [meeting];
  return meetings.filter(({ hasBeenForciblyEnded }) => hasBeenForciblyEnded !== "true").length;
}

interface Meeting {
  readonly hasBeenForciblyEnded?: string;
}
interface Answer {
  readonly response?: {
    readonly returncode?: string;
    readonly messageKey?: string;
    readonly meetings?: string | { readonly meeting?: Meeting | readonly Meeting[] };
  };
}

function parse(xml: string): Answer {
  try {
    return convert(xml, { format: "object" }) as Answer;
  } catch {
    return {};
  }
}

function fetchText(url: string, tls: TlsOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = get(url, { ...tls, signal }, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else {
        response.resume();
        reject(new Error(`the API answered with HTTP status ${response.statusCode}`));
      }
    });
    request.on("error", (error) =>
      reject(signal.aborted ? new Error("no answer within 15 seconds") : new Error(error.message)),
    );
  });
}
