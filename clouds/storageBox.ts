import type * as pulumi from "@pulumi/pulumi";

import type { OperatorKey } from "./host";

/** Storage Box that was made for a deployment's backups. */
export interface MadeStorageBox {
  /** Name to connect to. */
  readonly server: pulumi.Output<string>;
  readonly username: pulumi.Output<string>;
  /** Key of the account, which may do everything there. */
  readonly owner: OperatorKey;
  readonly protected: boolean;
}
