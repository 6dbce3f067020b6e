import { get as getPlain } from "node:http";
import { get } from "node:https";
import { text } from "node:stream/consumers";

import { create } from "xmlbuilder2";

import { signedApiUrl } from "../../bigbluebutton/api";
import { Doubtful, reasonOf, Wrong } from "./finding";

/** API and the way to it from this machine. */
export interface ApiArgs {
  readonly hostname: string;
  /** Accepts a certificate of an authority that this machine does not know. */
  readonly untrustedCa: boolean;
}

const REMEDY =
  "on the BigBlueButton host: systemctl status nginx bbb-web, journalctl -u bbb-web, bbb-conf --status";

const FRONT_PAGE_REMEDY = {
  greenlight:
    "on the BigBlueButton host: docker ps --all shows whether Greenlight (greenlight-v3) and its database run, docker logs greenlight-v3 why not; then docker compose up -d in /root/greenlight-v3",
  own: "on the BigBlueButton host: systemctl status nginx, nginx -t, /var/log/nginx/error.log, and ls -lR /var/www/bigbluebutton-default for the page itself",
} as const;

const REDIRECTS = 10;

/** Checks the page at the server's name: Greenlight, or BigBlueButton's own page. */
export function checkFrontPage(
  args: ApiArgs & { readonly greenlight: boolean; readonly leadsTo?: string },
): Promise<string> {
  const { hostname, greenlight, leadsTo } = args;
  const url = `https://${hostname}/`;
  const remedy = FRONT_PAGE_REMEDY[greenlight ? "greenlight" : "own"];
  return leadsTo === undefined ? checkPage(url, args, remedy) : checkRedirect(url, leadsTo, args, remedy);
}

/** Checks that a page leads elsewhere, to a page that is not asked. */
export async function checkRedirect(
  url: string,
  target: string,
  args: ApiArgs,
  remedy: string,
): Promise<string> {
  const { status, location } = await open(url, args, remedy);
  if (status === 302 && location === target) return `leads to ${target}`;
  throw new Doubtful(
    `HTTP status ${status}${location ? `, to ${location.split("?")[0]}` : ""}, where one to ${target} was deployed`,
    "give the setting upgrade a new value, then pulumi up",
  );
}

/** Follows a page's redirects, each of which must have a status that is no error. */
export async function checkPage(first: string, args: ApiArgs, remedy: string): Promise<string> {
  let url = first;
  for (let redirects = 0; redirects <= REDIRECTS; redirects++) {
    const { status, location } = await open(url, args, remedy);
    const where = url === first ? "" : ` at ${url.split("?")[0]}, where ${first} leads`;
    if (status >= 300 && status < 400 && location !== undefined) {
      url = new URL(location, url).href;
    } else if (status >= 400 && new URL(url).hostname !== args.hostname) {
      throw new Doubtful(
        `HTTP status ${status}${where}`,
        `look at ${new URL(url).hostname}, or take the redirect to it out of nginx's settings`,
      );
    } else if (status >= 400) {
      throw new Wrong(`HTTP status ${status}${where}: people see an error instead of the page`, remedy);
    } else return `HTTP status ${status}${where}`;
  }
  throw new Wrong(`redirects without end, the last to ${url.split("?")[0]}`, remedy);
}

function open(
  url: string,
  { hostname, untrustedCa }: ApiArgs,
  remedy: string,
): Promise<{ readonly status: number; readonly location?: string }> {
  const rejectUnauthorized = !(untrustedCa && new URL(url).hostname === hostname);
  return new Promise((resolve, reject) => {
    const getPage = url.startsWith("https:") ? get : getPlain;
    const request = getPage(
      url,
      { rejectUnauthorized, timeout: 15_000, headers: { Accept: "text/html", "User-Agent": "bbb-deploy" } },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, location: response.headers.location });
      },
    );
    request.once("timeout", () => request.destroy(new Error("no answer")));
    request.once("error", (error: Error) => reject(new Wrong(reasonOf(error), remedy)));
  });
}

function apiUrl({ hostname }: ApiArgs): string {
  return `https://${hostname}/bigbluebutton/api`;
}

/** Checks the API; returns the version that it reports. */
export async function checkApi(args: ApiArgs): Promise<string> {
  const answer = parse(await fetchText(apiUrl(args), args));
  if (answer.returncode !== "SUCCESS") throw new Wrong(described(answer), REMEDY);
  return `SUCCESS, version ${String(answer.apiVersion ?? answer.version ?? "not told")}`;
}

/** Checks a signed getMeetings. */
export async function checkSignedCall(args: ApiArgs, secret: string): Promise<string> {
  const answer = parse(await fetchText(signedApiUrl(apiUrl(args), "getMeetings", {}, secret), args));
  if (answer.returncode === "SUCCESS") return "SUCCESS";
  throw new Wrong(
    described(answer),
    answer.messageKey === "checksumError"
      ? "bbb-web has another secret: give the setting rotateSharedSecret a new value, then pulumi up"
      : `${REMEDY}; a pool's balancer refuses this call until its polls have found a server that is away offline`,
  );
}

type Answer = Readonly<Record<string, unknown>>;

function described({ returncode, messageKey, message }: Answer): string {
  return (
    [returncode, messageKey, message].filter((one) => typeof one === "string").join(", ") || "no returncode"
  );
}

/** Fields of an answer of BigBlueButton's API. @throws Wrong for any other text */
export function parse(xml: string): Answer {
  try {
    const { response } = create(xml).toObject() as { response?: Answer };
    if (response !== undefined) return response;
  } catch {
    // Told below, without the parser's words.
  }
  throw new Wrong("an answer that is not the API's", REMEDY);
}

/** Fetches a text. The URL may be signed, so no message contains it. */
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
