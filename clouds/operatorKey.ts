import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import type { ChildOptions, OperatorKey } from "./host";
import { named, type OwnerLabels } from "./names";

/** Makes the key pair that the program itself logs in to the hosts with. */
export function newOperatorKey(labels: OwnerLabels, { parent }: ChildOptions): OperatorKey {
  const key = new tls.PrivateKey(named("operator-key", labels), { algorithm: "ED25519" }, { parent });
  return {
    publicKey: key.publicKeyOpenssh.apply((line) => line.trim()),
    privateKey: pulumi.secret(key.privateKeyOpenssh),
  };
}
