import { get, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";

import { convert } from "xmlbuilder2";

import { signedApiUrl } from "./api";

const TIMEOUT_MS = 15_000;

/**
 * Returns the number of meetings that run on a server now.
 *
 * @param apiUrl Base URL, e.g. "https://bbb.example.org/bigbluebutton/api".
 * @param trust Trusted authorities, or {@link ANY_CERTIFICATE}.
 * @throws Error with the reason why it could not be asked
 */
export async function runningMeetings(apiUrl: string, sharedSecret: string, trust: Trust): Promise<number> {
  return countMeetings(await fetchText(signedApiUrl(apiUrl, "getMeetings", {}, sharedSecret), trust));
}

/** Trust in a server's certificate, as options of TLS; {} trusts what the system trusts. */
export type Trust = Pick<RequestOptions, "ca" | "rejectUnauthorized">;

/** Accepts every certificate: the signature of a request tells nothing, and nobody trusts a test server's. */
export const ANY_CERTIFICATE: Trust = { rejectUnauthorized: false };

/** Counts the meetings in an answer to getMeetings that have not been ended. */
export function countMeetings(xml: string): number {
  return meetingsIn(xml).length;
}

function meetingsIn(xml: string): readonly Meeting[] {
  const { response } = parse(xml);
  if (response?.returncode !== "SUCCESS") {
    throw new Error(
      `the API answered ${[response?.returncode, response?.messageKey].filter(Boolean).join(", ") || "no XML of its own"}`,
    );
  }
  const { meeting } = typeof response.meetings === "object" ? response.meetings : {};
  const meetings = ([] as readonly Meeting[]).concat(meeting ?? []);
  return meetings.filter(({ hasBeenForciblyEnded }) => hasBeenForciblyEnded !== "true");
}

/** Ends all meetings of a server, each by its moderators' password. @throws Error with the reason why one can't be ended */
export async function endMeetings(apiUrl: string, sharedSecret: string, trust: Trust): Promise<void> {
  const ask = (call: string, parameters: Readonly<Record<string, string>>) =>
    fetchText(signedApiUrl(apiUrl, call, parameters, sharedSecret), trust);
  for (const { meetingID, moderatorPW } of meetingsIn(await ask("getMeetings", {}))) {
    await ask("end", { meetingID: textOf(meetingID), password: textOf(moderatorPW) });
  }
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

/** Text of an element as the parser has it: as it stands in the document, or in a CDATA section. */
function textOf(element: Text = ""): string {
  if (typeof element === "object") return element.$;
  return element.replace(/&(?:#(\d+)|(\w+));/g, (all, code?: string, name?: string) =>
    code === undefined ? (ENTITIES[name ?? ""] ?? all) : String.fromCodePoint(Number(code)),
  );
}

type Text = string | { readonly $: string };

interface Meeting {
  readonly meetingID?: Text;
  readonly moderatorPW?: Text;
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

/** Fetches a page of a server's API. @throws Error with the reason why there is none */
export function fetchText(
  url: string,
  trust: Trust,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = get(url, { ...trust, signal, headers }, (response) => {
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
