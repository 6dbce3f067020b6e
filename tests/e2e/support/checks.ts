import { signedApiUrl } from "../../../bigbluebutton/api";
import { outside, type Outputs } from "./sandbox";
import { turn, WAYS_IN } from "./turn";

/** Service of a deployment, seen from the internet. */

/** UDP port of the media range, where the stand-in answers as an echo. */
export const MEDIA_PORT = 20000;

/** Fetches a URL: the page's status, its redirect and the validity of its chain. */
export async function page(url: string): Promise<{ code: number; status: string; redirect: string }> {
  const format = "%{http_code} %{ssl_verify_result} %{redirect_url}";
  const { code, stdout } = await outside(["curl", "-sS", "-o", "/dev/null", "-w", format, url]);
  const [http = "", chain = "", redirect = ""] = stdout.split(" ");
  return { code, status: `${http} ${chain}`, redirect };
}

/** Answer of the API to a signed getMeetings. */
export async function getMeetings(apiUrl: string, secret: string): Promise<string> {
  return (await outside(["curl", "-sS", signedApiUrl(apiUrl, "getMeetings", {}, secret)])).stdout;
}

/** Creates or ends a meeting, which nobody joins. */
export async function meeting(
  call: "create" | "end",
  { apiUrl, sharedSecret }: Pick<Outputs, "apiUrl" | "sharedSecret">,
): Promise<void> {
  const of = { meetingID: "late", name: "Late", attendeePW: "attendee", moderatorPW: "moderator" };
  const parameters = call === "create" ? of : { meetingID: "late", password: "moderator" };
  const { stdout } = await outside(["curl", "-sS", signedApiUrl(apiUrl, call, parameters, sharedSecret)]);
  expect(stdout).toContain("<returncode>SUCCESS</returncode>");
}

/** Expects HTTPS, a signed call, and TURN in both directions by both ways in. */
export async function expectService(out: Outputs, turnName: string): Promise<void> {
  expect(await page(out.url)).toMatchObject({ code: 0, status: "200 0" });
  expect(await getMeetings(out.apiUrl, out.sharedSecret)).toContain("<returncode>SUCCESS</returncode>");
  const peer = [out.addresses.bbb.ipv4, MEDIA_PORT] as const;
  for (const way of WAYS_IN) {
    const result = await turn({ server: turnName, ...way, secret: out.turnSecret, echo: [peer] });
    expect(result).toMatchObject({ allocate: "ok", echo: { [peer.join(" ")]: "ok" } });
    expect(result.relayed?.[0]).toBe(out.addresses.turn.ipv4);
  }
}
