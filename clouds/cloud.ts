import type { Dns } from "./dns";
import type { NamesRequest } from "./existingRecords";
import type { HostArgs, HostMaker, OperatorKey } from "./host";

/** What one cloud offers. All methods look up what they need and make nothing. */
export interface Cloud {
  /**
   * @param hosts All that are to be made there.
   * @returns What makes the hosts, once there is a key to log in with.
   * @throws LookUpError with everything that the cloud lacks for them.
   */
  findHosts(hosts: readonly HostArgs[]): Promise<(operatorKey: OperatorKey) => HostMaker>;
  /** @throws LookUpError if the cloud has no such zone, or the zone has records of another owner under these names. */
  findZone(request: NamesRequest): Promise<Dns>;
  /** @returns The public addresses that the stack has there by now. */
  findAddresses(): Promise<readonly string[]>;
}
