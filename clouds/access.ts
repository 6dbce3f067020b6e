import type { types } from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { cloudInit } from "./cloudInit";
import type { OperatorKey } from "./host";

/** Arguments of {@link hostAccess}. */
export interface HostAccessArgs {
  /** Account that the program logs in to: root, or the image's own default user. */
  readonly user: string;
  readonly operatorKey: OperatorKey;
  /** Public keys of the operator's own, in authorized_keys form, beside the generated one. */
  readonly sshPublicKeys: readonly string[];
}

/** Access of the program to a host that it makes, on any cloud. */
export interface HostAccess {
  /** All public keys that may log in, in authorized_keys form. */
  readonly authorizedKeys: pulumi.Output<string[]>;
  /** User data for the server's creation; secret, since it holds the SSH host key. */
  readonly userData: pulumi.Output<string>;
  /** Returns a connection to an address; secret. It pins the SSH host key. */
  connect(address: pulumi.Output<string>): pulumi.Output<types.input.remote.ConnectionArgs>;
}

/** Makes a host's SSH host key, which connections pin: the program talks to no other machine at its address. */
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
