import { onHost } from "./sandbox";

/** Asks Greenlight's database on a host, as an administrator would. @returns its rows, columns parted by "|" */
export async function greenlightRows(fqdn: string, query: string): Promise<string[]> {
  const psql = ["psql", "-U", "postgres", "-d", "greenlight-v3-production", "-qAt", "-c", query];
  return (await onHost(fqdn, ["docker", "exec", "postgres", ...psql])).trim().split("\n").filter(Boolean);
}

/** Stops or starts the container of Greenlight's database. */
export const greenlightDatabase = (fqdn: string, verb: "start" | "stop"): Promise<string> =>
  onHost(fqdn, ["sh", "-c", `cd /root/greenlight-v3 && docker compose ${verb} postgres`]);
