import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Server over HTTPS on a free port, with a certificate that nobody trusts. */
export interface SecureServer {
  /** e.g. "127.0.0.1:1234" */
  readonly at: string;
  close(): void;
}

export async function serveSecurely(listener: RequestListener): Promise<SecureServer> {
  const folder = mkdtempSync(join(tmpdir(), "secure-"));
  const [key, cert] = [join(folder, "key"), join(folder, "cert")];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"];
  execFileSync("openssl", ["req", "-x509", ...kind, "-keyout", key, "-out", cert], { stdio: "ignore" });
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, listener);
  rmSync(folder, { recursive: true });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { at: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
}
