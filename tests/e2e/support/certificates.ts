/** Certificates as hosts order and show them. */
import { onHost, outside } from "./sandbox";

/** Number of orders that a host has sent; 0 without a run of certbot. */
export async function orders(fqdn: string): Promise<number> {
  const count =
    "cat /var/log/letsencrypt/letsencrypt.log* 2>/dev/null | grep -c 'POST .*/order-plz HTTP' || true";
  return Number(await onHost(fqdn, ["bash", "-c", count]));
}

/** Part of the certificate that a client is shown: "serial=…", "notAfter=…", "issuer=…". */
export async function shown(fqdn: string, what: string): Promise<string> {
  const ask = `openssl s_client -connect "$0":443 -servername "$0" </dev/null 2>/dev/null | openssl x509 -noout -${what}`;
  return (await outside(["bash", "-c", ask, fqdn])).stdout.trim();
}
