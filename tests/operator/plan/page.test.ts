import type { Plan } from "../../../operator/plan/document";
import { renderPlan } from "../../../operator/plan/page";

const sha256 = "ab".repeat(32);

const published = {
  ...{ day: "2026-06-15", sources: [], currency: "EUR", holds: "" },
  ...{ positions: [], missing: [] },
};

const plan: Plan = {
  project: "bigbluebutton",
  stack: "prod",
  problems: [{ key: "email", reason: "is not set", remedy: "pulumi config set email YOUR-ADDRESS" }],
  warnings: ["bbb:environment is not read"],
  standIns: [
    { key: "email", value: "somebody@somewhere", why: "problem" },
    { key: "upgrade", why: "encrypted" },
    { key: "alerts", value: {}, why: "partly encrypted" },
  ],
  deployment: {
    release: "jammy-30",
    version: "3.0",
    environment: { name: "prod", protect: true, protectRecordings: true, strict: true, expires: null },
    limits: ["Hetzner Cloud: 1 server"],
    assumptions: ["the zone example.org is there"],
    hosts: [
      {
        ...{ role: "bbb", fqdn: "bbb.example.org", records: ["A"], cloud: "hetzner", location: "fsn1" },
        ...{ serverType: "cpx32", image: "ubuntu-22.04", baked: null },
        size: { cpus: 4, cores: 4, memoryGb: 8, dedicated: false },
        fit: { verdict: "too small", says: "it is", remedy: "another", sources: ["https://example.org/"] },
        ports: [
          { protocol: "tcp", port: "22", from: ["198.51.100.7/32", "2001:db8::/32"], what: "SSH" },
          { protocol: "udp", port: "16384-32768", from: ["0.0.0.0/0", "::/0"], what: "Media" },
        ],
      },
      {
        ...{ role: "turn", fqdn: "turn.example.org", records: ["A", "AAAA"], cloud: "aws" },
        ...{ location: "eu-central-1", serverType: "own.type", image: "ami-1", baked: null, size: null },
        fit: { verdict: "not known", says: "nothing is known of it", sources: [] },
        ports: [{ protocol: "icmp", port: null, from: ["0.0.0.0/0"], what: "ICMP" }],
      },
    ],
    dns: "manual",
    urls: { url: "https://bbb.example.org", api: "https://bbb.example.org/api", turn: ["turn:a", "turns:b"] },
    certificates: { names: [], authority: "https://acme.example.org/", trustedByBrowsers: false, own: [] },
    recordings: { volume: "new", sizeGb: 20, id: null, protected: true, snapshotDays: 0 },
    dialIn: {
      ...{ number: "+49 30 123456", networks: ["198.51.100.0/24"], gateway: "sip.example.org:5060" },
      ...{ registersAs: "bbb", pinDigits: 9, greeting: "Telefon" },
    },
    greenlight: {
      ...{ admin: "ada@example.org", mail: "mail.example.org:587", signInAt: "https://id.example.org" },
      ...{ registration: "invite", defaultRole: "Teacher", roomLimit: 5 },
    },
    metrics: { urls: ["https://bbb.example.org/metrics/host"], networks: ["198.51.100.9/32"] },
    options: [
      {
        ...{ setting: "meetings.welcome", value: `Grüß\nGott ${"x".repeat(70)}` },
        ...{ what: "Welcome text.", default: "its own" },
      },
      {
        setting: "meetings.locked",
        value: ["camera", "notes"],
        what: "What viewers can't do.",
        default: "nothing",
      },
    ],
    backupDays: 7,
    resourceCount: 4,
    resources: [
      {
        ...{
          purpose: "bbb",
          type: "hcloud:index:Server",
          what: "server",
          count: 1,
          names: ["bbb-host-server"],
        },
        ...{ protectedInPulumi: 1, protectedAtCloud: 1 },
      },
      {
        ...{
          purpose: "both",
          type: "tls:index:PrivateKey",
          what: "SSH key pair",
          count: 2,
          names: ["a", "b"],
        },
        ...{ protectedInPulumi: 0, protectedAtCloud: 0 },
      },
    ],
    steps: [
      {
        ...{ role: "bbb", number: 1, of: 2, title: "Check the host", script: "preflight.sh" },
        ...{ seconds: [1, 4], basis: "sandbox", dnsWaitSeconds: 3600 },
      },
      {
        ...{ role: "bbb", number: 2, of: 2, title: "Install BigBlueButton", script: "install-bbb.sh" },
        ...{ seconds: [1200, 1800], basis: "field" },
      },
    ],
    duration: { seconds: [1201, 1804], bases: { sandbox: "measured", field: "published", estimate: "none" } },
    downloads: [
      { to: "bbb", what: `bbb-install, sha256 ${sha256}`, from: "https://example.org/bbb-install.sh" },
    ],
    pool: null,
    parking: {
      ...{ cloud: "hetzner", currency: "EUR", day: "2026-06-15" },
      ...{ running: "166.79", parked: "0.14", kept: "a snapshot of 10 GB" },
    },
    comparison: [
      { ...published, cloud: "hetzner", sum: "222.72" },
      { ...published, cloud: "aws", currency: "USD", sum: "407.22" },
    ],
    prices: [
      {
        ...{
          cloud: "hetzner",
          asked: true,
          at: "2026-11-21T08:00:00.000Z",
          currency: "EUR",
          vatPercent: "19.00",
        },
        positions: [{ what: "BigBlueButton server, cpx32 in fsn1", net: "35.99", gross: "42.83" }],
        sum: { net: "35.99", gross: "42.83" },
        remarks: ["sold out"],
      },
      {
        cloud: "aws",
        asked: false,
        failed: false,
        why: "not asked; the calculator takes these",
        positions: ["a server", "a disk", "traffic"],
        estimate: {
          ...{ day: "2026-10-08", sources: ["https://aws.example"], currency: "USD", holds: "in us-east-1" },
          ...{ positions: [{ what: "a disk", net: "8.00" }], sum: "8.00", missing: ["a server", "traffic"] },
        },
      },
    ],
  },
};

