/** Reader of upstream's present files, from their own places or from a mirror. */
import { Wrong, reasonOf } from "../check/finding";

/** Returns the text at a URL. @throws Wrong with the URL and the reason */
export type ReadFile = (url: string) => Promise<string>;

const ATTEMPTS = 3;
const SECONDS = 20;

/**
 * Makes a reader that reads each URL once, and tries again after a passing error.
 *
 * @param mirror Replaces `https:/`: MIRROR/HOST/PATH is read for https://HOST/PATH.
 * @param pause Milliseconds between attempts.
 */
export function reader(mirror: string | undefined, pause = 2000): ReadFile {
  const known = new Map<string, Promise<string>>();
  return (url) => {
    const from = mirror === undefined ? url : url.replace(/^https:\//, mirror.replace(/\/+$/, ""));
    let text = known.get(from);
    if (text === undefined) known.set(from, (text = read(from, pause)));
    return text;
  };
}

async function read(url: string, pause: number): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const last = attempt === ATTEMPTS;
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(SECONDS * 1000) });
      if (answer.ok) return await answer.text();
      if (answer.status < 500 || last) throw refused(url, answer);
    } catch (error) {
      if (error instanceof Wrong) throw error;
      if (last) throw unreachable(url, reasonOf((error as { cause?: unknown }).cause ?? error));
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function refused(url: string, { status, headers }: Response): Wrong {
  if (status === 404 || status === 410) {
    return new Wrong(
      `${url} is no longer there (HTTP ${status})`,
      "look where upstream keeps it now, and correct the table in bigbluebutton/releases.ts",
    );
  }
  if (status === 429 || (status === 403 && headers.get("x-ratelimit-remaining") === "0")) {
    return new Wrong(`${url} refuses more requests for a while (HTTP ${status})`, "ask again in an hour");
  }
  return unreachable(url, `HTTP ${status}`);
}

function unreachable(url: string, reason: string): Wrong {
  return new Wrong(`${url} could not be read: ${reason}`, "nothing is known of it: ask again later");
}
