import { stringify } from "yaml";

/** Arguments of {@link cloudInit}. */
export interface CloudInitArgs {
  /** ED25519 SSH host key that connections pin, in OpenSSH's forms: the only secret in user data. */
  readonly hostKey: { readonly publicKey: string; readonly privateKey: string };
  /** Account that the program logs in to: root, or the image's own default user. */
  readonly user: string;
  /** Lines of authorized_keys for that account. */
  readonly authorizedKeys: readonly string[];
}

/**
 * Renders user data, which only makes the program able to talk to a new machine. Changed user data would replace the
 * server, so everything that may change later is a step.
 *
 * Deletes the image's own host keys, so that a client can be offered only the pinned one.
 */
export function cloudInit({ hostKey, user, authorizedKeys }: CloudInitArgs): string {
  const config = {
    ssh_deletekeys: true,
    ssh_keys: {
      ed25519_private: hostKey.privateKey,
      ed25519_public: hostKey.publicKey,
    },
    ssh_pwauth: false,
    disable_root: user !== "root",
    ssh_authorized_keys: authorizedKeys,
  };
  return `#cloud-config\n${stringify(config, { lineWidth: 0 })}`;
}
