/** Value of `backup.to` for a Hetzner Storage Box that the stack makes. */
export const STORAGE_BOX = "storage-box";

/**
 * Public key of all Storage Boxes on port 23. Hetzner publishes its fingerprint, SHA256:XqONwb1S0zuj5A1CDxpOSuD2hnAArV1A3wKY7Z3sdgM.
 *
 * @see https://docs.hetzner.com/storage/storage-box/general
 */
export const STORAGE_BOX_HOST_KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIICf9svRenC/PLKIL9nk6K/pxQgoiFC41wTNvoIncOxs";

/** Folder of the repository in a Storage Box, below the account's home. */
const BOX_FOLDER = "backups";

/** Key pair in OpenSSH's form. */
export interface KeyPair {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** Storage Box that was made for a server, with its keys; secret. */
export interface StorageBoxAccess {
  readonly server: string;
  readonly username: string;
  /** Key of the account, which may do everything there. */
  readonly owner: KeyPair;
  /** Key that the server keeps: it may add, not delete. */
  readonly adder: KeyPair;
}

/** Backups of a BigBlueButton server, as the settings ask for them. They hold secrets. */
export interface BackupSettings {
  /**
   * Repository, as restic names it: `s3:https://…/bucket/folder` or `sftp://user@host:port//folder`; or {@link STORAGE_BOX}.
   */
  readonly to: string;
  /** Keys of an S3 storage. */
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Private key for an SFTP server, in OpenSSH's form, and the server's own public one. */
  readonly sshKey?: string;
  readonly hostKey?: string;
  /** Password of a repository that another stack has made. @default a generated one */
  readonly password?: string;
  /** Numbers of backups that a pruning keeps. */
  readonly keep: { readonly daily: number; readonly weekly: number; readonly monthly: number };
  /** Saves raw recordings also. */
  readonly raw: boolean;
}

/**
 * Renders the settings as the one line of JSON that scripts/host/backup.sh reads. It holds secrets.
 *
 * @param host Name under which this server's backups are found again.
 * @param box Storage Box, if `to` asks for one.
 */
export function renderBackup(
  host: string,
  { to, accessKeyId, secretAccessKey, sshKey, hostKey, password, keep, raw }: BackupSettings,
  generatedPassword: string,
  box?: StorageBoxAccess,
): string {
  const storage = box ? boxStorage(box, hostKey) : { to, accessKeyId, secretAccessKey, sshKey, hostKey };
  return `${JSON.stringify({ ...storage, keep, raw, host, password: password ?? generatedPassword })}\n`;
}

/**
 * Storage of a box. The server's own key runs one command there, whatever it asks for: rclone, which refuses to delete or
 * change what is in the repository. So no key for SFTP stays on the server.
 *
 * @see https://rclone.org/commands/rclone_serve_restic/
 */
function boxStorage({ server, username, owner, adder }: StorageBoxAccess, hostKey = STORAGE_BOX_HOST_KEY) {
  const serve = `rclone serve restic --stdio --append-only ${BOX_FOLDER}`;
  return {
    to: `sftp://${username}@${server}:23/${BOX_FOLDER}`,
    sshKey: adder.privateKey,
    hostKey,
    appendOnly: true,
    box: {
      sshKey: owner.privateKey,
      folder: BOX_FOLDER,
      authorizedKeys: [owner.publicKey.trim(), `restrict,command="${serve}" ${adder.publicKey.trim()}`],
    },
  };
}
