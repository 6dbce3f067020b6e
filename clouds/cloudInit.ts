import { stringify } from "yaml";

/** Arguments of {@link cloudInit}. */
export interface CloudInitArgs {
  /** The ED25519 SSH host key that connections pin, in OpenSSH's forms: the one secret that user data carries. */
  readonly hostKey: { readonly publicKey: string; readonly privateKey: string };
  /** The account that the program logs in to: root, or the image's own default user. */
  readonly user: string;
  /** authorized_keys lines for that account. */
  readonly authorizedKeys: readonly string[];
}

/**
 * User data that makes a new machine one that the program can talk to, and no more: changed user data would replace
 * the server, so whatever may change later is a step.
 *
 * The image's own host keys are deleted, so that the pinned one is all that a client can be offered.
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
