import { publish, publishedSums, root } from "./backup";
import { meeting } from "./checks";
import { expectDeployed, failingUp, up } from "./faults";
import { privateIpv4 } from "./hosts";
import type { Place } from "./places";
import { must, outputs, outside, sandbox, update, type Outputs, type Result } from "./sandbox";

/** A server that is parked while nobody meets, and woken as it was, at either cloud. One deployment. */

/** `scripts/park STACK ARGS… --sandbox`, without a question. */
const park = (stack: string, ...args: string[]): Promise<Result> =>
  sandbox(["operator", "park", stack, ...args, "--yes", "--sandbox"]);

/** `scripts/wake STACK --sandbox`, without a question. */
const wake = (stack: string): Promise<Result> => sandbox(["operator", "wake", stack, "--yes", "--sandbox"]);

const CONF = "/etc/nginx/conf.d/school.conf";

/** Differences of a parked server between the clouds. */
interface Parked {
  /** True where its disk is a snapshot and it is deleted; else it is stopped. */
  readonly deleted: boolean;
}

export function parkTests(place: Place, { deleted }: Parked): void {
  const { bbb: BBB, turn: TURN } = place.names;
  let out: Outputs;
  let sums: string;
  let before: Readonly<Record<string, string>>;

  const check = () => sandbox(["operator", "check", "sandbox", "--sandbox"]);
  const running = async () =>
    (await place.servers()).filter(({ status }) => status === "running").map(({ name }) => name);
  /** Ids of what stays, and addresses on the interfaces. */
  async function identities(): Promise<Record<string, string>> {
    const kept = deleted ? [] : await place.servers();
    const addresses = [BBB, TURN].map(
      async (fqdn) => [`${fqdn} inside`, (await privateIpv4(fqdn)) ?? "none"] as const,
    );
    return Object.fromEntries([
      ...kept.map(({ name, id }) => [name, id] as const),
      ...(await Promise.all(addresses)),
    ]);
  }

  /** Wakes it, and compares it with what it was. */
  async function expectWoken(): Promise<void> {
    const { code, stderr } = await wake("sandbox");
    expect([code, stderr]).toEqual([0, expect.stringContaining(`sandbox is awake: https://${BBB}`)]);
    expect(await publishedSums(BBB)).toBe(sums);
    expect(await root(BBB, `cat ${CONF}`)).toBe("# ours\n");
    expect(await outputs()).toMatchObject({
      sharedSecret: out.sharedSecret,
      turnSecret: out.turnSecret,
      addresses: out.addresses,
    });
    expect(await running()).toEqual([BBB, TURN]);
    expect(await identities()).toEqual(before);
    expect(await place.snapshots()).toEqual([]);
  }

  async function expectParked(...args: string[]): Promise<string> {
    const { code, stderr } = await park("sandbox", ...args);
    expect([code, stderr]).toEqual([0, expect.stringContaining("sandbox is parked")]);
    return stderr;
  }

  /** Expects that an update makes no empty server in the place of what is parked. */
  async function expectNothingMade(): Promise<void> {
    const parked = await place.servers();
    if (deleted) {
      await failingUp(
        [],
        /stack sandbox is parked, as the snapshot \d+: \.\/scripts\/wake sandbox brings it back/,
      );
    } else {
      expect(Object.keys((await up()).summary)).toEqual(["unchanged"]);
    }
    expect(await place.servers()).toEqual(parked);
  }

  beforeAll(async () => {
    await must(["reset"]);
    await update("up", "embedded", place.first);
    out = await outputs();
    await publish(BBB);
    await root(BBB, `echo '# ours' >${CONF}`);
    sums = await publishedSums(BBB);
    before = await identities();
  });

  test("while a meeting runs it is refused, and nothing is touched", async () => {
    await meeting("create", out);
    const { code, stderr } = await park("sandbox");
    expect([code, stderr]).toEqual([
      1,
      expect.stringContaining(`1 meeting runs on ${BBB}; nothing was changed`),
    ]);
    expect(await running()).toEqual([BBB, TURN]);
    await meeting("end", out);
  });

  describe("parked", () => {
    beforeAll(async () => void (await expectParked()));

    test("the server does not run, its addresses and its volume are there, and the state knows", async () => {
      expect(await running()).toEqual([TURN]);
      const kept = { labels: { stack: "sandbox", role: "bbb", purpose: "parked" } };
      expect(await place.snapshots()).toMatchObject(deleted ? [kept] : []);
      await place.expectRecorded("sandbox");
    });

    test("the check says so in place of failures, with an exit code of its own", async () => {
      const { code, stdout } = await check();
      expect(stdout).toMatch(/skip .*parked since .*\n *to do: \.\/scripts\/wake sandbox brings it back/);
      expect(code).toBe(3);
    });

    test("an update makes no empty server in its place", expectNothingMade);

    test("parked once more, it stays as it is", async () => {
      const parked = [await place.servers(), await place.snapshots()];
      const told = await expectParked();
      if (deleted) expect(told).toMatch(/parked since 20\d\d-/);
      expect([await place.servers(), await place.snapshots()]).toEqual(parked);
    });

    test("woken, it is as it was: recordings, own files, secrets, addresses; the next update changes nothing", async () => {
      await expectWoken();
      await expectDeployed();
      expect((await check()).stdout).not.toMatch(/^FAIL/m);
    });
  });

  test("a second time, with a certificate that runs out while it is parked", async () => {
    await root(BBB, EXPIRED, BBB);
    await expectParked();
    await expectWoken();
    const { stdout } = await outside(["bash", "-c", SHOWN, BBB]);
    expect(new Date(stdout.trim().replace("notAfter=", "")).getTime()).toBeGreaterThan(
      Date.now() + 86_400_000,
    );
    await expectDeployed();
  });

  test("a third time, the TURN server also", async () => {
    await expectParked("--with-turn");
    expect(await running()).toEqual([]);
    await expectNothingMade();
    await expectWoken();
    await expectDeployed();
  });

  test("an update on it is as one on any other server", async () => {
    const { summary } = await update("up", "embedded", ["--set", "rotateTurnSecret=after"]);
    expect(summary.updated ?? summary.replaced).toBeGreaterThan(0);
    await expectDeployed(["--set", "rotateTurnSecret=after"]);
  });
}

const SHOWN = `openssl s_client -connect "$0":443 -servername "$0" </dev/null 2>/dev/null | openssl x509 -noout -enddate`;

/** Script that puts a certificate that ran out in the place of certbot's. */
const EXPIRED = `
cd "$(mktemp -d)"; touch index.txt
printf '[ca]\\ndefault_ca=a\\n[a]\\ndatabase=index.txt\\nnew_certs_dir=.\\nrand_serial=yes\\ndefault_md=sha256\\n' >ca.cnf
printf 'policy=p\\ncopy_extensions=copy\\n[p]\\ncommonName=supplied\\n' >>ca.cnf
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -subj "/CN=$1" -addext "subjectAltName=DNS:$1" -out csr
openssl ca -batch -notext -config ca.cnf -selfsign -keyfile key -in csr -out certificate \\
  -startdate "$(date -ud '-95 days' +%Y%m%d%H%M%SZ)" -enddate "$(date -ud '-5 days' +%Y%m%d%H%M%SZ)"
for file in cert fullchain; do cat certificate >"/etc/letsencrypt/live/$1/$file.pem"; done
cat key >"/etc/letsencrypt/live/$1/privkey.pem"`;
