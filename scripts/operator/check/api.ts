import { get } from "node:https";
import { text } from "node:stream/consumers";

import { create } from "xmlbuilder2";

import { signedApiUrl } from "../../../bigbluebutton/api";
import { reasonOf, Wrong } from "./finding";

/** An API as it is reached from here. */
export interface ApiArgs {
  readonly hostname: string;
  /** The certificate's authority is none that this machine has to know. */
  readonly untrustedCa: boolean;
}

const REMEDY =
  "on the BigBlueButton host: systemctl status nginx bbb-web, journalctl -u bbb-web, bbb-conf --status";

function apiUrl({ hostname }: ApiArgs): string {
  return `https://${hostname}/bigbluebutton/api`;
}

/** The version that the API says it has. */
export async function checkApi(args: ApiArgs): Promise<string> {
  const answer = parse(await fetchText(apiUrl(args), args));
  if (answer.returncode !== "SUCCESS") throw new Wrong(told(answer), REMEDY);
  return `SUCCESS, version ${String(answer.apiVersion ?? answer.version ?? "not told")}`;
}

/** A signed getMeetings. */
export async function checkSignedCall(args: ApiArgs, secret: string): Promise<string> {
  const answer = parse(await fetchText(signedApiUrl(apiUrl(args), "getMeetings", {}, secret), args));
  if (answer.returncode === "SUCCESS") return "SUCCESS";
  throw new Wrong(
    told(answer),
    "bbb-web has another secret: give the setting rotateSharedSecret a new value, then pulumi up",
  );
}

type Answer = Readonly<Record<string, unknown>>;

function told({ returncode, messageKey, message }: Answer): string {
  return (
    [returncode, messageKey, message].filter((one) => typeof one === "string").join(", ") || "no returncode"
  );
}

/** The fields of an answer of BigBlueButton's API. @throws Wrong where it is none */
export function parse(xml: string): Answer {
  try {
    const { response } = create(xml).toObject() as { response?: Answer };
    if (response !== undefined) return response;
  } catch {
    // Told below, without the parser's words.
  }
  throw new Wrong("an answer that is not the API's", REMEDY);
}

/** The URL may be signed: no message has it. */
function fetchText(url: string, { untrustedCa }: ApiArgs): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { rejectUnauthorized: !untrustedCa, timeout: 15_000 }, (response) => {
      if (response.statusCode === 200) return void text(response).then(resolve, reject);
      response.resume();
      reject(new Wrong(`HTTP status ${response.statusCode}`, REMEDY));
    });
    request.once("timeout", () => request.destroy(new Error("no answer")));
    request.once("error", (error: Error) => reject(new Wrong(reasonOf(error), REMEDY)));
  });
}
