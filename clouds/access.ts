import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { cloudInit } from "./cloudInit";
import type { OperatorKey } from "./host";

/** Arguments of {@link hostAccess}. */
export interface HostAccessArgs {
  /** The account that the program logs in to: root, or the image's own default user. */
  readonly user: string;
  readonly operatorKey: OperatorKey;
  /** The operator's own public keys, in authorized_keys form, beside the generated one. */
  readonly sshPublicKeys: readonly string[];
}

/** How the program gets at a host that it makes, whichever cloud it is on. */
export interface HostAccess {
  /** Every public key that may log in, in authorized_keys form. */
  readonly authorizedKeys: pulumi.Output<string[]>;
  /** For the server's creation; secret, as it holds the SSH host key. */
  readonly userData: pulumi.Output<string>;
  /** @returns A connection to an address; secret. It pins the SSH host key. */
  connect(address: pulumi.Output<string>): pulumi.Output<types.input.remote.ConnectionArgs>;
}

/** Makes a host's SSH host key, which connections pin: no other machine at its address is ever talked to. */
export function hostAccess(name: string, args: HostAccessArgs, parent: pulumi.Resource): HostAccess {
  const { user, operatorKey } = args;
  const key = new tls.PrivateKey(`${name}-key`, { algorithm: "ED25519" }, { parent });
  const publicKey = key.publicKeyOpenssh.apply((line) => line.trim());
  const authorizedKeys = operatorKey.publicKey.apply((key) => [key, ...args.sshPublicKeys]);
  const hostKey = pulumi.output({ publicKey, privateKey: key.privateKeyOpenssh });
  const userData = pulumi.output({ hostKey, authorizedKeys }).apply((keys) => cloudInit({ user, ...keys }));
  return {
    authorizedKeys,
    userData: pulumi.secret(userData),
    connect: (address) =>
      pulumi.secret(
        pulumi.output({ host: address, user, privateKey: operatorKey.privateKey, hostKey: publicKey }),
      ),
  };
}
