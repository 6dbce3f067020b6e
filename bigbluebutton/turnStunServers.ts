import { create } from "xmlbuilder2";

import { TURN_PORT, TURNS_PORT } from "./ports";
import type { TurnXml } from "./releases";

/**
 * Lifetime in seconds of a client's credentials, the same as by BigBlueButton's own installer. A client fetches them
 * once, with the page, and allocates with them again at every reconnection: they must last longer than the longest
 * meeting. With kept ones nobody gets further than to the BigBlueButton server, and coturn refuses expired ones.
 */
const CREDENTIALS_TTL = 86400;

const TURN_CLASSES = "org.bigbluebutton.web.services.turn";

/** STUN and TURN URLs (RFC 7064, RFC 7065) that a release hands to its clients, in the order of its beans. */
export interface TurnUrls {
  readonly stun: readonly string[];
  readonly turn: readonly string[];
}

/**
 * Returns the URLs of one TURN server in the form that a release expects.
 *
 * @param host Name of the TURN server in its certificate.
 */
export function turnUrls(form: TurnXml["form"], host: string): TurnUrls {
  const overTls = `turns:${host}:${TURNS_PORT}?transport=tcp`;
  return form === "legacy"
    ? { stun: [`stun:${host}`], turn: [overTls, `turn:${host}:${TURNS_PORT}?transport=tcp`] }
    : // Firefox needs the UDP relay where the media servers speak ICE lite only, hence it comes first.
      { stun: [], turn: [`turn:${host}:${TURN_PORT}`, overTls] };
}

/** Arguments of {@link renderTurnStunServers}. */
export interface TurnStunServersArgs {
  readonly form: TurnXml["form"];
  /** Name of the TURN server. */
  readonly host: string;
  /** Secret that coturn has in its database. */
  readonly secret: string;
}

/**
 * Renders turn-stun-servers.xml, the Spring beans from which bbb-web makes each client's TURN credentials. It holds the
 * secret: 0640 root:bigbluebutton. Beans as bbb-install 2.2 to 3.0 writes them.
 */
export function renderTurnStunServers({ form, host, secret }: TurnStunServersArgs): string {
  const urls = turnUrls(form, host);
  const beans = create({ version: "1.0", encoding: "UTF-8" }).ele("beans", {
    xmlns: "http://www.springframework.org/schema/beans",
    "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xsi:schemaLocation":
      "http://www.springframework.org/schema/beans " +
      "http://www.springframework.org/schema/beans/spring-beans-2.5.xsd",
  });
  const bean = (id: string, type: string, ...values: readonly string[]) => {
    const element = beans.ele("bean", { id, class: `${TURN_CLASSES}.${type}` });
    values.forEach((value, index) => element.ele("constructor-arg", { index: String(index), value }));
    return element;
  };
  urls.stun.forEach((url, i) => bean(`stun${i}`, "StunServer", url));
  urls.turn.forEach((url, i) => bean(`turn${i}`, "TurnServer", secret, url, String(CREDENTIALS_TTL)));
  const service = bean("stunTurnService", "StunTurnService");
  const property = (name: string, refs: readonly string[]) => {
    const set = service.ele("property", { name }).ele("set");
    refs.forEach((ref) => set.ele("ref", { bean: ref }));
  };
  property(
    "stunServers",
    urls.stun.map((_, i) => `stun${i}`),
  );
  property(
    "turnServers",
    urls.turn.map((_, i) => `turn${i}`),
  );
  return `${beans.end({ prettyPrint: true })}\n`;
}
