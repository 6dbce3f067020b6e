import { quotas } from "../../../bigbluebutton/coturn";
import { MEDIA_PORTS } from "../../../bigbluebutton/ports";
import {
  behindFirewall,
  iceServer,
  openBrowser,
  openMany,
  startPeer,
  withIpv6Alone,
  type Attempt,
  type Browser,
  type BrowserOptions,
  type Peer,
} from "../support/browser";
import { takePicture } from "../support/pictures";
import { must, onHost, outputs, update, type Outputs } from "../support/sandbox";
import { HETZNER } from "../support/scenarios";

/**
 * Sound and data of a browser through TURN, to a WebRTC peer on the BigBlueButton host. The docs' picture is turn.png of
 * `BBB_TEST_RESULTS=FOLDER ./scripts/test browser browser.test`.
 */

const { turn: TURN, bbb: BBB } = HETZNER.names;
const OVER_UDP = `turn:${TURN}:3478`;
const OVER_TLS = `turns:${TURN}:443?transport=tcp`;

let out: Outputs;
let peer: Peer | undefined;

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded");
  out = await outputs();
  peer = await startPeer(BBB);
});

afterAll(() => peer?.stop());

async function inBrowser<T>(
  work: (browser: Browser) => Promise<T>,
  options: Omit<BrowserOptions, "peer"> = {},
): Promise<T> {
  const browser = await openBrowser({ ...options, peer: peer! });
  try {
    return await work(browser);
  } finally {
    await browser.close();
  }
}

const by = (url: string, secret = out.turnSecret) => ({ title: url, server: iceServer([url], secret) });

function expectRelayed(result: Attempt, url: string, relayProtocol: "udp" | "tls"): void {
  expect(result).toMatchObject({ works: true, type: "relay", relayProtocol, peer: out.addresses.bbb.ipv4 });
  expect(result.url).toBe(url.replace(/^turn:.*/, "$&?transport=udp"));
  expect(result.heard).toBeGreaterThan(0);
  expect(result.echoed).toBeGreaterThanOrEqual(10);
}

test("the URLs that BigBlueButton hands out are those that are tried here", () => {
  expect(out.turnUrls).toEqual([OVER_UDP, OVER_TLS]);
});

test("over UDP 3478: sound and data flow both ways", async () => {
  expectRelayed(await inBrowser(({ attempt }) => attempt(by(OVER_UDP))), OVER_UDP, "udp");
});

test("a firewall lets out nothing but HTTPS and DNS: sound and data flow over TLS 443, and in no other way", async () => {
  await behindFirewall(() =>
    inBrowser(async ({ attempt, page }) => {
      await page.evaluate(
        `text("network", "A browser in a network whose firewall lets out nothing but web pages (HTTPS, port 443) and DNS, as in many schools and offices.")`,
      );
      const direct = await attempt({
        title: "Directly to BigBlueButton",
        explanation: `Over UDP ${MEDIA_PORTS.from} to ${MEDIA_PORTS.to}. The shortest way, which the firewall does not let through.`,
        seconds: 10,
      });
      const overUdp = await attempt({
        ...by(OVER_UDP),
        title: "By the TURN server, over UDP 3478",
        explanation: "One port instead of a whole range, for networks that let it out. This one does not.",
      });
      const overTls = await attempt({
        ...by(OVER_TLS),
        title: "By the TURN server, over TLS 443",
        explanation:
          "Looks like any web page to the firewall. The TURN server hands on what comes, over UDP.",
      });
      await page.evaluate(
        `text("moral", "Without a TURN server, nobody in this network could hear or be heard. Browsers choose the way by themselves.")`,
      );
      await takePicture(page, "turn", { fullPage: true });
      expect(direct).toMatchObject({ works: false, heard: 0, echoed: 0 });
      expect(direct.candidates).toBeGreaterThan(0);
      expect(overUdp).toMatchObject({ works: false, candidates: 0 });
      expectRelayed(overTls, OVER_TLS, "tls");
    }),
  );
});

test("a client has IPv6 alone: sound and data flow over UDP and over TLS", async () => {
  await withIpv6Alone(() =>
    inBrowser(async ({ attempt }) => {
      expectRelayed(await attempt(by(OVER_UDP)), OVER_UDP, "udp");
      expectRelayed(await attempt(by(OVER_TLS)), OVER_TLS, "tls");
    }),
  );
});

test("a browser does not trust the certificate: it gets nothing over TLS", async () => {
  const result = await inBrowser(({ attempt }) => attempt(by(OVER_TLS)), { trusting: false });
  expect(result).toMatchObject({ works: false, candidates: 0 });
  expect(result.errors).toContainEqual([OVER_TLS, 701]);
});

test("credentials are made from a wrong secret: no relay, by either way", async () => {
  await inBrowser(async ({ attempt }) => {
    for (const url of [OVER_UDP, OVER_TLS]) {
      const result = await attempt(by(url, "wrong"));
      expect(result).toMatchObject({ works: false, candidates: 0 });
      expect(result.errors.map(([, code]) => code)).toEqual(expect.arrayContaining([401]));
    }
  });
});

/** Number of relays that coturn holds: its UDP sockets on high ports. */
const relays = async () =>
  Number(
    await onHost(TURN, [
      "bash",
      "-c",
      `ss -Hanup | awk '/"turnserver"/ { p = $4; sub(/.*:/, "", p); if (p + 0 >= 32769) n++ } END { print n + 0 }'`,
    ]),
  );

test("a class with cameras, 23 connections of each pupil: none of a dual-stack browser's relays is refused", async () => {
  await inBrowser(async (browser) => {
    const before = await relays();
    const connections = await openMany(browser, 23, iceServer(out.turnUrls, out.turnSecret, "w_camera"));
    const taken = (await relays()) - before;
    expect(connections.flatMap(({ errors }) => errors)).toEqual([]);
    expect(connections.every(({ candidates }) => candidates >= 2)).toBe(true);
    // A browser that was cut off comes back before its old relays have run out.
    expect(2 * taken).toBeLessThanOrEqual(quotas.perUser);
    expect(taken).toBeGreaterThanOrEqual(23 * 2);
  });
});
