import { X509Certificate } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Problem of a bundle of root certificates in PEM form; undefined for a good one. */
export function rootsProblem(pem: string): string | undefined {
  if (pem.includes("PRIVATE KEY-----"))
    return "contains a private key, which does not belong in the settings";
  const certificates = pem.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return "contains no certificate in PEM form";
  for (const [i, text] of certificates.entries()) {
    const certificate = readCertificate(text);
    if (!certificate) return `cannot be read: certificate ${i + 1} of ${certificates.length} is damaged`;
    if (!certificate.ca) {
      return `has a certificate that is no authority's: ${certificate.subject.replaceAll("\n", ", ")}`;
    }
    if (certificate.validToDate < new Date()) {
      return `has a certificate that expired on ${certificate.validToDate.toISOString().slice(0, 10)}`;
    }
  }
  return undefined;
}

function readCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
