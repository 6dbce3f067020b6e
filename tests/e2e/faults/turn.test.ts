import { quotas } from "../../../bigbluebutton/coturn";
import { expectService, MEDIA_PORT } from "../support/checks";
import { startEcho } from "../support/echo";
import { until } from "../support/faults";
import {
  must,
  onHost,
  outputs,
  outside,
  PYTHON,
  startTool,
  tool,
  TOOLS,
  update,
  type Outputs,
} from "../support/sandbox";
import { HETZNER } from "../support/scenarios";
import { ALL_WAYS_IN, turn, WAYS_IN, type Answer } from "../support/turn";
import { refusalTests } from "../support/turnRefusals";

/** Attacks on a TURN server, on one deployment. */

const { turn: TURN, bbb: BBB } = HETZNER.names;
const OVER_TLS = WAYS_IN[1];
const OVER_UDP = WAYS_IN[0];

let out: Outputs;

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded");
  out = await outputs();
});

const session = (way: (typeof ALL_WAYS_IN)[number]) => ({ server: TURN, ...way, secret: out.turnSecret });
const peer = () => [out.addresses.bbb.ipv4, MEDIA_PORT] as const;

describe("TURN's peers", () => {
  refusalTests(HETZNER, ["ipv4", "ipv6"], () => out);

  test("a relay to a service on the TURN host itself: it hears nothing", async () => {
    const port = 40001;
    const echo = await startEcho(TURN, port);
    try {
      const { ipv4 } = out.addresses.turn;
      for (const way of ALL_WAYS_IN) {
        const result = await turn({ ...session(way), echo: ["127.0.0.1", ipv4].map((a) => [a, port]) });
        expect(Object.values(result.echo ?? {})).toEqual([403, 403]);
      }
    } finally {
      await echo.stop();
    }
  });
});

describe("TURN's quotas", () => {
  const hold = (count: number, user: string) =>
    tool<Answer[]>("turn_load", { ...session(OVER_UDP), do: "hold", count, user });
  const rate = (way: (typeof ALL_WAYS_IN)[number], bytes: number) =>
    tool<{ sent: number; echoed: number; lost: number }>("turn_load", {
      ...{ ...session(way), do: "rate", peer: peer(), bytes, seconds: 5 },
    });

  /** Runs coturn with other values, until the work is done. */
  async function withSettings(sed: string, work: () => Promise<void>): Promise<void> {
    const script = (edit: string) => `set -e; ${edit}; systemctl restart coturn
      for i in {1..50}; do ss -Hln 'sport = :443' | grep -q . && exit; sleep 0.1; done; exit 1`;
    const edit = `cp -p /etc/turnserver.conf /etc/turnserver.conf.kept; sed -i '${sed}' /etc/turnserver.conf`;
    await onHost(TURN, ["bash", "-c", script(edit)]);
    try {
      await work();
    } finally {
      await onHost(TURN, ["bash", "-c", script("mv /etc/turnserver.conf.kept /etc/turnserver.conf")]);
    }
  }

  const times = (count: number, answer: Answer) => Array<Answer>(count).fill(answer);

  test("one user takes relays without end: refused beyond the quota, and no other suffers", async () => {
    const [greedy, other] = await Promise.all([hold(quotas.perUser + 5, "greedy"), hold(20, "other")]);
    expect(greedy).toEqual([...times(quotas.perUser, "ok"), ...times(5, 486)]);
    expect(other).toEqual(times(20, "ok"));
    // coturn takes a released relay off the count a moment later.
    await until(async () => (await hold(1, "greedy"))[0] === "ok", 30);
  });

  test("all users together take relays without end: refused beyond the quota", async () => {
    await withSettings("s/^total-quota=.*/total-quota=10/", async () => {
      expect(await hold(12, "one")).toEqual([...times(10, "ok"), 486, 486]);
    });
  });

  test("more bandwidth is booked than there is: refused, and free again with the relays", async () => {
    await withSettings(`s/^bps-capacity=.*/bps-capacity=${3 * quotas.maxBps}/`, async () => {
      expect(await hold(5, "one")).toEqual([...times(3, "ok"), 486, 486]);
    });
    expect(await hold(5, "one")).toEqual(times(5, "ok"));
  });

  for (const way of WAYS_IN) {
    test(`over ${way.transport}, three times the rate of a relay: no more than its rate comes through`, async () => {
      const { sent, echoed } = await rate(way, 3 * quotas.maxBps);
      // A stream is held up at once.
      if (way.transport === "udp") expect(sent).toBeGreaterThan(2 * quotas.maxBps);
      expect(echoed).toBeLessThan(1.2 * quotas.maxBps);
      expect(echoed).toBeGreaterThan(0.5 * quotas.maxBps);
    });

    test(`over ${way.transport}, 20 cameras in one relay: nothing is lost`, async () => {
      const { lost } = await rate(way, 0.75 * quotas.maxBps);
      expect(lost).toBeLessThan(0.01);
    });
  }
});

