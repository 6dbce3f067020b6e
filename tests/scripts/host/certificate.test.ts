import { existsSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";

import { check } from "./checks";
import { done, FakeHost, SCRIPTS, type Done } from "./scripts";

const NAME = "turn.example.test";
const PIECES = ["cert", "privkey", "chain", "fullchain"] as const;

let host: FakeHost;
let letsencrypt: string;

/**
 * Stand-in for certbot's handling of certificates: a name is known by its settings; with files of an unknown name in
 * the way it refuses, or makes another name.
 */
const CERTBOT = `
cd $BBB_DEPLOY_ROOT/etc/letsencrypt
while (($#)); do if [[ $1 == --cert-name ]]; then name=$2; fi; if [[ $1 == delete ]]; then delete=yes; fi; shift; done
if [[ -n \${delete:-} ]]; then rm -r live/$name archive/$name renewal/$name.conf; exit; fi
if [[ ! -e renewal/$name.conf ]]; then
  if [[ -e live/$name ]]; then echo "live directory exists for $name"; exit 1; fi
  if [[ -e archive/$name ]]; then name=$name-0001; fi
fi
mkdir -p live/$name archive/$name renewal
cp $HOME/issued.pem archive/$name/fullchain1.pem
cp $HOME/issued.pem archive/$name/cert1.pem
touch archive/$name/chain1.pem archive/$name/privkey1.pem
for file in cert privkey chain fullchain; do
  ln -sfn ../../archive/$name/\${file}1.pem live/$name/$file.pem
  echo "$file = /etc/letsencrypt/live/$name/$file.pem"
done >renewal/$name.conf`;

async function issue(names: readonly string[]): Promise<void> {
  const made = host.start([
    ...["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-keyout", "/dev/null", "-subj", `/CN=${names[0]}`, "-days", "90"],
    ...["-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`],
    ...["-out", join(host.directory, "issued.pem")],
  ]);
  expect((await done(made)).code).toBe(0);
}

beforeEach(async () => {
  host = new FakeHost();
  letsencrypt = join(host.root, "etc/letsencrypt");
  mkdirSync(letsencrypt, { recursive: true });
  host.fake("certbot", CERTBOT);
  host.fake("systemctl", "if [[ $1 == is-active ]]; then echo active; fi");
  await issue([NAME]);
});

afterEach(() => host.remove());

/** Makes a lineage with text of its own in it, without the named parts. */
function lineage(name: string, without: readonly ("live" | "archive" | "renewal")[] = []): void {
  for (const piece of PIECES) {
    if (!without.includes("archive")) host.put(`etc/letsencrypt/archive/${name}/${piece}1.pem`, "old");
    if (without.includes("live")) continue;
    mkdirSync(join(letsencrypt, "live", name), { recursive: true });
    symlinkSync(`../../archive/${name}/${piece}1.pem`, join(letsencrypt, "live", name, `${piece}.pem`));
  }
  const settings = PIECES.map((piece) => `${piece} = /etc/letsencrypt/live/${name}/${piece}.pem\n`);
  if (!without.includes("renewal")) host.put(`etc/letsencrypt/renewal/${name}.conf`, settings.join(""));
}

const ask = () => host.script("certificate.sh", ["--role", "turn", "--hostname", NAME]);
const inUse = () => host.read(`etc/letsencrypt/live/${NAME}/fullchain.pem`);
const aside = () =>
  existsSync(join(letsencrypt, "bbb-deploy-leftovers"))
    ? readdirSync(join(letsencrypt, "bbb-deploy-leftovers"))
    : [];
const renewal = () => check(host, "system_check", "check_renewal", NAME, "turn", false);

describe.each([
  ["its settings are gone", ["renewal"]],
  ["its settings and its links are gone", ["renewal", "live"]],
  ["its archive is gone", ["archive"]],
  ["its settings and its archive are gone", ["renewal", "archive"]],
] as const)("a certificate that certbot does not know, since %s", (_, without) => {
  beforeEach(() => lineage(NAME, without));

  test("is found, and the remedy puts one into use that is renewed", async () => {
    const { verdict, remedy } = await renewal();
    expect([verdict, remedy]).toEqual(["FAIL", expect.stringContaining("certificate.sh --role turn")]);
    const [command] = /\S+certificate\.sh .*?--hostname \S+/.exec(remedy!)!;
    const { code, output } = await done(host.start(["bash", "-c", `bash ${command}`]));
    expect(output).toContain(`certbot renews the certificate of ${NAME}, valid until`);
    expect(code).toBe(0);
    expect(inUse()).toContain("BEGIN CERTIFICATE");
    expect(readdirSync(join(letsencrypt, "live"))).toEqual([NAME]);
    host.put("etc/turnserver/fullchain.pem", inUse());
    expect(await renewal()).toMatchObject({ verdict: "ok" });
  });

  test("is moved away, and nothing of it is deleted", async () => {
    await ask();
    const [moved, ...more] = aside();
    expect([moved, more]).toEqual([expect.stringMatching(new RegExp(`^${NAME}\\.\\d+$`)), []]);
    const parts = ["archive", "live", "renewal"].filter(
      (part) => !(without as readonly string[]).includes(part),
    );
    expect(readdirSync(join(letsencrypt, "bbb-deploy-leftovers", moved!)).sort()).toEqual(parts);
  });

  test("stays as it is where no other can be had", async () => {
    host.fake("certbot", "exit 1");
    const before = readdirSync(letsencrypt, { recursive: true }).sort();
    const { code, output } = await ask();
    expect([code, output]).toEqual([1, expect.stringContaining("what was there is as it was")]);
    expect(aside()).toEqual([]);
    expect(
      readdirSync(letsencrypt, { recursive: true })
        .filter((path) => path !== "bbb-deploy-leftovers")
        .sort(),
    ).toEqual(before);
  });
});

test("what an interruption left moved away comes back, and then goes for good", async () => {
  lineage(NAME, ["renewal"]);
  const moved = join(letsencrypt, "bbb-deploy-leftovers", NAME);
  host.fake("certbot", `kill -9 $(ps -o ppid= -p $PPID)`);
  await ask();
  expect(existsSync(join(moved, "live", NAME))).toBe(true);
  host.fake("certbot", CERTBOT);
  expect((await ask()).code).toBe(0);
  expect(existsSync(moved)).toBe(false);
  expect(readlinkSync(join(letsencrypt, "live", NAME, "fullchain.pem"))).toContain(`archive/${NAME}/`);
});

test("a certificate that certbot knows is left where it is", async () => {
  lineage(NAME);
  await ask();
  expect([aside(), host.called("certbot").length]).toEqual([[], 1]);
});

test("the operator's own certificate is not certbot's business", async () => {
  host.put("local/certs/fullchain.pem", "own");
  mkdirSync(join(letsencrypt, "live", NAME), { recursive: true });
  symlinkSync(join(host.root, "local/certs/fullchain.pem"), join(letsencrypt, "live", NAME, "fullchain.pem"));
  const { code, output } = await ask();
  expect([code, output]).toEqual([1, expect.stringContaining("is the operator's own")]);
  expect(host.called("certbot")).toEqual([]);
});

describe("the host's former name", () => {
  const FORMER = "old.example.test";

  /** Calls functions of certbot.sh, as install-turn.sh and prepare.sh do. */
  const call = (command: string): Promise<Done> =>
    done(host.start(["bash", "-euc", `. ${SCRIPTS}/lib.sh; . ${SCRIPTS}/certbot.sh; ${command}`]));

  beforeEach(async () => {
    host.put("etc/hosts", `203.0.113.9 ${FORMER} old # bbb-deploy\n`);
    await call(`remember_name ${NAME}`);
    await issue([FORMER]);
    await call(`request_certificate turn ${FORMER} a@b.test`);
    await call(`request_certificate turn ${NAME} a@b.test`);
    host.forgetCalls();
  });

  const left = () => readdirSync(join(letsencrypt, "renewal")).sort();

  test("has its certificate renewed no more", async () => {
    const { output } = await call(`retire_former_names ${NAME}`);
    expect(output).toContain(`the certificate of the former name ${FORMER} is not renewed any more`);
    expect(left()).toEqual([`${NAME}.conf`]);
    await call(`retire_former_names ${NAME}`);
    expect(host.called("certbot")).toHaveLength(1);
  });

  test("is known though /etc/hosts has long had the new one", async () => {
    host.put("etc/hosts", `203.0.113.9 ${NAME} turn # bbb-deploy\n`);
    await call(`remember_name ${NAME}`);
    expect(host.read("var/lib/bbb-deploy/names")).toBe(`${FORMER}\n${NAME}\n`);
  });

  test("keeps a certificate that covers names which are not the deployment's", async () => {
    await issue([FORMER, "www.example.test"]);
    await call(`request_certificate turn ${FORMER} a@b.test`);
    const { output } = await call(`retire_former_names ${NAME}`);
    expect(output).toContain(`${FORMER} covers other names, too, and stays`);
    expect(left()).toEqual([`${FORMER}.conf`, `${NAME}.conf`]);
  });

  test("keeps a certificate that nginx still names", async () => {
    host.put(
      "etc/nginx/sites-available/mine",
      `ssl_certificate /etc/letsencrypt/live/${FORMER}/fullchain.pem;\n`,
    );
    const { output } = await call(`retire_former_names ${NAME}`);
    expect(output).toContain(`${FORMER} stays, since it is used in /etc/nginx/sites-available/mine`);
    expect(left()).toEqual([`${FORMER}.conf`, `${NAME}.conf`]);
  });

  test("and names that somebody else has certificates for here are none of our business", async () => {
    lineage("www.example.test");
    await call(`retire_former_names ${NAME}`);
    expect(left()).toEqual([`${NAME}.conf`, "www.example.test.conf"]);
  });
});

describe("a certificate of a name that the host had before names were remembered", () => {
  const STRAY = "older.example.test";
  const call = (command: string): Promise<Done> =>
    done(host.start(["bash", "-euc", `. ${SCRIPTS}/lib.sh; . ${SCRIPTS}/certbot.sh; ${command}`]));

  /** A resolver that knows these addresses; of other names it says that there are none, or fails. */
  const resolver = (addresses: Readonly<Record<string, string>>, otherwise = "NXDOMAIN") =>
    host.fake(
      "dig",
      `for word; do case $word in *.test) name=$word ;; esac; done
       declare -A known=(${Object.entries(addresses)
         .map(([name, address]) => `[${name}]=${address}`)
         .join(" ")})
       status=${otherwise}; if [[ -n \${known[$name]:-} ]]; then status=NOERROR; fi
       echo ";; ->>HEADER<<- opcode: QUERY, status: $status, id: 1"
       if [[ -n \${known[$name]:-} && \${*: -1} = A ]]; then echo "$name. 300 IN A \${known[$name]}"; fi`,
    );

  beforeEach(async () => {
    await call(`remember_name ${NAME}; request_certificate turn ${NAME} a@b.test`);
    await issue([STRAY]);
    await call(`request_certificate turn ${STRAY} a@b.test`);
    host.put(
      `etc/letsencrypt/renewal/${STRAY}.conf`,
      `${host.read(`etc/letsencrypt/renewal/${STRAY}.conf`)}authenticator = standalone\n`,
    );
    resolver({ [NAME]: "203.0.113.9" });
    host.forgetCalls();
  });

  const retire = () => call(`retire_former_names ${NAME}`);
  const left = () => readdirSync(join(letsencrypt, "renewal")).sort();
  const BOTH = [`${STRAY}.conf`, `${NAME}.conf`];

  test.each([
    ["nowhere", {}],
    ["to another host", { [STRAY]: "198.51.100.1" }],
  ])(
    "is not renewed any more where the name leads %s, and nothing of it is deleted",
    async (_, addresses) => {
      resolver({ [NAME]: "203.0.113.9", ...addresses });
      const { output } = await retire();
      expect(output).toContain(
        `the certificate of ${STRAY}, a name that does not lead to this host, is not renewed any more`,
      );
      expect(left()).toEqual([`${NAME}.conf`]);
      expect(host.called("certbot")).toEqual([]);
      expect(readdirSync(join(letsencrypt, "live")).sort()).toEqual([STRAY, NAME].sort());
      const [moved] = aside();
      expect(readdirSync(join(letsencrypt, "bbb-deploy-leftovers", moved!, "renewal"))).toEqual([
        `${STRAY}.conf`,
      ]);
    },
  );

  test("stays where the name leads here, or can't be asked for", async () => {
    resolver({ [NAME]: "203.0.113.9", [STRAY]: "203.0.113.9" });
    await retire();
    expect(left()).toEqual(BOTH);
    resolver({ [NAME]: "203.0.113.9" }, "SERVFAIL");
    await retire();
    expect(left()).toEqual(BOTH);
    resolver({});
    await retire();
    expect(left()).toEqual(BOTH);
  });

  test("stays where it covers another name that leads here", async () => {
    await issue([STRAY, "alias.example.test"]);
    await call(`request_certificate turn ${STRAY} a@b.test`);
    host.put(`etc/letsencrypt/renewal/${STRAY}.conf`, "authenticator = standalone\n");
    resolver({ [NAME]: "203.0.113.9", "alias.example.test": "203.0.113.9" });
    await retire();
    expect(left()).toEqual(BOTH);
  });

  test("stays where it is made in another way, or used", async () => {
    host.put("etc/haproxy/haproxy.cfg", `bind :8443 ssl crt /etc/letsencrypt/live/${STRAY}/all.pem\n`);
    await retire();
    expect(left()).toEqual(BOTH);
    host.put("etc/haproxy/haproxy.cfg", "");
    host.put(`etc/letsencrypt/renewal/${STRAY}.conf`, "authenticator = dns-rfc2136\n");
    await retire();
    expect(left()).toEqual(BOTH);
  });

  test("of BigBlueButton's installer goes likewise", async () => {
    host.put(
      `etc/letsencrypt/renewal/${STRAY}.conf`,
      "authenticator = webroot\nwebroot_path = /var/www/bigbluebutton-default/assets,\n",
    );
    await retire();
    expect(left()).toEqual([`${NAME}.conf`]);
  });
});
