import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { get } from "node:https";
import { join } from "node:path";

import type { FastifyInstance } from "fastify";

import type { Faults } from "../hetzner/faults";
import { writeAtomically } from "../hosts/files";
import { waitUntil } from "../hosts/processes";
import { SERVICE_ZONE, SERVICES } from "../network/addresses";
import { run } from "../network/run";
import { CA_BUNDLE, SANDBOX_STATE } from "../paths";
import { createAcmeProxy } from "./acmeProxy";

/** The ACME authority, pebble behind acmeProxy.ts: its configuration, and the roots that its clients must trust. */

const ACME_NAME = `acme.${SERVICE_ZONE}`;
export const ACME_PORT = 14000;
const MANAGEMENT_PORT = 15000;
/** Port of pebble itself, behind the proxy. */
const PEBBLE_PORT = 14001;
const START_MS = 15_000;

/** Directory URL for ACME clients. */
export const ACME_DIRECTORY = `https://${ACME_NAME}:${ACME_PORT}/dir`;

/** pebble's configuration; the paths are those of the services' tree. */
export function renderPebbleConfig(certificate: string, privateKey: string): string {
  const pebble = {
    listenAddress: `${SERVICES.acme}:${PEBBLE_PORT}`,
    managementListenAddress: `${SERVICES.acme}:${MANAGEMENT_PORT}`,
    certificate,
    privateKey,
    httpPort: 80,
    tlsPort: 443,
    ocspResponderURL: "",
    externalAccountBindingRequired: false,
  };
  return `${JSON.stringify({ pebble }, null, 2)}\n`;
}

/** Settings of pebble: validate at once, refuse no nonce, re-use no authorization. */
export const PEBBLE_ENVIRONMENT = {
  PEBBLE_VA_NOSLEEP: "1",
  PEBBLE_WFE_NONCEREJECT: "0",
  PEBBLE_AUTHZREUSE: "0",
} as const;

const CA_DIR = join(SANDBOX_STATE, "ca");
const API_ROOT = join(CA_DIR, "api-root.pem");
const API_ROOT_KEY = join(CA_DIR, "api-root.key");

/** Certificate and key of the ACME server's own HTTPS, made once. */
export const API_CERTIFICATE = join(CA_DIR, "api.pem");
export const API_KEY = join(CA_DIR, "api.key");

/** Makes the authority's proxy, for use once pebble runs. */
export function createAuthority(faults: Faults): FastifyInstance {
  return createAcmeProxy({
    certificate: readFileSync(API_CERTIFICATE, "utf8"),
    privateKey: readFileSync(API_KEY, "utf8"),
    upstream: { host: SERVICES.acme, port: PEBBLE_PORT, ca: readFileSync(API_ROOT, "utf8") },
    faults,
  });
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Makes the root and the certificate of the ACME server's own HTTPS, if they don't exist. */
export async function ensureApiCertificate(): Promise<void> {
  if (!existsSync(API_ROOT)) {
    mkdirSync(CA_DIR, { recursive: true });
    await run("openssl", [
      ...["req", "-x509", ...NEW_KEY, "-days", "365", "-subj", "/CN=Sandbox API root"],
      ...["-addext", "keyUsage=critical,keyCertSign,cRLSign"],
      ...["-keyout", API_ROOT_KEY, "-out", API_ROOT],
    ]);
  }
  await ensureCertificate("api", ACME_NAME, SERVICES.acme);
}

/** Certificate and key (PEM) of one of the sandbox's own servers, from the API's root. Made once. */
export async function ensureCertificate(
  file: string,
  name: string,
  address: string,
): Promise<{ readonly certificate: string; readonly privateKey: string }> {
  const [certificate, key] = [join(CA_DIR, `${file}.pem`), join(CA_DIR, `${file}.key`)];
  if (!existsSync(certificate)) {
    const request = join(CA_DIR, `${file}.csr`);
    const extensions = join(CA_DIR, `${file}.ext`);
    writeAtomically(
      extensions,
      `subjectAltName=DNS:${name},IP:${address}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n`,
    );
    await run("openssl", ["req", ...NEW_KEY, "-subj", `/CN=${name}`, "-keyout", key, "-out", request]);
    await run("openssl", [
      ...["x509", "-req", "-in", request, "-CA", API_ROOT, "-CAkey", API_ROOT_KEY, "-CAcreateserial"],
      ...["-days", "365", "-extfile", extensions, "-out", certificate],
    ]);
  }
  return { certificate: readFileSync(certificate, "utf8"), privateKey: readFileSync(key, "utf8") };
}

/**
 * Waits for pebble, and keeps its issuing root in the bundle. Each of its starts makes a new root. Earlier roots stay
 * trusted, since hosts still have certificates from them.
 */
export async function collectRoots(): Promise<void> {
  const ca = readFileSync(API_ROOT, "utf8");
  let issuing: string | undefined;
  const answered = await waitUntil(async () => {
    issuing = await fetchText(`https://${SERVICES.acme}:${MANAGEMENT_PORT}/roots/0`, ca).catch(
      () => undefined,
    );
    return issuing !== undefined;
  }, START_MS);
  if (!answered || issuing === undefined) throw new Error("the ACME authority does not start");
  writeAtomically(
    CA_BUNDLE,
    mergeBundle(existsSync(CA_BUNDLE) ? readFileSync(CA_BUNDLE, "utf8") : ca, issuing),
  );
}

/** Returns a bundle with one more certificate, unless it has that one already. */
export function mergeBundle(bundle: string, certificate: string): string {
  const known = bundle.includes(certificate.trim());
  return known ? bundle : `${bundle.trimEnd()}\n${certificate.trim()}\n`;
}

function fetchText(url: string, ca: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, timeout: 2000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8"));
        else reject(new Error(`${url}: HTTP ${response.statusCode}`));
      });
    });
    request.on("error", reject);
    request.on("timeout", () => request.destroy(new Error(`${url}: no answer`)));
  });
}