describe("A school behind one address", () => {
  interface Rush {
    readonly answers: Readonly<Record<string, number>>;
    readonly again: number;
    readonly seconds: number;
  }
  const rush = (way: (typeof ALL_WAYS_IN)[number], family: "ipv4" | "ipv6") =>
    tool<Rush>("turn_load", { ...session(way), do: "rush", count: 2000, each: 30, family });
  /** Number of requests that the host's firewall kept from coturn. */
  const heldUp = async () => {
    const rules = await onHost(TURN, ["nft", "list", "table", "inet", "bbb_relay_guard"]);
    return [...rules.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  };

  for (const way of WAYS_IN) {
    for (const family of ["ipv4", "ipv6"] as const) {
      test(`over ${way.transport} by ${family}, 2000 relays at once, and again: granted, and none has to wait`, async () => {
        const before = await heldUp();
        for (const round of [1, 2]) {
          const { answers, seconds } = await rush(way, family);
          expect({ round, answers, seconds }).toEqual({ round, answers: { ok: 2000 }, seconds });
        }
        expect((await heldUp()) - before).toBe(0);
      });
    }
  }
});

describe("TURN's credentials", () => {
  for (const way of ALL_WAYS_IN) {
    test(`over ${way.transport} ${way.port}, credentials that have expired: refused, fresh ones taken`, async () => {
      for (const lifetime of [-5, -86400])
        expect(await turn({ ...session(way), lifetime })).toEqual({ allocate: 401 });
      for (const lifetime of [60, 86400])
        expect(await turn({ ...session(way), lifetime })).toMatchObject({ allocate: "ok" });
    });
  }

  test("BigBlueButton hands out credentials: they are good for a day", async () => {
    const xml = await onHost(BBB, ["cat", "/etc/bigbluebutton/turn-stun-servers.xml"]);
    expect(xml.match(/index="2" value="\d+"/g)).toEqual(Array(2).fill('index="2" value="86400"'));
  });
});

describe("What TURN tells a stranger", () => {
  const SOFTWARE = 0x8022;
  interface Sizes {
    readonly request: number;
    readonly answer: number | null;
    readonly attributes: readonly number[];
  }

  for (const family of ["ipv4", "ipv6"] as const) {
    test(`by ${family}, requests over UDP in any name: no answer is long, none tells the software`, async () => {
      const wish = { server: TURN, port: 3478, family };
      const sizes = await tool<Record<string, Sizes>>("stun_sizes", wish);
      const answered = Object.entries(sizes).filter(([, { answer }]) => answer !== null);
      expect(answered.map(([name]) => name)).toEqual(
        expect.arrayContaining(["Binding", "Allocate", "Refresh"]),
      );
      expect(sizes["Binding of RFC 3489"]?.answer).toBeNull();
      expect(sizes["Send indication"]?.answer).toBeNull();
      const factor = ({ request, answer }: Sizes) => (answer ?? 0) / request;
      // Why such requests need no bound.
      expect(factor(sizes["Allocate with the least of credentials"]!)).toBeLessThanOrEqual(1);
      const headers = family === "ipv4" ? 28 : 48;
      const onTheWire = ({ request, answer }: Sizes) => ((answer ?? 0) + headers) / (request + headers);
      expect(factor(sizes.Binding!)).toBeLessThanOrEqual(family === "ipv4" ? 2 : 2.6);
      for (const [name, one] of answered) {
        expect([name, factor(one) <= 5 && onTheWire(one) <= 2.6]).toEqual([name, true]);
        expect([name, one.attributes]).not.toEqual([name, expect.arrayContaining([SOFTWARE])]);
      }
    });

    interface Flood {
      readonly sent: number;
      readonly answered: number;
      readonly seconds: number;
    }
    const flood = (kind: string, as: "internet" | "operator") =>
      tool<Flood>("stun_sizes", { server: TURN, port: 3478, family, flood: 3000, seconds: 5, kind }, { as });
    const expectAtMost = ({ sent, answered, seconds }: Flood, burst: number, rate: number) => {
      expect(sent).toBeGreaterThan(10_000);
      expect(answered).toBeGreaterThan(rate);
      expect(answered).toBeLessThan(burst + (seconds + 1) * rate);
    };

    test(`by ${family}, a flood of requests in one name: 200 answers a second, and relays go on`, async () => {
      // Nobody there has had a relay.
      expectAtMost(await flood("Binding", "operator"), 1000, 200);
      expectAtMost(await flood("Allocate", "operator"), 2500, 200);
      expectAtMost(await flood("Allocate with the least of credentials", "operator"), 2500, 200);
      // What is relayed is not held up by it, nor does it count.
      await expectService(out, TURN);
    });

    test(`by ${family}, a flood in the name of an address that has relays: bounded, and it gets more of them`, async () => {
      const allocate = () => turn({ ...session(OVER_UDP), family });
      expect(await allocate()).toMatchObject({ allocate: "ok" });
      expectAtMost(await flood("Binding", "internet"), 1000, 200);
      expectAtMost(await flood("Allocate", "internet"), 4000, 500);
      expect(await allocate()).toMatchObject({ allocate: "ok" });
    });
  }

  for (const [port, tls] of [
    [3478, false],
    [443, true],
  ] as const) {
    test(`HTTP and nonsense on ${port}${tls ? " in TLS" : ""}: no banner`, async () => {
      for (const said of ["GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", "\\r\\n\\r\\n", "HELP\\r\\n"]) {
        const open = tls
          ? `openssl s_client -quiet -connect ${TURN}:${port}`
          : `nc -q 2 -w 3 ${TURN} ${port}`;
        const { stdout } = await outside([
          "bash",
          "-c",
          `{ printf '${said}'; sleep 2; } | timeout 5 ${open} 2>/dev/null`,
        ]);
        expect(stdout).toBe("");
      }
    });
  }
});

describe("TURN's TLS", () => {
  /** Result of a handshake: the version and the cipher, or undefined. */
  async function handshake(args: string, target = `${TURN}:443`): Promise<string | undefined> {
    const { stdout } = await outside([
      "bash",
      "-c",
      `timeout 10 openssl s_client ${args} -connect ${target} </dev/null 2>&1`,
    ]);
    const [, protocol, cipher] = /^New, (\S+), Cipher is (\S+)$/m.exec(stdout) ?? [];
    return cipher === undefined || cipher === "(NONE)" ? undefined : `${protocol} ${cipher}`;
  }

  test.each(["-tls1", "-tls1_1"])("%s by a client that can do it: refused", async (version) => {
    const args = `${version} -cipher ALL:@SECLEVEL=0`;
    const server = `s=$(mktemp -d); openssl req -x509 -newkey rsa:2048 -nodes -keyout $s/k -out $s/c -subj /CN=x 2>/dev/null
      timeout 20 openssl s_server -quiet -accept 127.0.0.1:4433 -key $s/k -cert $s/c ${args} </dev/null >/dev/null 2>&1 &
      sleep 1; timeout 10 openssl s_client ${args} -connect 127.0.0.1:4433 </dev/null 2>&1; kill %1; rm -r $s`;
    expect((await outside(["bash", "-c", server])).stdout).toMatch(/Cipher is [A-Z]/);
    expect(await handshake(args)).toBeUndefined();
  });

  test("TLS 1.2, or 1.2 and 1.3 on offer: forward secrecy and authenticated encryption", async () => {
    for (const args of ["-tls1_2", ""])
      expect(await handshake(args)).toMatch(/^TLSv1\.[23] .*(GCM|POLY1305)/);
  });

  test.each(["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "3DES", "aNULL"])(
    "the cipher %s: refused",
    async (cipher) => {
      expect(await handshake(`-tls1_2 -cipher ${cipher}:@SECLEVEL=0`)).toBeUndefined();
    },
  );
});

describe("TURN's renewal", () => {
  test("the certificate is renewed: a relay in TLS goes on, new connections get the new one", async () => {
    const wish = JSON.stringify({ ...session(OVER_TLS), do: "steady", peer: peer() });
    const command = ["--", PYTHON, `${TOOLS}/turn_load.py`];
    const relay = () => startTool(command, "relaying", `${wish}\n`);
    interface Steady {
      readonly sent: number;
      readonly lost: number;
      readonly longest: number;
      readonly certificate: string;
    }
    const old = await relay();
    const pid = await onHost(TURN, ["systemctl", "show", "-P", "MainPID", "coturn"]);
    await onHost(TURN, ["certbot", "renew", "--force-renewal", "--no-random-sleep-on-renew"], {
      timeoutSeconds: 300,
    });
    await new Promise((done) => setTimeout(done, 3000));
    const after = await (await relay()).stop<Steady>();
    const before = await old.stop<Steady>();
    expect(before.sent).toBeGreaterThan(50);
    expect(before).toMatchObject({ lost: 0 });
    expect(before.longest).toBeLessThan(2);
    expect(after.lost).toBe(0);
    expect(after.certificate).not.toBe(before.certificate);
    const fingerprint = "openssl x509 -outform der -in /etc/turnserver/fullchain.pem | sha256sum";
    expect(await onHost(TURN, ["bash", "-c", fingerprint])).toContain(after.certificate);
    expect(await onHost(TURN, ["systemctl", "show", "-P", "MainPID", "coturn"])).toBe(pid);
  });
});
