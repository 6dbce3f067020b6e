import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import type { OperatorKey } from "./host";

/** Makes the key pair that the program itself logs in to the hosts with. */
export function newOperatorKey(): OperatorKey {
  const key = new tls.PrivateKey("operator-key", { algorithm: "ED25519" });
  return {
    publicKey: key.publicKeyOpenssh.apply((line) => line.trim()),
    privateKey: pulumi.secret(key.privateKeyOpenssh),
  };
}
