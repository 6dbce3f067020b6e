import type { Dns } from "./dns";
import type { NamesRequest } from "./existingRecords";
import type { HostArgs, HostMaker, OperatorKey } from "./host";

/** Interface to one cloud. All methods look up what they need and make nothing. */
export interface Cloud {
  /**
   * Looks up everything for the hosts of a deployment there.
   *
   * @param hosts All hosts that will be made there.
   * @returns a function that makes the hosts, once there is a key to log in with
   * @throws LookUpError with everything that the cloud lacks for them
   */
  findHosts(hosts: readonly HostArgs[]): Promise<(operatorKey: OperatorKey) => HostMaker>;
  /** Looks up the zone. @throws LookUpError for a missing zone, or for records of another owner under these names */
  findZone(request: NamesRequest): Promise<Dns>;
  /** Returns the present public addresses of the stack there. */
  findAddresses(): Promise<readonly string[]>;
}
