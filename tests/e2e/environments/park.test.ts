import { accountObjects, checkpointReferences, references } from "../support/account";
import { publish, publishedSums, root } from "../support/backup";
import { meeting } from "../support/checks";
import { expectDeployed, failingUp } from "../support/faults";
import { park, snapshots, wake } from "../support/park";
import { IN_HETZNER_DNS, must, outputs, outside, sandbox, update, type Outputs } from "../support/sandbox";

/** A server that is parked while nobody meets, and woken as it was. One deployment. */

const { bbb: BBB, turn: TURN } = IN_HETZNER_DNS;
const CONF = "/etc/nginx/conf.d/school.conf";

let out: Outputs;
let sums: string;

const check = () => sandbox(["operator", "check", "sandbox", "--sandbox"]);
const servers = async () =>
  (await accountObjects()).flatMap(({ kind, name }) => (kind === "servers" ? [name] : [])).sort();

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
  expect(await servers()).toEqual([BBB, TURN]);
  expect(await snapshots()).toEqual([]);
}

async function expectParked(...args: string[]): Promise<void> {
  const { code, stderr } = await park("sandbox", ...args);
  expect([code, stderr]).toEqual([0, expect.stringContaining("sandbox is parked")]);
}

beforeAll(async () => {
  await must(["reset"]);
  await update("up", "embedded");
  out = await outputs();
  await publish(BBB);
  await root(BBB, `echo '# ours' >${CONF}`);
  sums = await publishedSums(BBB);
});

test("while a meeting runs it is refused, and nothing is touched", async () => {
  await meeting("create", out);
  const { code, stderr } = await park("sandbox");
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(`1 meeting runs on ${BBB}; nothing was changed`),
  ]);
  expect(await servers()).toEqual([BBB, TURN]);
  await meeting("end", out);
});

describe("parked", () => {
  beforeAll(() => expectParked());

  test("the server is a snapshot, its addresses and its volume are there, and the state knows", async () => {
    expect(await servers()).toEqual([TURN]);
    expect(await snapshots()).toMatchObject([
      { labels: { stack: "sandbox", role: "bbb", purpose: "parked" } },
    ]);
    expect(references(await accountObjects())).toEqual(checkpointReferences("sandbox"));
  });

  test("the check says so in place of failures, with an exit code of its own", async () => {
    const { code, stdout } = await check();
    expect(stdout).toMatch(/skip .*parked since .*\n *to do: \.\/scripts\/wake sandbox brings it back/);
    expect(code).toBe(3);
  });

  test("an update makes no empty server in its place, and names the way back", async () => {
    await failingUp(
      [],
      /stack sandbox is parked, as the snapshot \d+: \.\/scripts\/wake sandbox brings it back/,
    );
    expect(await servers()).toEqual([TURN]);
  });

  test("parked once more, it is said since when", async () => {
    const { code, stderr } = await park("sandbox");
    expect([code, stderr]).toEqual([0, expect.stringMatching(/parked since 20\d\d-/)]);
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
  expect(new Date(stdout.trim().replace("notAfter=", "")).getTime()).toBeGreaterThan(Date.now() + 86_400_000);
  await expectDeployed();
});

test("a third time, the TURN server also", async () => {
  await expectParked("--with-turn");
  expect(await servers()).toEqual([]);
  await failingUp([], /is parked, as the snapshot/);
  expect(await servers()).toEqual([]);
  await expectWoken();
  await expectDeployed();
});

test("an update on it is as one on any other server", async () => {
  const { summary } = await update("up", "embedded", ["--set", "rotateTurnSecret=after"]);
  expect(summary.updated ?? summary.replaced).toBeGreaterThan(0);
  await expectDeployed(["--set", "rotateTurnSecret=after"]);
});

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