test("the page", () => {
  expect(renderPlan(plan, 100)).toBe(`\
Plan of the stack "prod" of bigbluebutton: what \`pulumi up\` would make. Nothing is changed.

1 problem in the settings of the stack "prod"; nothing was changed.

  bigbluebutton:email is not set
    → pulumi config set email YOUR-ADDRESS

Planned all the same: email with a stand-in; upgrade as if it were not set, as it is encrypted;
alerts with stand-ins for its encrypted entries.

Is this meant?
  - bbb:environment is not read

What it is
  release             BigBlueButton 3.0 (jammy-30)
  address             https://bbb.example.org
  API                 https://bbb.example.org/api
  TURN                turn:a, turns:b
  BigBlueButton host  bbb.example.org, cpx32 at Hetzner Cloud in fsn1: 4 shared cores, 8 GB. TOO
                      SMALL: it is. What would do: another. Sources: https://example.org/
  TURN host           turn.example.org, own.type at AWS in eu-central-1. Size not known: nothing is
                      known of it.
  environment         prod: servers, addresses and recordings protected from deletion; refuses what
                      is good for trying out only
  certificates        NOT trusted by browsers, of https://acme.example.org/
  DNS records         bbb.example.org A, turn.example.org A and AAAA: YOU make them; the update
                      prints them and waits for up to an hour
  recordings          on a volume of 20 GB, protected from deletion; no snapshots
  Greenlight          the administrator ada@example.org is made, unless there is one; sends mail by
                      mail.example.org:587; people sign in at https://id.example.org; who is invited
                      may register; new accounts get the role Teacher; 5 rooms an account
  metrics             for Prometheus, by the token of the output metricsToken, from 198.51.100.9/32:
                      https://bbb.example.org/metrics/host
  dial-in             people call +49 30 123456; calls come from 198.51.100.0/24 alone; registers at
                      sip.example.org:5060 as bbb; numbers of meetings have 9 digits; the welcome
                      text says how
  backups             7 daily ones of the BigBlueButton server's disk, which recordings on a volume
                      are not on

BigBlueButton's own configuration; what is not named stays
  setting           value                                               without it  what
  meetings.welcome  Grüß Gott                                           its own     Welcome text.
                    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
  meetings.locked   camera, notes                                       nothing     What viewers
                                                                                    can't do.

Open ports; all others are closed
  host           port             from          what for
  BigBlueButton  22/tcp           SSH networks  SSH
  BigBlueButton  16384-32768/udp  anywhere      Media
  TURN           icmp             anywhere      ICMP

  SSH networks: 198.51.100.7/32, 2001:db8::/32

Resources: 4, as Pulumi counts them
  for               what          type                  protected by
  BigBlueButton  1  server        hcloud:index:Server   Pulumi and the cloud
  both           2  SSH key pair  tls:index:PrivateKey

Steps: about 20 to 31 minutes in all, both hosts side by side
  step                                      takes      figure
  BigBlueButton 1/2  Check the host         1–4 s      sandbox + 0–60 min for your records
  BigBlueButton 2/2  Install BigBlueButton  20–30 min  field

  - sandbox: measured
  - field: published

What is downloaded
  - to the BigBlueButton host: bbb-install, sha256
    abababababababababababababababababababababababababababababababab, from
    https://example.org/bbb-install.sh

What the account must be allowed, which a new one may have to ask for
  - Hetzner Cloud: 1 server

A month at Hetzner Cloud
                                       EUR net  with 19 % VAT
  BigBlueButton server, cpx32 in fsn1    35.99          42.83
  together                               35.99          42.83

  By the price list of 2026-11-21, for new orders, without traffic beyond what is included.
  - sold out

A month at AWS
            about, USD net
  a disk              8.00
  together            8.00

  Published prices of 2026-10-08 in us-east-1 (https://aws.example). Today's: not asked; the
  calculator takes these.
  Not in the sum:
  - a server
  - traffic

Parked while nobody meets, by ./scripts/park
  Running, the BigBlueButton server costs about EUR 166.79 a month; parked, about EUR 0.14, for a
  snapshot of 10 GB (net, published prices of 2026-06-15). Addresses and volumes cost the same in
  both.

To compare, with each cloud's default server types
  Hetzner Cloud EUR 222.72, AWS USD 407.22 a month, net, by published prices, without traffic.

Taken for granted, as no cloud was asked
  - the zone example.org is there
`);
});

test("settings of which nothing can be planned have their problems told all the same", () => {
  expect(renderPlan({ ...plan, standIns: [], deployment: null }, 100)).toBe(`\
Plan of the stack "prod" of bigbluebutton: what \`pulumi up\` would make. Nothing is changed.

1 problem in the settings of the stack "prod"; nothing was changed.

  bigbluebutton:email is not set
    → pulumi config set email YOUR-ADDRESS

Is this meant?
  - bbb:environment is not read

No plan can be made of these settings.
`);
});

test.each([80, 100, 120])("no line is longer than %d columns, but for a word that is", (width) => {
  const long = renderPlan(plan, width)
    .split("\n")
    .filter((line) => line.length > width);
  expect(long).toEqual([]);
});
