import type { PeerCertificate } from "node:tls";

import { judgeCertificate } from "../../../operator/check/certificate";
import { ask } from "../../../operator/check/finding";

const NOW = new Date("2026-11-21T00:00:00Z");
const DAY = 86_400_000;

function certificate(lifetime: number, left: number, name = "bbb.example.org"): PeerCertificate {
  const ends = NOW.getTime() + left * DAY;
  return {
    subject: { CN: name },
    subjectaltname: `DNS:${name}`,
    valid_from: new Date(ends - lifetime * DAY).toUTCString(),
    valid_to: new Date(ends).toUTCString(),
  } as PeerCertificate;
}

const judged = (shown: PeerCertificate, problem?: string, untrustedCa = false) =>
  ask("certificate", "", () =>
    judgeCertificate("bbb.example.org", shown, problem, { untrustedCa, own: false }, NOW),
  );

test.each([
  [90, 60, "ok", "valid until 2027-01-20, 60 days"],
  [90, 20, "warn", "valid until 2026-12-11, 20 days"],
  [90, 6, "FAIL", "valid until 2026-11-27, 6 days"],
  [90, -2, "FAIL", "expired: valid until 2026-11-19, -2 days"],
  [45, 15, "ok", "valid until 2026-12-06, 15 days"],
  [45, 10, "warn", "valid until 2026-12-01, 10 days"],
  [6, 3, "ok", "valid until 2026-11-24, 3 days"],
])("of %d days with %d left: %s", async (lifetime, left, verdict, answer) => {
  expect(await judged(certificate(lifetime, left))).toMatchObject({ verdict, answer });
});

test("another host's certificate fails", async () => {
  expect(await judged(certificate(90, 60, "other.example.org"))).toMatchObject({
    verdict: "FAIL",
    answer: expect.stringContaining("does not match") as string,
  });
});

test.each([
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", true, "ok", "not trusted by browsers (acmeServer)"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", false, "FAIL", "no valid chain: UNABLE_TO_GET_ISSUER_CERT_LOCALLY"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", true, "FAIL", "no valid chain: DEPTH_ZERO_SELF_SIGNED_CERT"],
  ["CERT_SIGNATURE_FAILURE", true, "FAIL", "no valid chain: CERT_SIGNATURE_FAILURE"],
])(
  "a chain with %s, of an authority that need not be known (%s): %s",
  async (problem, untrusted, verdict, answer) => {
    expect(await judged(certificate(90, 60), problem, untrusted)).toMatchObject({
      verdict,
      answer: expect.stringContaining(answer) as string,
    });
  },
);
