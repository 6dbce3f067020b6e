import { canonicalAddress } from "../settings/formats/addresses";
import { setCommand } from "../settings/remedies";
import type { Problem } from "../settings/problems";
import type { ExistingRecord } from "./dns";
import type { HostArgs } from "./host";
import { LookUpError } from "./lookUps";
import { ownRecords } from "./ownRecords";

/** Names that a deployment will publish in a zone. */
export interface NamesRequest {
  readonly domain: string;
  readonly hosts: readonly Pick<HostArgs, "role" | "fqdn" | "labels">[];
  /**
   * Finds the present public addresses of this stack. Called only for a name with records that nothing else explains.
   */
  readonly ownAddresses: () => Promise<ReadonlySet<string>>;
}

/** Types of records that lead to a host, or that no other may stand beside. */
const TYPES = ["A", "AAAA", "CNAME"];

/**
 * Refuses names that already lead elsewhere. Records of this stack have its labels, equal those of its state, or lead
 * to its addresses.
 *
 * @param service Provider of DNS, e.g. "Hetzner Cloud".
 * @throws LookUpError with one problem for each name
 */
export async function refuseForeignRecords(
  records: readonly ExistingRecord[],
  { domain, hosts, ownAddresses }: NamesRequest,
  service: string,
): Promise<void> {
  const names = new Set(hosts.map(({ fqdn }) => fqdn));
  const doubtful = records.filter(
    ({ fqdn, type, labelled }) => names.has(fqdn) && TYPES.includes(type) && !labelled,
  );
  if (doubtful.length === 0) return;
  const made = await ownRecords(hosts[0]?.labels ?? {});
  const unexplained = doubtful.filter((record) => !made.some((one) => isSame(one, record)));
  if (unexplained.length === 0) return;
  const own = await ownAddresses();
  const foreign = unexplained.filter(
    ({ values }) => !values.some((value) => own.has(canonicalAddress(value))),
  );
  const problems = hosts.flatMap(({ role, fqdn }): Problem[] => {
    const found = foreign.filter((record) => record.fqdn === fqdn);
    if (found.length === 0) return [];
    const key = role === "turn" ? "turnHostname" : "hostname";
    const shown = found.map(({ type, values }) => `${type} ${values.join(", ")}`).join("; ");
    const back = own.size > 0 ? `. If this stack made it, let it lead to ${[...own].join(" or ")} again` : "";
    return [
      {
        key,
        reason: `makes the name ${fqdn}, which leads elsewhere already: the zone ${domain} at ${service} has ${shown}`,
        remedy:
          `${setCommand(key, "NAME")}, with a name that is not in use: what this one leads to may be a running site. ` +
          `If that record is yours and nobody uses it any more, remove it there, then try again${back}`,
      },
    ];
  });
  if (problems.length > 0) throw new LookUpError(problems);
}

/** True for record sets of the same name, type and values: one that was changed by hand differs. */
function isSame(a: ExistingRecord, b: ExistingRecord): boolean {
  const text = ({ fqdn, type, values }: ExistingRecord) =>
    JSON.stringify([fqdn.toLowerCase(), type, values.map(canonicalAddress).sort()]);
  return text(a) === text(b);
}
